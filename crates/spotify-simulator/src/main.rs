//! The simulator by itself: `cargo run -p spotify-simulator`.

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use spotify_simulator::{Config, Simulator};

/// A stand-in for Spotify, for development and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on
    #[arg(long, env = "SPOTIFY_SIMULATOR_BIND", default_value = "127.0.0.1:4004")]
    bind: SocketAddr,
    /// The client id that it knows
    #[arg(long, env = "SPOTIFY_CLIENT_ID", default_value = Config::CLIENT_ID)]
    client_id: String,
    /// The client secret that it expects
    #[arg(long, env = "SPOTIFY_CLIENT_SECRET", hide_env_values = true, default_value = Config::CLIENT_SECRET)]
    client_secret: String,
    /// A redirect URI registered for the app; can be given several times
    #[arg(long = "redirect-uri", env = "SPOTIFY_REDIRECT_URI", default_values = Config::REDIRECT_URIS)]
    redirect_uris: Vec<String>,
}

fn main() -> io::Result<()> {
    let Arguments { bind, client_id, client_secret, redirect_uris } = Arguments::parse();
    // The secret is shown where it is the simulator's own, which guards nothing.
    let shown = if client_secret == Config::CLIENT_SECRET { Config::CLIENT_SECRET } else { "(as given)" };
    let config = Config { bind, client_id, client_secret, redirect_uris };
    let (id, redirects) = (config.client_id.clone(), config.redirect_uris.clone());
    let simulator = Simulator::start(config)?;
    println!("Spotify, simulated, at {} (redirects to {})", simulator.url(), redirects.join(" and "));
    println!("  SPOTIFY_ACCOUNTS_URL={}", simulator.accounts_url());
    println!("  SPOTIFY_API_URL={}", simulator.api_url());
    println!("  SPOTIFY_CLIENT_ID={id}");
    println!("  SPOTIFY_CLIENT_SECRET={shown}");
    println!("  SPOTIFY_REDIRECT_URI={}", redirects.first().map_or("", String::as_str));
    // Signals keep their default meaning: Ctrl-C ends the process, and there is nothing to save.
    simulator.wait()
}
