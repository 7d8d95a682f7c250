//! Browser sessions.

use std::sync::Arc;

use connection_store::{NewSession, Session, Store, StoreError};
use jiff::Timestamp;

use crate::{contract, hash, now, seconds};

contract! {
    a_session_lives_until_it_ends,
    a_session_is_renewed,
    a_renewed_session_that_is_gone_stays_gone,
    a_deleted_session_is_gone_and_others_are_not,
    a_session_may_say_nothing_but_who,
    a_name_that_exists_is_a_failure,
    a_users_sessions_are_listed_those_used_last_first,
    at_most_100_sessions_are_listed,
    a_session_is_ended_by_its_name_by_its_user_alone,
    all_sessions_of_a_user_end_but_one,
    ended_sessions_do_not_get_in_the_way,
}

/// A session with every field set.
fn new_session(number: u32, user_id: &str, now: Timestamp, lifetime: i64) -> NewSession {
    NewSession {
        token_hash: hash(number),
        id: format!("ses-{number}"),
        user_id: user_id.to_owned(),
        name: Some("$Ann 'O'".to_owned()),
        user_agent: Some("Mozilla/5.0 ($x)".to_owned()),
        created_at: now,
        expires_at: now + seconds(lifetime),
        password_hash: None,
        host_link: None,
    }
}

async fn open(store: &Arc<dyn Store>, number: u32, now: Timestamp, lifetime: i64) {
    store.create_session(new_session(number, &format!("user-{number}"), now, lifetime)).await.unwrap();
}

/// Returns the session that is stored when `new` is opened.
fn expected(new: NewSession) -> Session {
    Session {
        id: new.id,
        user_id: new.user_id,
        name: new.name,
        user_agent: new.user_agent,
        created_at: new.created_at,
        last_used_at: new.created_at,
        expires_at: new.expires_at,
    }
}

/// The ids of a user's sessions.
async fn ids(store: &Arc<dyn Store>, user_id: &str, now: Timestamp) -> Vec<String> {
    store.sessions(user_id, now).await.unwrap().into_iter().map(|session| session.id).collect()
}

async fn a_session_lives_until_it_ends(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    let expected = expected(new_session(1, "user-1", now, 60));
    assert_eq!(store.find_session(&hash(1), now).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.find_session(&hash(1), now + seconds(59)).await.unwrap(), Some(expected));
    assert_eq!(store.find_session(&hash(1), now + seconds(60)).await.unwrap(), None);
    assert_eq!(store.find_session(&hash(2), now).await.unwrap(), None);
}

async fn a_session_is_renewed(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    open(&store, 2, now, 600).await;
    let used = now + seconds(30);
    store.renew_session(&hash(1), now + seconds(600), used).await.unwrap();
    let found = store.find_session(&hash(1), now + seconds(599)).await.unwrap();
    let renewed = new_session(1, "user-1", now, 600);
    assert_eq!(found, Some(Session { last_used_at: used, ..expected(renewed) }));
    let other = store.find_session(&hash(2), now).await.unwrap();
    assert_eq!(other, Some(expected(new_session(2, "user-2", now, 600))));
}

async fn a_session_may_say_nothing_but_who(store: Arc<dyn Store>) {
    let now = now();
    let bare = NewSession { name: None, user_agent: None, ..new_session(1, "ann", now, 60) };
    store.create_session(bare.clone()).await.unwrap();
    assert_eq!(store.find_session(&hash(1), now).await.unwrap(), Some(expected(bare)));
}

async fn a_name_that_exists_is_a_failure(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    let same_name = NewSession { token_hash: hash(2), ..new_session(1, "bob", now, 60) };
    assert!(matches!(store.create_session(same_name).await, Err(StoreError::Failed(_))));
    let same_hash = NewSession { token_hash: hash(1), ..new_session(2, "bob", now, 60) };
    assert!(matches!(store.create_session(same_hash).await, Err(StoreError::Failed(_))));
    assert_eq!(store.find_session(&hash(2), now).await.unwrap(), None);
    assert_eq!(store.find_session(&hash(1), now).await.unwrap().unwrap().user_id, "user-1");
}

async fn a_users_sessions_are_listed_those_used_last_first(store: Arc<dyn Store>) {
    let now = now();
    for (number, user, lifetime) in
        [(1, "ann", 600), (2, "ann", 600), (3, "bob", 600), (4, "ann", 30), (5, "ann", 600)]
    {
        let at = now + seconds(i64::from(number));
        store.create_session(new_session(number, user, at, lifetime)).await.unwrap();
    }
    assert_eq!(ids(&store, "ann", now + seconds(10)).await, ["ses-5", "ses-4", "ses-2", "ses-1"]);
    store.renew_session(&hash(2), now + seconds(900), now + seconds(20)).await.unwrap();
    assert_eq!(ids(&store, "ann", now + seconds(20)).await, ["ses-2", "ses-5", "ses-4", "ses-1"]);
    assert_eq!(ids(&store, "ann", now + seconds(34)).await, ["ses-2", "ses-5", "ses-1"]);
    assert_eq!(ids(&store, "cleo", now).await, [""; 0]);
    let of_bob = store.sessions("bob", now).await.unwrap();
    assert_eq!(of_bob, [expected(new_session(3, "bob", now + seconds(3), 600))]);
}

async fn at_most_100_sessions_are_listed(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..103 {
        let at = now + seconds(i64::from(number));
        store.create_session(new_session(number, "ann", at, 6000)).await.unwrap();
    }
    let expected: Vec<String> = (3..103).rev().map(|number| format!("ses-{number}")).collect();
    assert_eq!(ids(&store, "ann", now).await, expected);
}

async fn a_session_is_ended_by_its_name_by_its_user_alone(store: Arc<dyn Store>) {
    let now = now();
    open(&store, 1, now, 60).await;
    open(&store, 2, now, 60).await;
    for (id, user) in [("ses-1", "user-2"), ("ses-3", "user-1"), ("", "user-1")] {
        assert!(!store.delete_session_by_id(id, user).await.unwrap(), "{id} by {user}");
    }
    assert!(store.find_session(&hash(1), now).await.unwrap().is_some());
    assert!(store.delete_session_by_id("ses-1", "user-1").await.unwrap());
    assert!(!store.delete_session_by_id("ses-1", "user-1").await.unwrap());
    assert_eq!(store.find_session(&hash(1), now).await.unwrap(), None);
    assert!(store.find_session(&hash(2), now).await.unwrap().is_some());
}

async fn all_sessions_of_a_user_end_but_one(store: Arc<dyn Store>) {
    let now = now();
    for (number, user) in [(1, "ann"), (2, "ann"), (3, "ann"), (4, "bob")] {
        store.create_session(new_session(number, user, now, 60)).await.unwrap();
    }
    store.delete_sessions("ann", Some(&hash(2))).await.unwrap();
    assert_eq!(ids(&store, "ann", now).await, ["ses-2"]);
    // Another user's session is no exception to anything.
    store.delete_sessions("ann", Some(&hash(4))).await.unwrap();
    assert_eq!(ids(&store, "ann", now).await, [""; 0]);
    store.delete_sessions("bob", None).await.unwrap();
    store.delete_sessions("bob", None).await.unwrap();
    assert_eq!(ids(&store, "bob", now).await, [""; 0]);
}

async fn a_renewed_session_that_is_gone_stays_gone(store: Arc<dyn Store>) {
    let now = now();
    store.renew_session(&hash(1), now + seconds(60), now).await.unwrap();
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
