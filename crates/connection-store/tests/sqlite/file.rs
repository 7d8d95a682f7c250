//! The file: how it is made, what is refused, what stays in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use connection_store::sqlite::SqliteStore;
use connection_store::{
    Connections, HISTORY_DETAIL, HostLink, HostLinks, Idempotency, Limits, NewEvent, NewRequest, NewSession,
    OAuthStates, Sessions, Store, StoreError, UsedHandles,
};
use rusqlite::Connection;

use crate::{disconnect, event, new_connection, new_state, now, open, seconds};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn file_and_folders_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/test.db");
    let store = open(&path).await;
    store.save_connection(new_connection("ann", "1"), event("connected"), now()).await.unwrap();
    assert_eq!(mode(&folder.path().join("a")), 0o700);
    assert_eq!(mode(&folder.path().join("a/b")), 0o700);
    for file in ["test.db", "test.db-wal", "test.db-shm"] {
        assert_eq!(mode(&folder.path().join("a/b").join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_folder_that_exists_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    open(&folder.path().join("test.db")).await;
    assert_eq!(mode(folder.path()), 0o755);
}

#[tokio::test]
async fn a_closed_store_leaves_one_file_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    store.save_connection(new_connection("ann", "1"), event("connected"), now()).await.unwrap();
    store.close().await;
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["test.db"]);

    let store = open(&path).await;
    assert!(store.latest_connection("ann").await.unwrap().is_some());
}

#[tokio::test]
async fn the_file_is_durable_and_has_a_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let _store = open(&path).await;
    let connection = Connection::open(&path).unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    assert_eq!(pragma("journal_mode").unwrap(), "wal");
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 7);
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    open(&path).await.close().await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let Err(StoreError::Failed(cause)) = SqliteStore::open(&path).await else { panic!("it was opened") };
    assert!(cause.to_string().contains("version 99"), "{cause}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    let letter = "Dear reader, this is a letter. ".repeat(100);
    fs::write(&path, &letter).unwrap();
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Failed(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), letter);
}

#[tokio::test]
async fn a_path_that_cannot_be_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let below_a_file = SqliteStore::open(&folder.path().join("file/test.db")).await;
    assert!(matches!(below_a_file, Err(StoreError::Unavailable(_))));
    let a_folder = SqliteStore::open(folder.path()).await;
    assert!(matches!(a_folder, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_disconnected_token_is_nowhere_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    store.save_connection(new_connection("ann", "1"), event("connected"), now()).await.unwrap();
    assert!(disconnect(&store, "ann", now()).await);
    store.close().await;
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(10).any(|window| window == b"sealed-for"));
    assert!(bytes.windows(16).any(|window| window == b"wreckshoprecords"), "the document is kept");
}

#[tokio::test]
async fn what_has_ended_is_removed_along_with_new_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    let start = now();
    let session = |number: u8, now| NewSession {
        token_hash: [number; 32],
        id: format!("ses-{number}"),
        user_id: "ann".to_owned(),
        name: None,
        user_agent: None,
        created_at: now,
        expires_at: now + seconds(600),
        password_hash: None,
        host_link: None,
    };
    let link = |number: u8, now| HostLink {
        token_hash: [number; 32],
        user_id: "ann".to_owned(),
        name: None,
        return_to: None,
        created_at: now,
        expires_at: now + seconds(600),
    };
    let request = |number, now| NewRequest {
        name: [number; 32],
        request_hash: [0; 32],
        owner: "ann".to_owned(),
        lease_until: now,
        expires_at: now + seconds(600),
    };
    let end = start + seconds(600);
    for number in 0..10 {
        store.create_session(session(number, start)).await.unwrap();
        store.insert_state(new_state([number; 32], start)).await.unwrap();
        store.use_handle(&number.to_string(), end).await.unwrap();
        store.insert_host_link(link(number, start)).await.unwrap();
        store.count_try(&number.to_string(), seconds(600), start).await.unwrap();
        store.begin_request(request(number, start), start).await.unwrap();
    }
    store.create_session(session(10, end)).await.unwrap();
    store.insert_state(new_state([10; 32], end)).await.unwrap();
    store.insert_host_link(link(10, end)).await.unwrap();
    store.count_try("10", seconds(600), end).await.unwrap();
    store.begin_request(request(10, end), end).await.unwrap();

    let connection = Connection::open(&path).unwrap();
    for (table, expected) in [
        ("sessions", 1),
        ("oauth_states", 1),
        ("used_handles", 0),
        ("host_links", 1),
        ("tries", 1),
        ("repeatable_requests", 1),
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), expected, "{table}");
    }
}

#[tokio::test]
async fn what_has_ended_of_a_connections_life_is_removed_along_with_new_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    let start: jiff::Timestamp = "2026-01-05T12:00:00Z".parse().unwrap();
    let telling = || NewEvent {
        expires_at: Some(start + seconds(60)),
        notify: vec!["a".to_owned()],
        ..event("connected")
    };
    for after in 0..5 {
        store.save_connection(new_connection("ann", "1"), telling(), start + seconds(after)).await.unwrap();
    }
    let late = start + HISTORY_DETAIL + seconds(60);
    store.save_connection(new_connection("ann", "1"), telling(), late).await.unwrap();

    let connection = Connection::open(&path).unwrap();
    // The first point of each day stays.
    for (table, expected) in [("connection_events", 1), ("webhook_deliveries", 1), ("connection_history", 2)]
    {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), expected, "{table}");
    }
}
