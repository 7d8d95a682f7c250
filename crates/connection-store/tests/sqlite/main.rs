//! What is particular to SQLite: the file, other processes, and death at any moment.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod file;
mod killed;
mod shared_file;

use std::path::Path;

use connection_store::sqlite::SqliteStore;
use connection_store::{NewConnection, NewOAuthState, Profile};
use jiff::{SignedDuration, Timestamp};

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn new_connection(user_id: &str, instagram_user_id: &str) -> NewConnection {
    NewConnection {
        user_id: user_id.to_owned(),
        instagram_user_id: instagram_user_id.to_owned(),
        app_scoped_user_id: None,
        access_token: format!("v1.k1.sealed-for-{user_id}"),
        token_issued_at: now(),
        token_expires_at: now() + seconds(5_183_944),
        profile: Profile { username: "wreckshoprecords".to_owned(), ..Profile::default() },
        scopes: vec!["instagram_business_basic".to_owned()],
    }
}

fn new_state(state_hash: [u8; 32], now: Timestamp) -> NewOAuthState {
    NewOAuthState {
        state_hash,
        user_id: "ann".to_owned(),
        return_to: None,
        created_at: now,
        expires_at: now + seconds(600),
    }
}
