//! `connections disconnect`.

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
    /// The connection's id, as `connections list` prints it.
    id: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let state = opened::state().await?;
    let outcome = disconnect(&state, &arguments).await;
    opened::close(&state.store).await;
    outcome
}

async fn disconnect(state: &AppState, arguments: &Arguments) -> Outcome {
    let id = &arguments.id;
    let of_providers = Provider::ALL.map(|provider| state.store.connections(provider).connection(id));
    let stored = try_join_all(of_providers).await?.into_iter().flatten().next();
    let stored = stored.ok_or_else(|| format!("no connection has the id {id}"))?;
    if !stored.is_active {
        return Err(format!("the connection {id} has ended already").into());
    }
    let account = rules(stored.provider).mention(&stored.profile.username);
    let user = &stored.user_id;
    let question = format!(
        "End the connection of {account} (user {user})? Its token is erased, and only its owner can \
                            connect it again."
    );
    confirm(&question, arguments.yes)?;
    if !state.connections.get(stored.provider).end(&stored).await? {
        return Err(format!("the connection {id} has ended or changed hands meanwhile").into());
    }
    if arguments.json {
        print_json(&serde_json::json!({ "disconnected": id }))?;
    } else {
        print_line(&format!("{account} (user {user}) is disconnected."))?;
    }
    Ok(ExitCode::SUCCESS)
}
