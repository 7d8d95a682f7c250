//! `keys revoke-service`.

use std::process::ExitCode;

use crate::commands::output::{print_json, print_line};
use crate::commands::{Outcome, opened};

#[derive(clap::Args)]
pub struct Arguments {
    /// The key's id, as `keys list-service` prints it.
    id: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let store = opened::store_alone().await?;
    let Arguments { id, json } = arguments;
    let revoked = store.delete_api_key(&id, None).await;
    opened::close(&store).await;
    if !revoked? {
        return Err(format!("there is no service key with the id {id}").into());
    }
    if json {
        print_json(&serde_json::json!({ "revoked": id }))?;
    } else {
        print_line(&format!("{id} is revoked."))?;
    }
    Ok(ExitCode::SUCCESS)
}
