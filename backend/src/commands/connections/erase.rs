//! `connections erase`.

use std::process::ExitCode;

use crate::commands::confirm::confirm;
use crate::commands::output::{print_json, print_line};
use crate::commands::{Outcome, opened};
use crate::state::AppState;

#[derive(clap::Args)]
pub struct Arguments {
    /// The account's id: the professional one (17841…) or the app-scoped one, as Meta's mails name it.
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
    let stored = state.store.connections_of_account(id).await?;
    if stored.is_empty() {
        return Err(format!("nothing is stored about an account with the id {id}").into());
    }
    let whose: Vec<_> = stored
        .iter()
        .map(|connection| format!("@{} (user {})", connection.profile.username, connection.user_id))
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
