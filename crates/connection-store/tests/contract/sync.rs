//! Profiles that are read again on a schedule.

use std::collections::HashSet;
use std::sync::Arc;

use connection_store::{Connection, DueForSync, NewConnection, Postponement, Profile, Store};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::connections::{new_connection, save};
use crate::refresh::{DAY, connect, postponement};
use crate::{contract, disconnect, event, now, seconds};

contract! {
    what_was_read_longest_ago_is_claimed_first,
    dead_ended_and_inactive_ones_are_not_synced,
    each_is_claimed_once_by_20_workers,
    what_was_put_off_comes_after_what_was_not_tried,
    a_sync_that_is_put_off_waits,
    putting_a_sync_off_without_a_lease_shortens_no_wait,
    a_sync_that_is_given_back_is_due_at_once,
    a_profile_that_was_read_ends_the_lease,
    an_account_that_was_synced_is_still_found_by_its_app_scoped_id,
    a_permission_that_shows_is_added_once,
}

fn due(now: Timestamp, limit: u32) -> DueForSync {
    DueForSync { synced_by: now, lease_until: now + seconds(120), limit }
}

async fn what_was_read_longest_ago_is_claimed_first(store: Arc<dyn Store>) {
    let now = now();
    for (number, age) in [(1, 10), (2, 30), (3, 20)] {
        connect(&store, number, 0, 60 * DAY, now - seconds(age)).await;
    }
    let early = DueForSync { synced_by: now - seconds(15), ..due(now, 1) };
    let users = async |due| {
        let claimed = store.claim_due_for_sync(due, now).await.unwrap();
        claimed.into_iter().map(|connection| connection.user_id).collect::<Vec<_>>()
    };
    assert_eq!(users(early).await, ["user-2"]);
    assert_eq!(users(DueForSync { limit: 5, ..early }).await, ["user-3"], "user-1 was read too lately");
    assert_eq!(users(due(now, 5)).await, ["user-1"]);
    assert_eq!(users(due(now, 5)).await, [""; 0]);
}

async fn dead_ended_and_inactive_ones_are_not_synced(store: Arc<dyn Store>) {
    let now = now();
    let dead = connect(&store, 1, 0, 60 * DAY, now).await;
    let marked = event("needs_reauthorization");
    store.mark_needs_reauthorization(&dead.id, &dead.access_token, "refused", marked, now).await.unwrap();
    connect(&store, 2, 60 * DAY, 0, now).await;
    connect(&store, 3, 0, 60 * DAY, now).await;
    disconnect(&store, "user-3", now).await;
    assert_eq!(store.claim_due_for_sync(due(now, 5), now).await.unwrap(), []);
}

async fn each_is_claimed_once_by_20_workers(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..30 {
        connect(&store, number, 0, 60 * DAY, now).await;
    }
    let workers = (0..20).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.claim_due_for_sync(due(now, 3), now).await.unwrap() })
    });
    let claims: Vec<Connection> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let different: HashSet<_> = claims.iter().map(|connection| connection.id.clone()).collect();
    assert_eq!((claims.len(), different.len()), (30, 30));
}

async fn what_was_put_off_comes_after_what_was_not_tried(store: Arc<dyn Store>) {
    let now = now();
    for number in 1..=3 {
        connect(&store, number, 0, 60 * DAY, now - seconds(100 - number)).await;
    }
    let mut order = Vec::new();
    for round in 0..6 {
        let then = now + seconds(round * 60);
        let claimed = store.claim_due_for_sync(due(then, 1), then).await.unwrap().remove(0);
        let wait = Postponement { lease: claimed.sync_lease_until, ..postponement(then + seconds(60), None) };
        store.postpone_sync(&claimed.id, &claimed.access_token, wait, then).await.unwrap();
        order.push(claimed.user_id);
    }
    assert_eq!(order, ["user-1", "user-2", "user-3", "user-1", "user-2", "user-3"]);
}

async fn a_sync_that_is_put_off_waits(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 0, 60 * DAY, now).await;
    let claim = async |after: i64| {
        let then = now + seconds(after);
        store.claim_due_for_sync(due(then, 5), then).await.unwrap().len()
    };
    let until = now + seconds(600);
    let waits =
        |lease: i64, error| Postponement { lease: Some(now + seconds(lease)), ..postponement(until, error) };
    assert_eq!(claim(0).await, 1);
    assert_eq!(claim(119).await, 0);
    assert_eq!(claim(120).await, 1, "the worker died");
    store.postpone_sync(&one.id, "v1.k1.another", waits(240, None), now).await.unwrap();
    store.postpone_sync(&one.id, &one.access_token, waits(120, Some("late")), now).await.unwrap();
    let stored = store.connection(&one.id).await.unwrap().unwrap();
    assert_eq!((stored.sync_lease_until, stored.last_error), (Some(now + seconds(240)), None), "not theirs");
    store.postpone_sync(&one.id, &one.access_token, waits(240, Some("away")), now).await.unwrap();
    assert_eq!(claim(599).await, 0);
    assert_eq!(claim(600).await, 1);
    let stored = store.connection(&one.id).await.unwrap().unwrap();
    assert_eq!((stored.sync_failures, stored.refresh_failures), (3, 0));
    assert_eq!(stored.last_error.as_deref(), Some("away"));
}

async fn putting_a_sync_off_without_a_lease_shortens_no_wait(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 0, 60 * DAY, now).await;
    for after in [600, 60] {
        let wait = postponement(now + seconds(after), None);
        store.postpone_sync(&one.id, &one.access_token, wait, now).await.unwrap();
    }
    for (after, expected) in [(599, 0), (600, 1)] {
        let then = now + seconds(after);
        assert_eq!(store.claim_due_for_sync(due(then, 5), then).await.unwrap().len(), expected, "{after}");
    }
}

async fn a_sync_that_is_given_back_is_due_at_once(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 0, 60 * DAY, now).await;
    store.claim_due_for_sync(due(now, 5), now).await.unwrap();
    store.give_back_syncs(&[&one.id], now, now).await.unwrap();
    assert_eq!(store.claim_due_for_sync(due(now, 5), now).await.unwrap(), [], "it was another claim's lease");
    store.give_back_syncs(&[&one.id], now + seconds(120), now).await.unwrap();
    assert_eq!(store.connection(&one.id).await.unwrap(), Some(one));
    assert_eq!(store.claim_due_for_sync(due(now, 5), now).await.unwrap().len(), 1);
}

async fn a_profile_that_was_read_ends_the_lease(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 0, 60 * DAY, now).await;
    store.claim_due_for_sync(due(now, 5), now).await.unwrap();
    let profile = Profile { username: "renamed".to_owned(), ..Profile::default() };
    let scope = "instagram_business_basic";
    let stored = store.update_profile(&one.id, "user-1", profile, scope, event("synced"), now).await;
    assert_eq!(stored.unwrap().unwrap().sync_failures, 0);
    assert_eq!(store.claim_due_for_sync(due(now, 5), now).await.unwrap().len(), 1);
}

async fn an_account_that_was_synced_is_still_found_by_its_app_scoped_id(store: Arc<dyn Store>) {
    let now = now();
    let app_scoped_user_id = Some("7100200300400500".to_owned());
    let new = NewConnection { app_scoped_user_id, ..new_connection("ann", "17841400000000001", now) };
    let one = save(&store, new, now).await;
    let (profile, scope) = (Profile::default(), "instagram_business_basic");
    store.update_profile(&one.id, "ann", profile, scope, event("synced"), now).await.unwrap().unwrap();
    let found = store.connections_of_account("7100200300400500").await.unwrap();
    assert_eq!(found.iter().map(|connection| &connection.id).collect::<Vec<_>>(), [&one.id]);
}

async fn a_permission_that_shows_is_added_once(store: Arc<dyn Store>) {
    let now = now();
    let new = NewConnection { scopes: Vec::new(), ..new_connection("ann", "17841400000000001", now) };
    let one = save(&store, new, now).await;
    for _ in 0..2 {
        let profile = one.profile.clone();
        let stored = store.update_profile(&one.id, "ann", profile, "$basic", event("synced"), now).await;
        assert_eq!(stored.unwrap().unwrap().scopes, ["$basic"]);
        assert_eq!(store.connection(&one.id).await.unwrap().unwrap().scopes, ["$basic"]);
    }
}
