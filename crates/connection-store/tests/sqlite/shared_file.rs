//! One file, several users of it; and the file being away.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connection_store::sqlite::SqliteStore;
use connection_store::{OAuthStates, SaveOutcome, Store, StoreError, UsedHandles};
use futures_util::future::join_all;
use rusqlite::Connection;

use shared::Provider::Instagram;

use crate::{event, new_connection, new_state, now, open, seconds};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let opening = (0..8).map(|_| {
            let path = path.clone();
            tokio::spawn(async move { SqliteStore::open(&path).await.unwrap() })
        });
        for store in join_all(opening).await {
            store.unwrap().ping().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_stores_on_one_file_keep_the_rules_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let stores = [Arc::new(open(&path).await), Arc::new(open(&path).await)];
    for round in 0..10_u8 {
        stores[0].insert_state(new_state([round; 32], now())).await.unwrap();
        let consuming = (0..20).map(|number| {
            let store = Arc::clone(&stores[number % 2]);
            tokio::spawn(
                async move { store.consume_state(&[round; 32], Instagram, "ann", now()).await.unwrap() },
            )
        });
        let outcomes: Vec<_> = join_all(consuming).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().flatten().count(), 1);

        let account = round.to_string();
        let (anns, bobs) = tokio::join!(
            stores[0].connections(Instagram).save_connection(
                new_connection("ann", &account),
                event("connected"),
                now()
            ),
            stores[1].connections(Instagram).save_connection(
                new_connection("bob", &account),
                event("connected"),
                now()
            ),
        );
        let in_use = [anns.unwrap(), bobs.unwrap()];
        assert_eq!(in_use.iter().filter(|outcome| **outcome == SaveOutcome::AccountInUse).count(), 1);
    }
    // A write through one store is read through the other at once.
    stores[0]
        .connections(Instagram)
        .save_connection(new_connection("cleo", "c"), event("connected"), now())
        .await
        .unwrap();
    assert!(stores[1].connections(Instagram).current_connection("cleo").await.unwrap().is_some());
}

#[tokio::test]
async fn a_locked_file_is_unavailable_for_writes_until_it_is_unlocked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();

    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = Instant::now();
    // Together, since the second must not wait for the first to give up.
    let (first, second) = tokio::join!(
        store.use_handle("a", now()),
        store.connections(Instagram).save_connection(new_connection("ann", "1"), event("connected"), now())
    );
    assert!(matches!(first, Err(StoreError::Unavailable(_))), "{first:?}");
    assert!(matches!(second, Err(StoreError::Unavailable(_))), "{second:?}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    // Reads do not mind.
    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_some());

    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.use_handle("a", now()).await.unwrap());
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lock_that_is_let_go_in_time_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Arc::new(open(&path).await);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let write = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.use_handle("a", now()).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!write.is_finished());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(write.await.unwrap());
}

#[tokio::test]
async fn a_write_whose_caller_has_gone_is_not_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = open(&path).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // The first is begun, and waits for the lock. The second waits for its turn.
    let both = async { tokio::join!(store.use_handle("begun", now()), store.use_handle("waiting", now())) };
    assert!(tokio::time::timeout(Duration::from_millis(300), both).await.is_err());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.use_handle("after", now() + seconds(60)).await.unwrap());
    assert!(store.use_handle("waiting", now() + seconds(60)).await.unwrap(), "it was not used before");
}

/// As many callers as a busy server has, and no write is lost or refused; of more than may wait, the rest hear it at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_queue_of_writes_is_long_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Arc::new(open(&path).await);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let asked = Instant::now();
    let writes = (0..2100).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let outcome = store.use_handle(&number.to_string(), now() + seconds(600)).await;
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
            asked.elapsed()
        })
    });
    let took: Vec<_> = join_all(writes).await.into_iter().map(Result::unwrap).collect();
    let at_once = took.iter().filter(|took| **took < Duration::from_secs(2)).count();
    assert!((50..=52).contains(&at_once), "{at_once}");
    assert!(took.iter().all(|took| *took < Duration::from_secs(6)), "{:?}", took.iter().max());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.use_handle("after", now() + seconds(600)).await.unwrap());
    let written: i64 = other.query_row("SELECT count(*) FROM used_handles", [], |row| row.get(0)).unwrap();
    assert_eq!(written, 1, "what was refused is not written later");
}

#[tokio::test]
async fn a_folder_that_is_gone_is_unavailable_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (here, away) = (folder.path().join("data"), folder.path().join("away"));
    let store = open(&here.join("test.db")).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();

    fs::rename(&here, &away).unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(
        store.connections(Instagram).current_connection("ann").await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(store.use_handle("a", now()).await, Err(StoreError::Unavailable(_))));
    assert!(!here.exists(), "no empty database is made in its place");

    fs::rename(&away, &here).unwrap();
    store.ping().await.unwrap();
    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_some());
    assert!(store.use_handle("a", now()).await.unwrap());
}

/// As when a backup is put back while the service runs. Without a look at the path, the store would go on with the old
/// file, which nobody finds any more.
#[tokio::test]
async fn another_file_in_the_same_place_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let (path, backup) = (folder.path().join("test.db"), folder.path().join("backup.db"));
    let other = open(&backup).await;
    other
        .connections(Instagram)
        .save_connection(new_connection("bob", "2"), event("connected"), now())
        .await
        .unwrap();
    other.close().await;

    let store = open(&path).await;
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    for file in ["test.db", "test.db-wal", "test.db-shm"] {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    fs::rename(&backup, &path).unwrap();

    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_none());
    assert!(store.connections(Instagram).current_connection("bob").await.unwrap().is_some());
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    store.close().await;
    let store = open(&path).await;
    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_some());
    assert!(store.connections(Instagram).current_connection("bob").await.unwrap().is_some());
}
