//! `keys`: token encryption keys, and service keys of the host application's backend.

mod create_service;
mod list_service;
mod revoke_service;
mod status;

use std::process::ExitCode;

use clap::Subcommand;
use token_vault::Keyring;

use super::Outcome;
use crate::caller::api_key::ApiKeyText;

/// Token encryption keys, and service keys.
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
    /// Make a service key, by which the host application's backend acts for its users, and print it this once.
    CreateService(create_service::Arguments),
    /// Print the service keys: names, scopes and ends, not the keys.
    ListService {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a service key. What uses it is refused from now on.
    RevokeService(revoke_service::Arguments),
    /// Print a new value for `BOOTSTRAP_SERVICE_KEY`. It is kept nowhere else.
    GenerateService,
}

impl KeysCommand {
    pub(super) async fn run(self) -> Outcome {
        match self {
            Self::Generate { id } => generate(&id),
            Self::Status { json } => status::run(json).await,
            Self::CreateService(arguments) => create_service::run(arguments).await,
            Self::ListService { json } => list_service::run(json).await,
            Self::RevokeService(arguments) => revoke_service::run(arguments).await,
            Self::GenerateService => {
                println!("{}", ApiKeyText::generate().expose());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn generate(id: &str) -> Outcome {
    println!("{}", *Keyring::generate(id)?);
    Ok(ExitCode::SUCCESS)
}
