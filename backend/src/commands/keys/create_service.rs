//! `keys create-service`.

use std::process::ExitCode;

use connection_store::KeyOutcome;
use jiff::{SignedDuration, Timestamp};
use shared::{CreatedApiKey, Scope, validation};

use crate::caller::api_key::{self, ApiKeyText, KeyTerms};
use crate::commands::output::{minutes, print_json, print_line};
use crate::commands::{Outcome, opened};
use crate::service_keys::BOOTSTRAP_NAME;
use domain::clock::{Clock, SystemClock};

#[derive(clap::Args)]
pub struct Arguments {
    /// What to call it: 1 to 100 characters.
    #[arg(long, value_parser = name)]
    name: String,
    /// What it may do; several times, or several with commas: connections:read, connections:write, content:publish,
    /// messages:manage, tokens:read, sessions:create.
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<Scope>,
    /// When it ends; never without this.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1826))]
    expires_in_days: Option<u16>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let store = opened::store_alone().await?;
    let now = SystemClock.now();
    let Arguments { name, scopes, expires_in_days, json } = arguments;
    let end = |days: u16| -> Timestamp { now + SignedDuration::from_hours(i64::from(days) * 24) };
    let scopes = Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect();
    let terms = KeyTerms { user_id: None, name, scopes, expires_at: expires_in_days.map(end) };
    let text = ApiKeyText::generate();
    let new = text.to_stored(terms, now);
    let view = api_key::view(new.clone().into());
    let created = store.create_api_key(new, None).await;
    opened::close(&store).await;
    if created? != KeyOutcome::Created {
        return Err("two random keys were the same".into());
    }
    if json {
        print_json(&CreatedApiKey { api_key: view, key: text.expose().to_owned().into() })?;
    } else {
        // The key alone on standard output: scripts take it from there.
        print_line(text.expose())?;
        let end = view.expires_at.as_ref().map_or_else(|| "never".to_owned(), minutes);
        eprintln!("{} ends: {end}. This is the only time that the key is shown.", view.id);
    }
    Ok(ExitCode::SUCCESS)
}

fn name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give the key a name");
    }
    if text == BOOTSTRAP_NAME {
        return Err("this is the name of the key that BOOTSTRAP_SERVICE_KEY gives");
    }
    validation::name(text).map_or_else(|| Ok(text.to_owned()), Err)
}

fn scope(text: &str) -> Result<Scope, String> {
    let names = || Scope::ALL.map(Scope::as_str).join(", ");
    Scope::from_name(text).ok_or_else(|| format!("the scopes are {}", names()))
}
