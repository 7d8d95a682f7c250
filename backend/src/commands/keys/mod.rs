//! `keys`: token encryption keys.

mod status;

use std::process::ExitCode;

use clap::Subcommand;
use token_vault::Keyring;

use super::Outcome;

/// Token encryption keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Print a new entry for `TOKEN_ENCRYPTION_KEYS`. Put it in front of the others; it is kept nowhere else.
    Generate {
        /// The key's name: up to 32 letters, digits, - and _, and no other key's.
        #[arg(long, default_value = "k1")]
        id: String,
    },
    /// Print which key is used for how many tokens, and what to do next. Prints no key.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl KeysCommand {
    pub(super) async fn run(self) -> Outcome {
        match self {
            Self::Generate { id } => generate(&id),
            Self::Status { json } => status::run(json).await,
        }
    }
}

fn generate(id: &str) -> Outcome {
    println!("{}", *Keyring::generate(id)?);
    Ok(ExitCode::SUCCESS)
}
