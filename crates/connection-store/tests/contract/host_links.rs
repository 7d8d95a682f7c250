//! One-time links.

use std::sync::Arc;

use connection_store::{HostLink, Store};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{contract, hash, now, seconds};

contract! {
    a_link_is_consumed_once_as_it_was_given,
    a_link_may_say_nothing_but_who,
    a_link_ends,
    one_link_consumed_by_50_tasks_succeeds_once,
    ended_links_do_not_get_in_the_way,
}

fn link(number: u32, now: Timestamp) -> HostLink {
    HostLink {
        token_hash: hash(number),
        user_id: "host:user-123".to_owned(),
        name: Some("$Ann 'O'".to_owned()),
        return_to: Some("/integrations?x=$1".to_owned()),
        created_at: now,
        expires_at: now + seconds(600),
    }
}

async fn a_link_is_consumed_once_as_it_was_given(store: Arc<dyn Store>) {
    let now = now();
    store.insert_host_link(link(1, now)).await.unwrap();
    store.insert_host_link(link(2, now)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            store.find_host_link(&hash(1), now).await.unwrap(),
            Some(link(1, now)),
            "a look is no use"
        );
    }
    assert_eq!(store.consume_host_link(&hash(1), now).await.unwrap(), Some(link(1, now)));
    assert_eq!(store.find_host_link(&hash(1), now).await.unwrap(), None);
    assert_eq!(store.consume_host_link(&hash(1), now).await.unwrap(), None);
    assert_eq!(store.consume_host_link(&hash(3), now).await.unwrap(), None);
    assert_eq!(store.consume_host_link(&hash(2), now).await.unwrap(), Some(link(2, now)));
}

async fn a_link_may_say_nothing_but_who(store: Arc<dyn Store>) {
    let bare = HostLink { name: None, return_to: None, ..link(1, now()) };
    store.insert_host_link(bare.clone()).await.unwrap();
    assert_eq!(store.consume_host_link(&hash(1), now()).await.unwrap(), Some(bare));
}

async fn a_link_ends(store: Arc<dyn Store>) {
    let now = now();
    store.insert_host_link(link(1, now)).await.unwrap();
    assert_eq!(store.find_host_link(&hash(1), now + seconds(600)).await.unwrap(), None);
    assert_eq!(store.consume_host_link(&hash(1), now + seconds(600)).await.unwrap(), None);
    assert!(store.consume_host_link(&hash(1), now + seconds(599)).await.unwrap().is_some());
}

async fn one_link_consumed_by_50_tasks_succeeds_once(store: Arc<dyn Store>) {
    let now = now();
    for round in 0..5 {
        store.insert_host_link(link(round, now)).await.unwrap();
        let tasks = (0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.consume_host_link(&hash(round), now).await.unwrap() })
        });
        let outcomes: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().flatten().count(), 1, "round {round}");
    }
}

async fn ended_links_do_not_get_in_the_way(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..30 {
        store.insert_host_link(link(number, now)).await.unwrap();
    }
    let later = now + seconds(700);
    for number in 30..35 {
        store.insert_host_link(link(number, later)).await.unwrap();
    }
    for number in 0..35 {
        let consumed = store.consume_host_link(&hash(number), later).await.unwrap();
        assert_eq!(consumed.is_some(), number >= 30, "{number}");
    }
}
