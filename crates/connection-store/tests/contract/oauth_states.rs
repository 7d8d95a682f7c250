//! OAuth `state` values.

use std::sync::Arc;

use connection_store::{ConsumedState, ExpectedAccount, NewOAuthState, Store};
use futures_util::future::join_all;
use jiff::Timestamp;
use shared::Provider::{Instagram, Spotify};

use crate::{contract, hash, now, seconds};

contract! {
    a_state_is_consumed_once,
    a_state_may_lead_nowhere,
    a_state_may_expect_an_account_and_keep_a_verifier,
    a_state_ends,
    a_state_is_bound_to_its_user,
    a_state_is_bound_to_its_provider,
    one_state_consumed_by_50_tasks_succeeds_once,
    ended_states_do_not_get_in_the_way,
}

async fn insert(store: &Arc<dyn Store>, number: u32, now: Timestamp, return_to: Option<&str>) {
    let state = NewOAuthState {
        state_hash: hash(number),
        provider: Instagram,
        user_id: "user-ann".to_owned(),
        return_to: return_to.map(str::to_owned),
        expected_account: None,
        sealed_verifier: None,
        created_at: now,
        expires_at: now + seconds(600),
    };
    store.insert_state(state).await.unwrap();
}

async fn a_state_is_consumed_once(store: Arc<dyn Store>) {
    let now = now();
    insert(&store, 1, now, Some("/integrations?x=$1")).await;
    insert(&store, 2, now, None).await;
    let consumed = store.consume_state(&hash(1), Instagram, "user-ann", now).await.unwrap();
    assert_eq!(
        consumed,
        Some(ConsumedState {
            return_to: Some("/integrations?x=$1".to_owned()),
            expected_account: None,
            sealed_verifier: None
        })
    );
    assert_eq!(store.consume_state(&hash(1), Instagram, "user-ann", now).await.unwrap(), None);
    assert!(store.consume_state(&hash(2), Instagram, "user-ann", now).await.unwrap().is_some());
    assert_eq!(store.consume_state(&hash(3), Instagram, "user-ann", now).await.unwrap(), None);
}

async fn a_state_may_lead_nowhere(store: Arc<dyn Store>) {
    insert(&store, 1, now(), None).await;
    let consumed = store.consume_state(&hash(1), Instagram, "user-ann", now()).await.unwrap();
    assert_eq!(
        consumed,
        Some(ConsumedState { return_to: None, expected_account: None, sealed_verifier: None })
    );
}

async fn a_state_may_expect_an_account_and_keep_a_verifier(store: Arc<dyn Store>) {
    let now = now();
    let expected =
        ExpectedAccount { provider_account_id: "17841400000000001".to_owned(), username: "$ann".to_owned() };
    let state = NewOAuthState {
        state_hash: hash(1),
        provider: Spotify,
        user_id: "user-ann".to_owned(),
        return_to: None,
        expected_account: Some(expected.clone()),
        sealed_verifier: Some("$sealed".to_owned()),
        created_at: now,
        expires_at: now + seconds(600),
    };
    store.insert_state(state).await.unwrap();
    let consumed = store.consume_state(&hash(1), Spotify, "user-ann", now).await.unwrap();
    let sealed_verifier = Some("$sealed".to_owned());
    let expected = ConsumedState { return_to: None, expected_account: Some(expected), sealed_verifier };
    assert_eq!(consumed, Some(expected));
}

async fn a_state_ends(store: Arc<dyn Store>) {
    let now = now();
    insert(&store, 1, now, None).await;
    assert_eq!(store.consume_state(&hash(1), Instagram, "user-ann", now + seconds(600)).await.unwrap(), None);
    assert!(
        store.consume_state(&hash(1), Instagram, "user-ann", now + seconds(599)).await.unwrap().is_some()
    );
}

async fn a_state_is_bound_to_its_user(store: Arc<dyn Store>) {
    let now = now();
    insert(&store, 1, now, None).await;
    assert_eq!(store.consume_state(&hash(1), Instagram, "user-bob", now).await.unwrap(), None);
    // The try by another did not use it up.
    assert!(store.consume_state(&hash(1), Instagram, "user-ann", now).await.unwrap().is_some());
}

async fn a_state_is_bound_to_its_provider(store: Arc<dyn Store>) {
    let now = now();
    insert(&store, 1, now, None).await;
    assert_eq!(store.consume_state(&hash(1), Spotify, "user-ann", now).await.unwrap(), None);
    // The attempt at another provider did not use it up.
    assert!(store.consume_state(&hash(1), Instagram, "user-ann", now).await.unwrap().is_some());
}

async fn one_state_consumed_by_50_tasks_succeeds_once(store: Arc<dyn Store>) {
    let now = now();
    for round in 0..5 {
        insert(&store, round, now, Some("/back")).await;
        let tasks = (0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.consume_state(&hash(round), Instagram, "user-ann", now).await.unwrap()
            })
        });
        let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().flatten().count(), 1, "round {round}");
    }
}

async fn ended_states_do_not_get_in_the_way(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..30 {
        insert(&store, number, now, None).await;
    }
    let later = now + seconds(700);
    for number in 30..35 {
        insert(&store, number, later, None).await;
    }
    for number in 0..35 {
        let consumed = store.consume_state(&hash(number), Instagram, "user-ann", later).await.unwrap();
        assert_eq!(consumed.is_some(), number >= 30, "{number}");
    }
}
