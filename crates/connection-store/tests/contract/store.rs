//! The store as a whole.

use std::sync::Arc;

use connection_store::{Store, StoreError};

use crate::{contract, hash, now};

contract! { an_open_store_answers, a_closed_store_is_unavailable, closing_twice_is_fine }

async fn an_open_store_answers(store: Arc<dyn Store>) {
    store.ping().await.unwrap();
}

async fn a_closed_store_is_unavailable(store: Arc<dyn Store>) {
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.find_session(&hash(1), now()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.use_handle("h", now()).await, Err(StoreError::Unavailable(_))));
}

async fn closing_twice_is_fine(store: Arc<dyn Store>) {
    store.close().await;
    store.close().await;
}
