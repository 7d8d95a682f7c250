//! Browser sessions.

use std::sync::Arc;

use connection_store::{NewSession, Session, Store};
use jiff::Timestamp;

use crate::{contract, hash, now, seconds};

contract! {
    a_session_lives_until_it_ends,
    a_session_is_renewed,
    a_renewed_session_that_is_gone_stays_gone,
    a_deleted_session_is_gone_and_others_are_not,
    ended_sessions_do_not_get_in_the_way,
}

async fn open(store: &Arc<dyn Store>, number: u32, now: Timestamp, lifetime: i64) {
    let session = NewSession {
        token_hash: hash(number),
        user_id: format!("user-{number}"),
        created_at: now,
        expires_at: now + seconds(lifetime),
    };
    store.create_session(session).await.unwrap();
}

async fn a_session_lives_until_it_ends(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    let expected = Session { user_id: "user-1".to_owned(), expires_at: now + seconds(60) };
    assert_eq!(store.find_session(&hash(1), now).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.find_session(&hash(1), now + seconds(59)).await.unwrap(), Some(expected));
    assert_eq!(store.find_session(&hash(1), now + seconds(60)).await.unwrap(), None);
    assert_eq!(store.find_session(&hash(2), now).await.unwrap(), None);
}

async fn a_session_is_renewed(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    store.renew_session(&hash(1), now + seconds(600)).await.unwrap();
    let found = store.find_session(&hash(1), now + seconds(599)).await.unwrap().unwrap();
    assert_eq!(found.expires_at, now + seconds(600));
}

async fn a_renewed_session_that_is_gone_stays_gone(store: Arc<dyn Store>) {
    let now = now();
    store.renew_session(&hash(1), now + seconds(60)).await.unwrap();
    assert_eq!(store.find_session(&hash(1), now).await.unwrap(), None);
}

async fn a_deleted_session_is_gone_and_others_are_not(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    open(&store, 2, now, 60).await;
    store.delete_session(&hash(1)).await.unwrap();
    store.delete_session(&hash(1)).await.unwrap();
    assert_eq!(store.find_session(&hash(1), now).await.unwrap(), None);
    assert!(store.find_session(&hash(2), now).await.unwrap().is_some());
}

async fn ended_sessions_do_not_get_in_the_way(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..50 {
        open(&store, number, now, 60).await;
    }
    let later = now + seconds(120);
    for number in 50..60 {
        open(&store, number, later, 60).await;
    }
    for number in 0..60 {
        let found = store.find_session(&hash(number), later).await.unwrap();
        assert_eq!(found.is_some(), number >= 50, "{number}");
    }
}
