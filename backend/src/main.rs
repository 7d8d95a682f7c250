//! The binary `instagram-connect`.

use std::process::ExitCode;
use std::sync::Arc;

use backend::clock::SystemClock;
use backend::config::{Config, Variables};
use backend::server::Service;
use clap::{Parser, Subcommand};
use token_vault::Keyring;

/// Connects people's Instagram accounts to your application, and keeps them connected.
#[derive(Parser)]
#[command(name = "instagram-connect", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API; what happens without a command. Configured by environment variables and `.env`.
    Serve,
    /// Token encryption keys.
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Subcommand)]
enum Keys {
    /// Print a new entry for `TOKEN_ENCRYPTION_KEYS`. Put it in front of the others; it is kept nowhere else.
    Generate {
        /// The key's name: up to 32 letters, digits, - and _, and no other key's.
        #[arg(long, default_value = "k1")]
        id: String,
    },
}

#[actix_web::main]
async fn main() -> ExitCode {
    give_back_large_blocks();
    let arguments = Arguments::parse();
    let outcome = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Keys(Keys::Generate { id }) => generate_key(&id),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instagram-connect: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Has memory for one password hash, 19 MiB, go back to the system when it is done. Left alone, the GNU C library takes
/// the first such block as a sign to keep the next ones, one for every thread that ever made a hash.
fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const THRESHOLD: i32 = 1024 * 1024;
        // SAFETY: `mallopt` takes two numbers, may be called at any time, and touches no memory of ours.
        #[expect(unsafe_code, reason = "there is no safe interface to this setting")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, THRESHOLD);
        }
    }
}

fn generate_key(id: &str) -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", *Keyring::generate(id)?);
    Ok(())
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::from_env(&Variables::of_process_and_file()?)?;
    backend::start_logging(&config.log)?;
    Service::start(&config, Arc::new(SystemClock)).await?.run().await?;
    Ok(())
}
