//! Particulars of SQLite: the file, other processes, and death at any moment.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damaged;
mod file;
mod killed;
mod migrated;
mod shared_file;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use connection_store::sqlite::SqliteStore;
use connection_store::test_support::{now, seconds};
use connection_store::{NewConnection, NewEvent, NewOAuthState, Profile, Store};
use jiff::Timestamp;
use shared::Provider::Instagram;

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

fn new_connection(user_id: &str, provider_account_id: &str) -> NewConnection {
    NewConnection {
        user_id: user_id.to_owned(),
        provider_account_id: provider_account_id.to_owned(),
        other_account_id: None,
        access_token: format!("v1.k1.sealed-for-{user_id}"),
        refresh_token: None,
        token_issued_at: now(),
        token_expires_at: now() + seconds(5_183_944),
        expires_at: now() + seconds(5_183_944),
        refresh_at: now() + seconds(2_591_944),
        profile: Profile { username: "wreckshoprecords".to_owned(), ..Profile::default() },
        scopes: vec!["instagram_business_basic".to_owned()],
    }
}

fn new_state(state_hash: [u8; 32], now: Timestamp) -> NewOAuthState {
    NewOAuthState {
        state_hash,
        provider: Instagram,
        user_id: "ann".to_owned(),
        return_to: None,
        expected_account: None,
        sealed_verifier: None,
        created_at: now,
        expires_at: now + seconds(600),
    }
}

/// An event that nobody has to be told of, each with an id of its own.
fn event(kind: &str) -> NewEvent {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NewEvent {
        id: format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
        kind: kind.to_owned(),
        succeeded: true,
        message: format!("It was {kind}."),
        expires_at: None,
        notify: Vec::new(),
    }
}

/// Ends the connection that a user has.
async fn disconnect(store: &SqliteStore, user_id: &str, now: Timestamp) -> bool {
    let connection = store.connections(Instagram).current_connection(user_id).await.unwrap().unwrap();
    store
        .connections(Instagram)
        .disconnect(&connection.id, user_id, event("disconnected"), now)
        .await
        .unwrap()
}
