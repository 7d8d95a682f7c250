//! The server being away, and coming back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use connection_store::mongodb::MongoStore;
use connection_store::test_support::{MongoServer, seconds};
use connection_store::{Store, StoreError, UsedHandles};
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};

use shared::Provider::Instagram;

use crate::{event, new_connection, now};

/// Longer than a call may take, shorter than a person waits.
const A_FEW_SECONDS: Duration = Duration::from_secs(7);

async fn assert_unavailable(store: &MongoStore) {
    let asked = Instant::now();
    let (ping, read, write) = tokio::join!(
        store.ping(),
        store.connections(Instagram).current_connection("ann"),
        store.use_handle("while-away", now()),
    );
    assert!(matches!(ping, Err(StoreError::Unavailable(_))), "{ping:?}");
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(matches!(write, Err(StoreError::Unavailable(_))), "{write:?}");
    assert!(asked.elapsed() < A_FEW_SECONDS, "{:?}", asked.elapsed());
}

/// Waits until the store answers again, as it must by itself.
async fn assert_resumes(store: &MongoStore) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = store.ping().await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(Instant::now() < deadline, "it never came back: {error:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(store.use_handle("when-back", now()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_unavailable_until_it_is_back() {
    let mut server = MongoServer::start_own();
    let store = MongoStore::connect(&server.fresh_database_url()).await.unwrap();
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "17841400000000001"), event("connected"), now())
        .await
        .unwrap();

    server.stop();
    assert_unavailable(&store).await;
    assert_unavailable(&store).await;
    server.restart();
    assert_resumes(&store).await;
    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_unavailable_until_it_does() {
    let mut server = MongoServer::start_own();
    let store = MongoStore::connect(&server.fresh_database_url()).await.unwrap();
    store
        .connections(Instagram)
        .save_connection(new_connection("ann", "17841400000000001"), event("connected"), now())
        .await
        .unwrap();

    server.pause();
    assert_unavailable(&store).await;
    server.resume();
    assert_resumes(&store).await;
    assert!(store.connections(Instagram).current_connection("ann").await.unwrap().is_some());
}

/// A write that is given up before it has begun must not be carried out when nobody expects it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_while_the_server_hung_is_not_carried_out_later() {
    let mut server = MongoServer::start_own();
    let url = server.fresh_database_url();
    let store = Arc::new(MongoStore::connect(&url).await.unwrap());
    let database = mongodb::Client::with_uri_str(&url).await.unwrap().default_database().unwrap();
    server.pause();
    let asked = Instant::now();
    let calls = (0..3000).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let outcome = store.use_handle(&number.to_string(), now() + seconds(3600)).await;
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
            asked.elapsed()
        })
    });
    let took: Vec<Duration> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert!(took.iter().all(|took| *took < A_FEW_SECONDS), "{:?}", took.iter().max());
    let at_once = took.iter().filter(|took| **took < Duration::from_secs(1)).count();
    assert!((900..=1000).contains(&at_once), "{at_once} were refused at once: 2048 wait, and 50 have begun");
    server.resume();
    assert_resumes(&store).await;
    // A write that had begun may come to its end now, if it comes at all.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let handles = database.collection::<Document>("used_handles");
    let written = handles.count_documents(doc! { "_id": { "$ne": "when-back" } }).await.unwrap();
    assert!(written <= 50, "{written} were written after everybody had been told that they were not");
}

#[tokio::test]
async fn a_start_without_a_server_is_unavailable_soon_and_tells_no_password() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let asked = Instant::now();
    let url = format!("mongodb://ann:s3cret@127.0.0.1:{port}/app?directConnection=true");
    let error = MongoStore::connect(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(asked.elapsed() < A_FEW_SECONDS);
    assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_url_without_a_database_is_refused() {
    for url in ["mongodb://127.0.0.1", "mongodb://ann:s3cret@127.0.0.1/?directConnection=true"] {
        let Err(StoreError::Failed(cause)) = MongoStore::connect(url).await else {
            panic!("{url} was accepted")
        };
        assert!(cause.to_string().contains("names no database"), "{cause}");
        assert!(!cause.to_string().contains("s3cret"));
    }
}
