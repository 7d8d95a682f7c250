//! Promises of every store, run on each adapter. A test takes a store and knows nothing of the adapter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod api_keys;
mod connection_races;
mod connections;
mod current;
mod deletions;
mod events;
mod history;
mod host_links;
mod idempotency;
mod keys;
mod limits;
mod lookups;
mod oauth_states;
mod pauses;
mod providers;
mod refresh;
mod sessions;
mod store;
mod sync;
mod used_handles;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use accounts::Accounts;
use connection_store::test_support::{MongoServer, now, seconds};
use connection_store::{NewEvent, Store, connect};
use jiff::Timestamp;
use tempfile::TempDir;

/// Makes each named function, `async fn(Arc<dyn Store>)`, a test of SQLite and one of MongoDB.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let database = crate::TestDatabase::sqlite().await;
                    super::$name(database.store()).await;
                    database.close().await;
                }
            )*
        }
        mod mongodb {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    let database = crate::TestDatabase::mongodb().await;
                    super::$name(database.store()).await;
                    database.close().await;
                }
            )*
        }
    };
}
pub(crate) use contract;

/// As [`contract`], of functions `async fn(Accounts)`: each is a test of both stores with the accounts of each provider, but for
/// those after `[once]`, which take long and would show the same: they are tests with Instagram's.
macro_rules! contract_of_accounts {
    ($($name:ident,)* $([once] $($once:ident,)*)?) => {
        mod instagram {
            crate::contract_of_accounts! { in shared::Provider::Instagram; $($name,)* $($($once,)*)? }
        }
        mod spotify {
            crate::contract_of_accounts! { in shared::Provider::Spotify; $($name,)* }
        }
    };
    (in $provider:expr; $($name:ident,)*) => {
        $(
            async fn $name(store: std::sync::Arc<dyn connection_store::Store>) {
                super::$name(crate::Accounts { store, provider: $provider }).await;
            }
        )*
        crate::contract! { $($name),* }
    };
}
pub(crate) use contract_of_accounts;

/// An empty store, and what must live as long as it.
struct TestDatabase {
    store: Arc<dyn Store>,
    _folder: Option<TempDir>,
    _server: Option<Arc<MongoServer>>,
}

impl TestDatabase {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("data/test.db").display());
        Self { store: connect(&url.parse().unwrap()).await.unwrap(), _folder: Some(folder), _server: None }
    }

    async fn mongodb() -> Self {
        let server = MongoServer::shared();
        let store = connect(&server.fresh_database_url().parse().unwrap()).await.unwrap();
        Self { store, _folder: None, _server: Some(server) }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn close(self) {
        self.store.close().await;
    }
}

/// A different hash for each number.
fn hash(number: u32) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    hash
}

/// An event that nobody has to be told of, each with an id of its own.
fn event(kind: &str) -> NewEvent {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NewEvent {
        id: format!("event-{:08}", NEXT.fetch_add(1, Ordering::Relaxed)),
        kind: kind.to_owned(),
        succeeded: true,
        message: format!("$It was {kind}."),
        expires_at: None,
        notify: Vec::new(),
    }
}

/// Ends the connection that a user has. `false` when there is none.
async fn disconnect(accounts: &Accounts, user_id: &str, now: Timestamp) -> bool {
    let connections = accounts.connections();
    match connections.current_connection(user_id).await.unwrap() {
        Some(connection) => {
            connections.disconnect(&connection.id, user_id, event("disconnected"), now).await.unwrap()
        }
        None => false,
    }
}
