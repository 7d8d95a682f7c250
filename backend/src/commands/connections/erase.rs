//! `connections erase`.

use std::process::ExitCode;

use futures_util::future::try_join_all;
use shared::Provider;

use crate::commands::confirm::confirm;
use crate::commands::output::{print_json, print_line};
use crate::commands::{Outcome, opened};
use crate::state::AppState;
use domain::providers::rules;

#[derive(clap::Args)]
pub struct Arguments {
    /// The account's id: Instagram's professional one (17841…) or app-scoped one, as Meta's mails name it, or Spotify's.
    account_id: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let state = opened::state().await?;
    let outcome = erase(&state, &arguments).await;
    opened::close(&state.store).await;
    outcome
}

async fn erase(state: &AppState, arguments: &Arguments) -> Outcome {
    let id = &arguments.account_id;
    let of_providers =
        Provider::ALL.map(|provider| state.store.connections(provider).connections_of_account(id));
    let stored = try_join_all(of_providers).await?.concat();
    if stored.is_empty() {
        return Err(format!("nothing is stored about an account with the id {id}").into());
    }
    let whose: Vec<_> = stored
        .iter()
        .map(|stored| {
            let account = rules(stored.provider).mention(&stored.profile.username);
            format!("{account} (user {})", stored.user_id)
        })
        .collect();
    let whose = whose.join(", ");
    let question = format!("Erase {whose} with token, profile, history and events? It cannot be undone.");
    confirm(&question, arguments.yes)?;
    let erased = state.connections.erase_account(id).await?;
    if arguments.json {
        print_json(&serde_json::json!({ "erased": erased }))?;
    } else {
        print_line(&format!("Everything about {whose} is erased."))?;
    }
    Ok(ExitCode::SUCCESS)
}
