//! Counts of tries that all processes keep together.

use std::sync::Arc;

use connection_store::{Store, Tries};
use futures_util::future::join_all;

use crate::{contract, now, seconds};

contract! {
    tries_are_counted_in_a_window_that_the_first_one_opens,
    when_a_window_is_over_the_next_try_opens_another,
    counts_of_other_names_are_others,
    what_has_succeeded_is_forgotten,
    of_50_tries_at_once_each_counts,
    of_50_tries_at_once_after_a_window_each_counts,
}

async fn tries_are_counted_in_a_window_that_the_first_one_opens(store: Arc<dyn Store>) {
    let now = now();
    assert_eq!(store.tries("sign-in:$ann", now).await.unwrap(), None);
    for count in 1..=5 {
        let at = now + seconds(i64::from(count) - 1);
        let expected = Tries { count, resets_at: now + seconds(60) };
        // The window is the first one's, whatever a later try asks for.
        let window = seconds(if count == 1 { 60 } else { 600 });
        assert_eq!(store.count_try("sign-in:$ann", window, at).await.unwrap(), expected);
        assert_eq!(store.tries("sign-in:$ann", at).await.unwrap(), Some(expected));
        assert_eq!(store.tries("sign-in:$ann", at).await.unwrap(), Some(expected), "looking does not count");
    }
}

async fn when_a_window_is_over_the_next_try_opens_another(store: Arc<dyn Store>) {
    let now = now();
    for _ in 0..3 {
        store.count_try("a", seconds(60), now).await.unwrap();
    }
    let last = now + seconds(59);
    assert_eq!(store.tries("a", last).await.unwrap().unwrap().count, 3);
    let over = now + seconds(60);
    assert_eq!(store.tries("a", over).await.unwrap(), None);
    let expected = Tries { count: 1, resets_at: over + seconds(30) };
    assert_eq!(store.count_try("a", seconds(30), over).await.unwrap(), expected);
    assert_eq!(store.count_try("a", seconds(30), over).await.unwrap(), Tries { count: 2, ..expected });
}

async fn counts_of_other_names_are_others(store: Arc<dyn Store>) {
    let now = now();
    for name in ["a", "b", "A", "a ", ""] {
        assert_eq!(store.count_try(name, seconds(60), now).await.unwrap().count, 1, "{name:?}");
    }
    assert_eq!(store.count_try("a", seconds(60), now).await.unwrap().count, 2);
    assert_eq!(store.tries("b", now).await.unwrap().unwrap().count, 1);
}

async fn what_has_succeeded_is_forgotten(store: Arc<dyn Store>) {
    let now = now();
    for name in ["a", "a", "b"] {
        store.count_try(name, seconds(60), now).await.unwrap();
    }
    store.forget_tries("a").await.unwrap();
    store.forget_tries("a").await.unwrap();
    assert_eq!(store.tries("a", now).await.unwrap(), None);
    assert_eq!(store.tries("b", now).await.unwrap().unwrap().count, 1);
    let later = now + seconds(10);
    let anew = store.count_try("a", seconds(60), later).await.unwrap();
    assert_eq!(anew, Tries { count: 1, resets_at: later + seconds(60) });
}

async fn of_50_tries_at_once_each_counts(store: Arc<dyn Store>) {
    let now = now();
    for round in 0..5 {
        assert_each_counts(&store, &format!("round-{round}"), now).await;
    }
}

async fn of_50_tries_at_once_after_a_window_each_counts(store: Arc<dyn Store>) {
    let now = now();
    for round in 0..5 {
        let name = format!("round-{round}");
        for _ in 0..3 {
            store.count_try(&name, seconds(60), now - seconds(60)).await.unwrap();
        }
        assert_each_counts(&store, &name, now).await;
    }
}

/// Of 50 tries at once, the first is told 1 and the last 50, and all are told of one window.
async fn assert_each_counts(store: &Arc<dyn Store>, name: &str, now: jiff::Timestamp) {
    let tasks = (0..50).map(|_| {
        let (store, name) = (Arc::clone(store), name.to_owned());
        tokio::spawn(async move { store.count_try(&name, seconds(60), now).await.unwrap() })
    });
    let tries: Vec<Tries> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let mut counts: Vec<u32> = tries.iter().map(|tries| tries.count).collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>(), "{name}");
    assert!(tries.iter().all(|tries| tries.resets_at == now + seconds(60)), "{name}");
}
