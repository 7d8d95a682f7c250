//! Rows that somebody has changed by hand, or that broke: they do not keep the others from a job.

use std::path::Path;

use connection_store::sqlite::SqliteStore;
use connection_store::{
    ConnectionFilter, DeletionOf, Deletions, Events, KeyUse, NewConnection, NewDeletion, NewEvent, Store,
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use shared::Provider::Instagram;

use crate::{event, new_connection, now, open, seconds};

const DAY: i64 = 86_400;

/// Damage to values that a connection can do without.
const HARMLESS: [&str; 12] = [
    "scopes = 'not JSON'",
    "scopes = CAST(x'ff' AS TEXT)",
    "username = CAST(x'ff' AS TEXT)",
    "followers_count = -1",
    "refresh_failures = -1, sync_failures = -1",
    "refresh_failures = 9223372036854775807, sync_failures = 9223372036854775807",
    "token_issued_at = -9223372036854775808",
    "refresh_at = -9223372036854775808",
    "connected_at = 9223372036854775807",
    "last_synced_at = -9223372036854775808",
    "last_error = CAST(x'ff' AS TEXT)",
    "other_account_id = CAST(x'ff' AS TEXT)",
];

/// Damage to values that a connection cannot do without.
const FATAL: [&str; 3] = [
    "user_id = CAST(x'ff' AS TEXT)",
    "provider_account_id = CAST(x'ff' AS TEXT)",
    "access_token = CAST(x'ff' AS TEXT)",
];

/// Three connections, of which `user-0` is the first one of every list, and a way to change what is stored.
struct Setup {
    store: SqliteStore,
    database: Connection,
    _folder: TempDir,
}

impl Setup {
    /// The tokens have `left` seconds to live.
    async fn new(left: i64, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let store = open(&path).await;
        for number in 0..3 {
            let new = NewConnection {
                token_issued_at: now - seconds(40 * DAY),
                token_expires_at: now + seconds(left + number),
                expires_at: now + seconds(left + number),
                refresh_at: now + seconds(left + number - 30 * DAY),
                ..new_connection(&format!("user-{number}"), &number.to_string())
            };
            let then = now + seconds(number - 3);
            store.connections(Instagram).save_connection(new, event("connected"), then).await.unwrap();
        }
        Self { store, database: connect(&path), _folder: folder }
    }

    /// Changes the first connection.
    fn damage(&self, change: &str) {
        let statement = format!("UPDATE instagram_connections SET {change} WHERE user_id = 'user-0'");
        assert_eq!(self.database.execute(&statement, []).unwrap(), 1, "{change}");
    }
}

fn connect(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn users(connections: Vec<connection_store::Connection>) -> Vec<String> {
    connections.into_iter().map(|connection| connection.user_id).collect()
}

#[tokio::test]
async fn what_a_row_can_do_without_counts_as_unset() {
    let now = now();
    for damage in HARMLESS {
        let setup = Setup::new(20 * DAY, now).await;
        setup.damage(damage);
        let all = ["user-0", "user-1", "user-2"];
        let claimed = setup
            .store
            .connections(Instagram)
            .claim_due_for_refresh(now + seconds(60), 3, now)
            .await
            .unwrap();
        assert_eq!(users(claimed), all, "{damage}");
        let claimed = setup
            .store
            .connections(Instagram)
            .claim_due_for_sync(now, now + seconds(60), 3, now)
            .await
            .unwrap();
        assert_eq!(users(claimed), all, "{damage}");
        let listed = setup
            .store
            .connections(Instagram)
            .list_connections(ConnectionFilter::default(), 3)
            .await
            .unwrap();
        assert_eq!(users(listed), all, "{damage}");
        let found = setup.store.connections(Instagram).current_connection("user-0").await.unwrap().unwrap();
        assert!(found.refresh_failures > 0, "{damage}: the claim counts");
    }
}

#[tokio::test]
async fn a_token_whose_end_is_no_time_has_ended() {
    let now = now();
    let setup = Setup::new(20 * DAY, now).await;
    setup.damage("token_expires_at = -9223372036854775808");
    let found = setup.store.connections(Instagram).current_connection("user-0").await.unwrap().unwrap();
    assert_eq!(found.token_expires_at, Timestamp::UNIX_EPOCH);
}

#[tokio::test]
async fn a_mark_that_is_no_time_is_still_a_mark() {
    let now = now();
    let setup = Setup::new(20 * DAY, now).await;
    setup.damage("needs_reauthorization_since = 9223372036854775807");
    let found = setup.store.connections(Instagram).current_connection("user-0").await.unwrap().unwrap();
    assert_eq!(found.needs_reauthorization_since, Some(Timestamp::UNIX_EPOCH));
}

/// A page is full all the same: a short one would be taken for the last.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_passed_over() {
    let now = now();
    let others = ["user-1", "user-2"];
    for damage in FATAL {
        let setup = Setup::new(20 * DAY, now).await;
        setup.damage(damage);
        let claimed = setup
            .store
            .connections(Instagram)
            .claim_due_for_refresh(now + seconds(60), 2, now)
            .await
            .unwrap();
        assert_eq!(users(claimed), others, "{damage}");
        let claimed = setup
            .store
            .connections(Instagram)
            .claim_due_for_sync(now, now + seconds(60), 2, now)
            .await
            .unwrap();
        assert_eq!(users(claimed), others, "{damage}");
        let listed = setup
            .store
            .connections(Instagram)
            .list_connections(ConnectionFilter::default(), 2)
            .await
            .unwrap();
        assert_eq!(users(listed), others, "{damage}");
    }
}

#[tokio::test]
async fn tokens_are_reencrypted_past_one_that_cannot_be_read() {
    let setup = Setup::new(20 * DAY, now()).await;
    setup.damage("provider_account_id = CAST(x'ff' AS TEXT)");
    let sealed = setup.store.connections(Instagram).sealed_with(Some("k1"), None, 2).await.unwrap();
    let accounts: Vec<_> = sealed.iter().map(|token| token.provider_account_id.as_str()).collect();
    assert_eq!(accounts, ["1", "2"]);
}

/// An operator removes a key because of these numbers.
#[tokio::test]
async fn a_token_that_was_exchanged_is_counted_by_its_own_key() {
    let setup = Setup::new(20 * DAY, now()).await;
    setup.damage("access_token = 'v1.k0.exchanged'");
    let used = |key: &str, tokens| KeyUse { key_id: Some(key.to_owned()), tokens };
    assert_eq!(setup.store.connections(Instagram).key_use().await.unwrap(), [used("k0", 1), used("k1", 2)]);
    let found = setup.store.connections(Instagram).sealed_with(Some("k0"), None, 5).await.unwrap();
    assert_eq!(found[0].access_token, "v1.k0.exchanged");
}

#[tokio::test]
async fn deliveries_and_deletions_go_on_past_broken_ones() {
    let now = now();
    let setup = Setup::new(20 * DAY, now).await;
    for number in 3..5 {
        let told = NewEvent { notify: vec!["a".to_owned()], ..event("connected") };
        let new = new_connection(&format!("user-{number}"), &number.to_string());
        setup.store.connections(Instagram).save_connection(new, told, now).await.unwrap();
        let deletion = NewDeletion {
            code: number.to_string(),
            of: DeletionOf::Account(Instagram, number.to_string()),
            connected_by: now,
            connections: None,
        };
        setup.store.begin_deletion(deletion, now + seconds(number)).await.unwrap();
    }
    for (table, change, key) in [
        ("webhook_deliveries", "kind = CAST(x'ff' AS TEXT)", "user_id = 'user-3'"),
        ("deletions", "connected_by = 9223372036854775807", "code = '3'"),
    ] {
        let statement = format!("UPDATE {table} SET {change} WHERE {key}");
        assert_eq!(setup.database.execute(&statement, []).unwrap(), 1, "{table}");
    }
    let deliveries = setup.store.claim_deliveries(now + seconds(60), 5, now).await.unwrap();
    assert_eq!(deliveries.iter().map(|delivery| &*delivery.user_id).collect::<Vec<_>>(), ["user-4"]);
    let later = now + seconds(60);
    let unfinished = setup.store.unfinished_deletions(SignedDuration::ZERO, 1, later).await.unwrap();
    assert_eq!(unfinished.iter().map(|deletion| &*deletion.code).collect::<Vec<_>>(), ["4"]);
}
