//! The binary `instagram-connect`.

use std::process::ExitCode;
use std::sync::Arc;

use backend::clock::SystemClock;
use backend::config::{Config, Variables};
use backend::server::Service;
use clap::{Parser, Subcommand};

/// Gives memory back to the system when a burst is over. Each password hash takes 19 MiB for a moment, which the C
/// library's allocator keeps for every thread that ever made one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instagram-connect: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::from_env(&Variables::of_process_and_file()?)?;
    backend::start_logging(&config.log)?;
    Service::start(&config, Arc::new(SystemClock)).await?.run().await?;
    Ok(())
}
