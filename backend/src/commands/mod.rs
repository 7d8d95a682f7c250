//! Commands that an operator types after `instagram-connect`: one file a command.
//!
//! Only `serve` starts the service. The others look at the same configuration and database, make neither, and print
//! nothing secret but a key that they have just made.

mod confirm;
mod connections;
mod doctor;
mod keys;
mod opened;
mod output;
mod serve;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Subcommand;

use self::connections::ConnectionsCommand;
use self::keys::KeysCommand;

/// Outcome of a command. The error's text, with its sources, is the sentence that the operator reads.
type Outcome = Result<ExitCode, Box<dyn Error>>;

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Serve the API; what happens without a command. Configured by environment variables and `.env`.
    Serve,
    /// Token encryption keys, and service keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Connected accounts.
    #[command(subcommand)]
    Connections(ConnectionsCommand),
    /// Print what to enter in the providers' dashboards, check all that can be checked, and say what to do.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    /// Carries the command out. A failure is one sentence on standard error, and exit code 1.
    pub async fn run(self) -> ExitCode {
        let outcome = match self {
            Self::Serve => serve::run().await,
            Self::Keys(command) => command.run().await,
            Self::Connections(command) => command.run().await,
            Self::Doctor { json } => doctor::run(json).await,
        };
        match outcome {
            Ok(code) => code,
            // Whoever read the output has seen enough, as `head` does.
            Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("instagram-connect: {}", output::for_terminal(&sentence(error.as_ref())));
                ExitCode::FAILURE
            }
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// An error and what is behind it, on one line.
fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        // Some wrappers say again what they wrap.
        if !sentence.ends_with(&text) {
            sentence = format!("{sentence}: {text}");
        }
        source = error.source();
    }
    sentence
}
