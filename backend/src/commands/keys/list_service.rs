//! `keys list-service`.

use std::process::ExitCode;

use shared::{ApiKeysAnswer, Scope};

use crate::caller::api_key;
use crate::commands::output::{minutes, print_json, print_line, print_table};
use crate::commands::{Outcome, opened};

pub(super) async fn run(json: bool) -> Outcome {
    let store = opened::store_alone().await?;
    let listed = store.api_keys(None).await;
    opened::close(&store).await;
    let api_keys: Vec<_> = listed?.into_iter().map(api_key::view).collect();
    if json {
        print_json(&ApiKeysAnswer { api_keys })?;
    } else if api_keys.is_empty() {
        print_line("There are no service keys.")?;
    } else {
        let or_never = |time: Option<_>| time.as_ref().map_or_else(|| "never".to_owned(), minutes);
        let rows = api_keys.into_iter().map(|key| {
            [
                key.id,
                key.name,
                format!("{}…", key.hint),
                minutes(&key.created_at),
                or_never(key.expires_at),
                or_never(key.last_used_at),
                key.scopes.into_iter().map(Scope::as_str).collect::<Vec<_>>().join(", "),
            ]
        });
        print_table(["id", "name", "key", "made", "ends", "last used", "scopes"], rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
