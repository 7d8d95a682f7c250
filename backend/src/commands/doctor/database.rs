//! The database: there, answering, writable.

use std::sync::Arc;
use std::time::Instant;

use connection_store::{DatabaseUrl, Store, StoreError, StoreResult};
use jiff::SignedDuration;

use super::check::{Check, LIMIT, too_slow};
use crate::commands::{opened, sentence};
use crate::config::DatabaseConfig;
use domain::clock::{Clock, SystemClock};

const NAME: &str = "database";

/// A pause that keeps nobody from anything, and ends by itself.
const PAUSE: (&str, SignedDuration) = ("doctor", SignedDuration::from_secs(1));

/// Opens the database, asks it and writes to it. Gives it back for other checks where it answers.
pub(super) async fn check(config: &DatabaseConfig) -> (Vec<Check>, Option<Arc<dyn Store>>) {
    let started = Instant::now();
    let opened = tokio::time::timeout(LIMIT, connection_store::connect_existing(&config.url)).await;
    let store = match opened {
        Err(_) => return (vec![too_slow(NAME)], None),
        Ok(Err(error)) => return (vec![failure(config, "cannot be opened", &error)], None),
        Ok(Ok(None)) => return (vec![absent(config)], None),
        Ok(Ok(Some(store))) => store,
    };
    let opened_in = started.elapsed().as_millis();
    let asked = Instant::now();
    let check = match tokio::time::timeout(LIMIT, use_it(&store)).await {
        Err(_) => too_slow(NAME),
        Ok(Err(error)) => failure(config, "cannot be written to", &error),
        Ok(Ok(())) => {
            let used_in = asked.elapsed().as_millis();
            let kind = match &config.url {
                DatabaseUrl::Sqlite(path) => format!("SQLite at {}", path.display()),
                DatabaseUrl::MongoDb(_) => "MongoDB".to_owned(),
            };
            Check::ok(NAME, format!("{kind}: opened in {opened_in} ms, asked and written to in {used_in} ms"))
        }
    };
    (vec![check], Some(store))
}

async fn use_it(store: &Arc<dyn Store>) -> StoreResult<()> {
    store.ping().await?;
    let now = SystemClock.now();
    store.pause(PAUSE.0, now + PAUSE.1).await?;
    store.paused_until(PAUSE.0, now).await?;
    Ok(())
}

fn absent(config: &DatabaseConfig) -> Check {
    let advice = match &config.url {
        DatabaseUrl::Sqlite(_) => {
            "the service makes it when it starts first. If it has run before, DATABASE_URL or the working folder is another \
             one than the service's"
        }
        DatabaseUrl::MongoDb(_) => {
            "the service makes its collections when it starts first. If it has run before, the database's name in \
             DATABASE_URL is another one"
        }
    };
    Check::failed(NAME, opened::no_database(config), advice)
}

fn failure(config: &DatabaseConfig, what: &str, error: &StoreError) -> Check {
    let advice = match (&config.url, error) {
        (DatabaseUrl::Sqlite(_), StoreError::Unavailable(_)) => {
            "another process may lock the file, this user may not be allowed to write the file and its folder, or the disk is \
             full"
        }
        (DatabaseUrl::Sqlite(_), StoreError::Failed(_)) => {
            "it is no database of this version: compare DATABASE_URL, and the version of this command with the service's"
        }
        (DatabaseUrl::MongoDb(_), StoreError::Unavailable(_)) => {
            "no server can be reached: does it run, are host, port and replica set name in DATABASE_URL right, does a \
             firewall or the cluster's access list let this machine in?"
        }
        (DatabaseUrl::MongoDb(_), StoreError::Failed(_)) => {
            "the server refuses: are user, password and database in DATABASE_URL right, and may the user read and write it?"
        }
    };
    Check::failed(NAME, format!("{what}: {}", sentence(error)), advice)
}
