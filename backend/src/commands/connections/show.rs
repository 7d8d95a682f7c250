//! `connections show`.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use connection_store::{Connection, ConnectionFilter, Event, Store, StoreResult, Subject};
use serde::Serialize;
use shared::{Provider, Timestamp};

use super::row::{ConnectionRow, vault};
use crate::commands::output::{minutes, print_json, print_line, print_table};
use crate::commands::{Outcome, opened};
use domain::clock::{Clock, SystemClock};
use domain::providers::rules;

/// Connections of one user with one provider that are looked at: nobody has more.
const MOST: u32 = 200;

#[derive(clap::Args)]
pub struct Arguments {
    /// A connection's id, an account's id (either of the two that a provider gives it), or a user's id.
    id: String,
    /// How many events to print, the latest first.
    #[arg(long, value_name = "N", default_value_t = 10)]
    events: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A connection and what happened to it last.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    connection: ConnectionRow,
    events: Vec<EventRow>,
}

#[derive(Serialize)]
struct EventRow {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    at: Timestamp,
    outcome: &'static str,
    message: String,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let data = opened::data().await?;
    let vault = vault(data.keyring);
    let mut shown = Vec::new();
    for stored in named(&data.store, &arguments.id).await? {
        let subject = Subject::Connection { provider: stored.provider, id: stored.id.clone() };
        let (limit, now) = (arguments.events, SystemClock.now());
        let events = data.store.events(&subject, &stored.user_id, None, limit, now).await?;
        let events = events.into_iter().map(EventRow::new).collect();
        shown.push(Shown { connection: ConnectionRow::new(stored, vault.as_ref()), events });
    }
    opened::close(&data.store).await;
    if shown.is_empty() {
        return Err(format!("no connection, account or user has the id {}", arguments.id).into());
    }
    if arguments.json {
        print_json(&serde_json::json!({ "connections": shown }))?;
    } else {
        for (index, one) in shown.iter().enumerate() {
            if index > 0 {
                print_line("")?;
            }
            one.print()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the connections that an id names, whichever kind of id it is; disconnected connections, too.
async fn named(store: &Arc<dyn Store>, id: &str) -> StoreResult<Vec<Connection>> {
    let filter =
        ConnectionFilter { user_id: Some(id.to_owned()), with_inactive: true, ..ConnectionFilter::default() };
    let mut found: Vec<Connection> = Vec::new();
    for provider in Provider::ALL {
        let kept = store.connections(provider);
        let (by_id, of_account, of_user) = tokio::join!(
            kept.connection(id),
            kept.connections_of_account(id),
            kept.list_connections(filter.clone(), MOST)
        );
        for connection in by_id?.into_iter().chain(of_account?).chain(of_user?) {
            if found.iter().all(|other| other.id != connection.id) {
                found.push(connection);
            }
        }
    }
    Ok(found)
}

impl EventRow {
    fn new(event: Event) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            at: event.at.into(),
            outcome: if event.succeeded { "succeeded" } else { "failed" },
            message: event.message,
        }
    }
}

impl Shown {
    fn print(&self) -> io::Result<()> {
        let Self { connection, events } = self;
        let time = |time: Option<&Timestamp>| time.map(minutes).unwrap_or_default();
        let rows = [
            ["id", &connection.id],
            ["user", &connection.user_id],
            ["provider", connection.provider.title()],
            ["account", &rules(connection.provider).mention(&connection.username)],
            ["account id", connection.account.both().0],
            ["other account id", connection.account.both().1.unwrap_or_default()],
            ["status", connection.status],
            ["needs reauthorization since", &time(connection.needs_reauthorization_since.as_ref())],
            ["last error", connection.last_error.as_deref().unwrap_or_default()],
            ["expires", &time(connection.expires_at.as_ref())],
            ["connected", &minutes(&connection.connected_at)],
            ["connected last", &minutes(&connection.last_connected_at)],
            ["last sync", &minutes(&connection.last_sync)],
            ["permissions", &connection.scopes.join(", ")],
            ["missing permissions", &connection.missing_scopes.join(", ")],
        ];
        let given = rows.into_iter().filter(|[_, value]| !value.is_empty());
        print_table(["connection", ""], given.map(|row| row.map(str::to_owned)))?;
        print_line("")?;
        print_table(
            ["when", "event", "outcome", "message"],
            events.iter().map(|event| {
                [minutes(&event.at), event.kind.clone(), event.outcome.to_owned(), event.message.clone()]
            }),
        )
    }
}
