//! The file: how it is made, what is refused, what stays in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use connection_store::sqlite::SqliteStore;
use connection_store::{
    DELETION_LIFE, DeletionOf, Deletions, HISTORY_DETAIL, HISTORY_LIFE, HostLink, HostLinks, Idempotency,
    Limits, NewDeletion, NewEvent, NewRequest, NewSession, NewUser, OAuthStates, SealedToken, Sessions,
    Store, StoreError, UsedHandles, User, Users,
};
use rusqlite::Connection;
use secrecy::SecretString;

use shared::Provider::Instagram;

use crate::{disconnect, event, new_connection, new_state, now, open, seconds};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn file_and_folders_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/test.db");
    let store = open(&path).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
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
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    store.close().await;
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["test.db"]);

    let store = open(&path).await;
    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_some());
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
    assert_eq!(version, 11);
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

/// The database's files that hold a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let holds =
        |path: &PathBuf| fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes());
    files.filter(holds).map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

/// Waits until no file of the database holds a text.
async fn gone(folder: &Path, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !files_with(folder, text).is_empty() {
        assert!(Instant::now() < deadline, "still in {:?}", files_with(folder, text));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_disconnected_token_is_nowhere_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    assert!(disconnect(&store, "ann", now()).await);
    store.close().await;
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(10).any(|window| window == b"sealed-for"));
    assert!(bytes.windows(16).any(|window| window == b"wreckshoprecords"), "the document is kept");
}

/// The write-ahead log is looked at, too, and nothing is closed before.
#[tokio::test]
async fn what_is_erased_is_in_no_file_of_an_open_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("test.db")).await;
    for user in ["ann", "bob", "cleo"] {
        store
            .connections(Instagram)
            .save_connection(new_connection(user, user), event("connected"), now())
            .await
            .unwrap();
    }
    let user = User { id: "usr_1".to_owned(), email: "a@b.c".to_owned(), name: None, created_at: now() };
    let hash = |text: &str| SecretString::from(text.to_owned());
    let new = NewUser { user, email_key: "a@b.c".to_owned(), password_hash: hash("the-first-hash") };
    store.create_user(new).await.unwrap();
    for text in ["sealed-for-ann", "sealed-for-bob", "sealed-for-cleo", "the-first-hash"] {
        assert!(!files_with(folder.path(), text).is_empty(), "{text} would be found");
    }

    assert!(disconnect(&store, "ann", now()).await);
    assert_eq!(files_with(folder.path(), "sealed-for-ann"), [""; 0]);
    let bobs = store.connections(Instagram).current_connection("bob").await.unwrap().unwrap();
    assert!(
        store
            .connections(Instagram)
            .erase_connection(&bobs.id, now(), event("deleted"), now())
            .await
            .unwrap()
    );
    assert_eq!(files_with(folder.path(), "sealed-for-bob"), [""; 0]);
    let (old, next) = (hash("the-first-hash"), hash("the-second-hash"));
    assert!(store.change_password("usr_1", &old, &next, None, false).await.unwrap());
    assert_eq!(files_with(folder.path(), "the-first-hash"), [""; 0]);
    assert!(store.delete_user("usr_1").await.unwrap());
    assert_eq!(files_with(folder.path(), "the-second-hash"), [""; 0]);

    // A replaced token is gone a moment later.
    let cleos = store.connections(Instagram).current_connection("cleo").await.unwrap().unwrap();
    let sealed = SealedToken {
        connection_id: cleos.id,
        provider_account_id: cleos.provider_account_id,
        access_token: cleos.access_token,
        refresh_token: None,
    };
    let anew = SealedToken { access_token: "v1.k2.anew".to_owned(), ..sealed.clone() };
    assert!(store.connections(Instagram).reseal(&sealed, &anew).await.unwrap());
    gone(folder.path(), "sealed-for-cleo").await;
    assert_eq!(
        store.connections(Instagram).current_connection("cleo").await.unwrap().unwrap().access_token,
        "v1.k2.anew"
    );
}

#[tokio::test]
async fn a_reader_of_the_old_content_delays_an_erasure_and_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM instagram_connections").unwrap();
    assert!(disconnect(&store, "ann", now()).await);
    assert!(!files_with(folder.path(), "sealed-for-ann").is_empty(), "the reader could still read it");
    assert!(store.use_handle("meanwhile", now()).await.unwrap());
    reader.execute_batch("COMMIT").unwrap();
    gone(folder.path(), "sealed-for-ann").await;
}

/// A process that was killed left its log behind.
#[tokio::test]
async fn what_a_dead_process_left_in_the_log_is_gone_soon_after_the_start() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&folder.path().join("test.db")).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    let taken = store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
    let sealed = SealedToken {
        connection_id: taken.id,
        provider_account_id: taken.provider_account_id,
        access_token: taken.access_token,
        refresh_token: None,
    };
    let anew = SealedToken { access_token: "v1.k2.anew".to_owned(), ..sealed.clone() };
    assert!(store.connections(Instagram).reseal(&sealed, &anew).await.unwrap());
    for file in ["test.db", "test.db-wal"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    assert!(!files_with(copy.path(), "sealed-for-ann").is_empty());
    let _restarted = open(&copy.path().join("test.db")).await;
    gone(copy.path(), "sealed-for-ann").await;
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
        claim: format!("claim-{number}"),
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
        store
            .connections(Instagram)
            .save_connection(new_connection("ann", "1"), telling(), start + seconds(after))
            .await
            .unwrap();
    }
    let late = start + HISTORY_DETAIL + seconds(60);
    store.connections(Instagram).save_connection(new_connection("ann", "1"), telling(), late).await.unwrap();
    let deletion = |code: &str| NewDeletion {
        code: code.to_owned(),
        of: DeletionOf::User("usr_1".to_owned()),
        connected_by: start,
        connections: None,
    };
    for code in ["completed", "unfinished"] {
        store.begin_deletion(deletion(code), start).await.unwrap();
    }
    store.complete_deletion("completed", start).await.unwrap();
    let codes = || {
        let database = Connection::open(&path).unwrap();
        let mut statement = database.prepare("SELECT code FROM deletions ORDER BY code").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<String>, _>>().unwrap()
    };
    store.begin_deletion(deletion("soon"), start + DELETION_LIFE - seconds(1)).await.unwrap();
    assert_eq!(codes(), ["completed", "soon", "unfinished"]);
    store.begin_deletion(deletion("later"), start + DELETION_LIFE).await.unwrap();
    assert_eq!(codes(), ["later", "soon", "unfinished"]);

    let connection = Connection::open(&path).unwrap();
    let days = || {
        let sql = "SELECT count(*) FROM connection_history WHERE at < ?1";
        connection.query_row(sql, [late.as_millisecond()], |row| row.get::<_, i64>(0)).unwrap()
    };
    // The first point of each day stays.
    for (table, expected) in [("connection_events", 1), ("webhook_deliveries", 1), ("connection_history", 2)]
    {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap(), expected, "{table}");
    }
    // That of the first day for five years.
    assert_eq!(days(), 1);
    let years_later = start + HISTORY_LIFE;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), telling(), years_later)
        .await
        .unwrap();
    assert_eq!(days(), 0);
}
