//! Sealed handles that were used.

use std::sync::Arc;

use connection_store::{NewOAuthState, Store};
use futures_util::future::join_all;
use shared::Provider::Instagram;

use crate::{contract, hash, now, seconds};

contract! {
    a_handle_is_used_once,
    one_handle_used_by_50_tasks_is_used_once,
    a_released_handle_is_used_once_more,
    a_handle_is_remembered_while_it_could_be_used,
    many_callers_at_once_are_all_answered,
}

async fn a_handle_is_used_once(store: Arc<dyn Store>) {
    let end = now() + seconds(600);
    assert!(!store.is_handle_used("handle-1").await.unwrap());
    assert!(store.use_handle("handle-1", end).await.unwrap());
    assert!(store.is_handle_used("handle-1").await.unwrap());
    assert!(!store.use_handle("handle-1", end).await.unwrap());
    assert!(!store.use_handle("handle-1", end + seconds(60)).await.unwrap());
    assert!(store.use_handle("handle-2", end).await.unwrap());
}

async fn one_handle_used_by_50_tasks_is_used_once(store: Arc<dyn Store>) {
    let end = now() + seconds(600);
    for round in 0..5 {
        let tasks = (0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.use_handle(&format!("handle-{round}"), end).await.unwrap() })
        });
        let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|first| **first).count(), 1, "round {round}");
    }
}

async fn a_released_handle_is_used_once_more(store: Arc<dyn Store>) {
    let end = now() + seconds(600);
    assert!(store.use_handle("handle-1", end).await.unwrap());
    store.release_handle("handle-1").await.unwrap();
    store.release_handle("never used").await.unwrap();
    assert!(!store.is_handle_used("handle-1").await.unwrap());
    assert!(store.use_handle("handle-1", end).await.unwrap());
    assert!(!store.use_handle("handle-1", end).await.unwrap());
}

async fn a_handle_is_remembered_while_it_could_be_used(store: Arc<dyn Store>) {
    let now = now();
    assert!(store.use_handle("handle-1", now + seconds(600)).await.unwrap());
    // Stores clean up when states are made.
    for number in 0..3 {
        let state = NewOAuthState {
            state_hash: hash(number),
            provider: Instagram,
            user_id: "user-ann".to_owned(),
            return_to: None,
            expected_account: None,
            sealed_verifier: None,
            created_at: now + seconds(599),
            expires_at: now + seconds(1200),
        };
        store.insert_state(state).await.unwrap();
    }
    assert!(!store.use_handle("handle-1", now + seconds(600)).await.unwrap());
}

/// Several times as many as there are connections. Waiting a moment for a turn is no reason to be refused.
async fn many_callers_at_once_are_all_answered(store: Arc<dyn Store>) {
    let end = now() + seconds(600);
    let calls = (0..200).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.use_handle(&format!("caller-{number}"), end).await.unwrap() })
    });
    assert!(join_all(calls).await.into_iter().all(|used| used.unwrap()));
}
