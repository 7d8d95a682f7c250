//! The simulator by itself: `cargo run -p instagram-simulator`.

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use instagram_simulator::{Config, Simulator};

/// A stand-in for Instagram, for development and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on
    #[arg(long, env = "SIMULATOR_BIND", default_value = "127.0.0.1:4003")]
    bind: SocketAddr,
    /// The Instagram app id that it knows
    #[arg(long, env = "INSTAGRAM_APP_ID", default_value = Config::APP_ID)]
    app_id: String,
    /// The Instagram app secret that it expects
    #[arg(long, env = "INSTAGRAM_APP_SECRET", hide_env_values = true, default_value = Config::APP_SECRET)]
    app_secret: String,
    /// A redirect URI registered for the app; can be given several times
    #[arg(long = "redirect-uri", env = "INSTAGRAM_REDIRECT_URI", default_values = Config::REDIRECT_URIS)]
    redirect_uris: Vec<String>,
}

fn main() -> io::Result<()> {
    let Arguments { bind, app_id, app_secret, redirect_uris } = Arguments::parse();
    let config = Config { bind, app_id, app_secret, redirect_uris };
    let app = format!("app {}, redirects to {}", config.app_id, config.redirect_uris.join(" and "));
    let simulator = Simulator::start(config)?;
    println!("Instagram, simulated, at {} ({app})", simulator.url());
    println!("  INSTAGRAM_AUTHORIZE_URL={}", simulator.authorize_url());
    println!("  INSTAGRAM_TOKEN_URL={}", simulator.token_url());
    println!("  INSTAGRAM_GRAPH_URL={}", simulator.graph_url());
    // Signals keep their default meaning: Ctrl-C ends the process, and there is nothing to save.
    simulator.wait()
}
