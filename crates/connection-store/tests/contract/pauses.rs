//! Pauses that all processes keep together.

use std::sync::Arc;

use connection_store::Store;
use futures_util::future::join_all;

use crate::{contract, now, seconds};

contract! { a_pause_ends, a_pause_only_becomes_longer, the_longest_of_20_pauses_lasts }

async fn a_pause_ends(store: Arc<dyn Store>) {
    let now = now();
    let until = now + seconds(60);
    assert_eq!(store.paused_until("instagram", now).await.unwrap(), None);
    store.pause("instagram", until).await.unwrap();
    assert_eq!(store.paused_until("instagram", until - seconds(1)).await.unwrap(), Some(until));
    assert_eq!(store.paused_until("instagram", until).await.unwrap(), None);
    assert_eq!(store.paused_until("another", now).await.unwrap(), None);
}

async fn a_pause_only_becomes_longer(store: Arc<dyn Store>) {
    let now = now();
    for (asked, lasts) in [(60, 60), (30, 60), (90, 90)] {
        store.pause("instagram", now + seconds(asked)).await.unwrap();
        assert_eq!(store.paused_until("instagram", now).await.unwrap(), Some(now + seconds(lasts)));
    }
}

async fn the_longest_of_20_pauses_lasts(store: Arc<dyn Store>) {
    let now = now();
    let pauses = (1..=20).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.pause("instagram", now + seconds(number)).await.unwrap() })
    });
    for pause in join_all(pauses).await {
        pause.unwrap();
    }
    assert_eq!(store.paused_until("instagram", now).await.unwrap(), Some(now + seconds(20)));
}
