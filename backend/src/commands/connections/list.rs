//! `connections list`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use connection_store::{ConnectionFilter, Store};
use shared::Provider;
use token_vault::Vault;

use super::row::{ConnectionRow, vault};
use crate::commands::output::{minutes, print_line, print_table};
use crate::commands::{Outcome, opened};
use domain::providers::rules;

/// Connections that are read and printed at once, so that memory does not grow with the database.
const PAGE: u32 = 200;

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this user's.
    #[arg(long, value_name = "USER_ID")]
    user: Option<String>,
    /// Also those that were disconnected.
    #[arg(long)]
    all: bool,
    /// At most so many; all without it.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let data = opened::data().await?;
    let vault = vault(data.keyring);
    let outcome = print(&arguments, &data.store, vault.as_ref()).await;
    opened::close(&data.store).await;
    outcome
}

async fn print(arguments: &Arguments, store: &Arc<dyn Store>, vault: Option<&Vault>) -> Outcome {
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut printed = 0;
    if arguments.json {
        write!(io::stdout(), "{{\"connections\":[")?;
    }
    for provider in Provider::ALL {
        let mut filter = ConnectionFilter {
            user_id: arguments.user.clone(),
            with_inactive: arguments.all,
            ..ConnectionFilter::default()
        };
        while left > 0 {
            let limit = PAGE.min(u32::try_from(left).unwrap_or(PAGE));
            let page = store.connections(provider).list_connections(filter.clone(), limit).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some(last.id.clone());
            let is_last = page.len() < limit as usize;
            left -= page.len() as u64;
            let rows: Vec<_> = page.into_iter().map(|stored| ConnectionRow::new(stored, vault)).collect();
            if arguments.json {
                print_items(&rows, printed)?;
            } else {
                print_rows(&rows)?;
            }
            printed += rows.len();
            if is_last {
                break;
            }
        }
    }
    if arguments.json {
        writeln!(io::stdout(), "\n]}}")?;
    } else if printed == 0 {
        print_line("There are no connections.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A part of the list: a line each.
fn print_items(rows: &[ConnectionRow], before: usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (index, row) in rows.iter().enumerate() {
        out.write_all(if before + index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut out, row)?;
    }
    Ok(())
}

fn print_rows(rows: &[ConnectionRow]) -> io::Result<()> {
    let header =
        ["id", "user", "provider", "account", "account id", "status", "expires", "last sync", "last error"];
    print_table(
        header,
        rows.iter().map(|row| {
            [
                row.id.clone(),
                row.user_id.clone(),
                row.provider.as_str().to_owned(),
                rules(row.provider).mention(&row.username),
                row.account.both().0.to_owned(),
                row.status.to_owned(),
                row.expires_at.as_ref().map(minutes).unwrap_or_default(),
                minutes(&row.last_sync),
                row.last_error.clone().unwrap_or_default(),
            ]
        }),
    )
}
