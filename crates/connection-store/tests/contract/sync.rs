//! Profiles that are read again on a schedule.

use std::collections::HashSet;

use connection_store::{Connection, NewConnection, NextAttempt, Profile};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::accounts::read;
use crate::connections::save;
use crate::refresh::{DAY, connect, next_attempt};
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    what_was_read_longest_ago_is_claimed_first,
    dead_and_inactive_ones_are_not_synced,
    what_was_rescheduled_comes_after_what_was_not_tried,
    a_rescheduled_sync_waits,
    rescheduling_a_sync_without_a_lease_shortens_no_wait,
    a_released_sync_is_due_at_once,
    a_profile_that_was_read_ends_the_lease,
    an_account_that_was_synced_is_still_found_by_its_app_scoped_id,
    a_permission_that_shows_is_added_once,
    [once]
    each_is_claimed_once_by_20_workers,
}

/// Claims what was read by now, for two minutes.
async fn claim(accounts: &Accounts, limit: u32, now: Timestamp) -> Vec<Connection> {
    accounts.connections().claim_due_for_sync(now, now + seconds(120), limit, now).await.unwrap()
}

async fn what_was_read_longest_ago_is_claimed_first(accounts: Accounts) {
    let now = now();
    for (number, age) in [(1, 10), (2, 30), (3, 20)] {
        connect(&accounts, number, 0, 60 * DAY, now - seconds(age)).await;
    }
    let users = async |age, limit| {
        let claimed = accounts
            .connections()
            .claim_due_for_sync(now - seconds(age), now + seconds(120), limit, now)
            .await
            .unwrap();
        claimed.into_iter().map(|connection| connection.user_id).collect::<Vec<_>>()
    };
    assert_eq!(users(15, 1).await, ["user-2"]);
    assert_eq!(users(15, 5).await, ["user-3"], "user-1 was read too lately");
    assert_eq!(users(0, 5).await, ["user-1"]);
    assert_eq!(users(0, 5).await, [""; 0]);
}

async fn dead_and_inactive_ones_are_not_synced(accounts: Accounts) {
    let now = now();
    let dead = connect(&accounts, 1, 0, 60 * DAY, now).await;
    let marked = event("needs_reauthorization");
    accounts
        .connections()
        .mark_needs_reauthorization(&dead.id, &dead.access_token, "refused", marked, now)
        .await
        .unwrap();
    connect(&accounts, 2, 0, 60 * DAY, now).await;
    disconnect(&accounts, "user-2", now).await;
    assert_eq!(claim(&accounts, 5, now).await, []);
}

async fn each_is_claimed_once_by_20_workers(accounts: Accounts) {
    let now = now();
    for number in 0..30 {
        connect(&accounts, number, 0, 60 * DAY, now).await;
    }
    let workers = (0..20).map(|_| {
        let accounts = accounts.clone();
        tokio::spawn(async move { claim(&accounts, 3, now).await })
    });
    let claims: Vec<Connection> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let different: HashSet<_> = claims.iter().map(|connection| connection.id.clone()).collect();
    assert_eq!((claims.len(), different.len()), (30, 30));
}

async fn what_was_rescheduled_comes_after_what_was_not_tried(accounts: Accounts) {
    let now = now();
    for number in 1..=3 {
        connect(&accounts, number, 0, 60 * DAY, now - seconds(100 - number)).await;
    }
    let mut order = Vec::new();
    for round in 0..6 {
        let then = now + seconds(round * 60);
        let claimed = claim(&accounts, 1, then).await.remove(0);
        let wait = NextAttempt { lease: claimed.sync_lease_until, ..next_attempt(then + seconds(60), None) };
        accounts.connections().reschedule_sync(&claimed.id, &claimed.access_token, wait, then).await.unwrap();
        order.push(claimed.user_id);
    }
    assert_eq!(order, ["user-1", "user-2", "user-3", "user-1", "user-2", "user-3"]);
}

async fn a_rescheduled_sync_waits(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 0, 60 * DAY, now).await;
    let claim = async |after: i64| {
        let then = now + seconds(after);
        claim(&accounts, 5, then).await.len()
    };
    let until = now + seconds(600);
    let waits =
        |lease: i64, error| NextAttempt { lease: Some(now + seconds(lease)), ..next_attempt(until, error) };
    assert_eq!(claim(0).await, 1);
    assert_eq!(claim(119).await, 0);
    assert_eq!(claim(120).await, 1, "the worker died");
    accounts.connections().reschedule_sync(&one.id, "v1.k1.another", waits(240, None), now).await.unwrap();
    accounts
        .connections()
        .reschedule_sync(&one.id, &one.access_token, waits(120, Some("late")), now)
        .await
        .unwrap();
    let stored = accounts.connections().connection(&one.id).await.unwrap().unwrap();
    assert_eq!((stored.sync_lease_until, stored.last_error), (Some(now + seconds(240)), None), "not theirs");
    accounts
        .connections()
        .reschedule_sync(&one.id, &one.access_token, waits(240, Some("away")), now)
        .await
        .unwrap();
    assert_eq!(claim(599).await, 0);
    assert_eq!(claim(600).await, 1);
    let stored = accounts.connections().connection(&one.id).await.unwrap().unwrap();
    assert_eq!((stored.sync_failures, stored.refresh_failures), (3, 0));
    assert_eq!(stored.last_error.as_deref(), Some("away"));
}

async fn rescheduling_a_sync_without_a_lease_shortens_no_wait(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 0, 60 * DAY, now).await;
    for after in [600, 60] {
        let wait = next_attempt(now + seconds(after), None);
        accounts.connections().reschedule_sync(&one.id, &one.access_token, wait, now).await.unwrap();
    }
    for (after, expected) in [(599, 0), (600, 1)] {
        let then = now + seconds(after);
        assert_eq!(claim(&accounts, 5, then).await.len(), expected, "{after}");
    }
}

async fn a_released_sync_is_due_at_once(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 0, 60 * DAY, now).await;
    claim(&accounts, 5, now).await;
    accounts.connections().release_syncs(&[&one.id], now, now).await.unwrap();
    assert_eq!(claim(&accounts, 5, now).await, [], "it was another claim's lease");
    accounts.connections().release_syncs(&[&one.id], now + seconds(120), now).await.unwrap();
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), Some(one));
    assert_eq!(claim(&accounts, 5, now).await.len(), 1);
}

async fn a_profile_that_was_read_ends_the_lease(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 0, 60 * DAY, now).await;
    claim(&accounts, 5, now).await;
    let profile = Profile { username: "renamed".to_owned(), ..Profile::default() };
    let scope = "instagram_business_basic";
    let stored = accounts
        .connections()
        .update_profile(&one.id, "user-1", read(profile, scope), event("synced"), now)
        .await;
    assert_eq!(stored.unwrap().unwrap().sync_failures, 0);
    assert_eq!(claim(&accounts, 5, now).await.len(), 1);
}

async fn an_account_that_was_synced_is_still_found_by_its_app_scoped_id(accounts: Accounts) {
    let now = now();
    let other_account_id = Some("7100200300400500".to_owned());
    let new = NewConnection { other_account_id, ..accounts.new_connection("ann", "17841400000000001", now) };
    let one = save(&accounts, new, now).await;
    let (profile, scope) = (Profile::default(), "instagram_business_basic");
    accounts
        .connections()
        .update_profile(&one.id, "ann", read(profile, scope), event("synced"), now)
        .await
        .unwrap()
        .unwrap();
    let found = accounts.connections().connections_of_account("7100200300400500").await.unwrap();
    assert_eq!(found.iter().map(|connection| &connection.id).collect::<Vec<_>>(), [&one.id]);
}

async fn a_permission_that_shows_is_added_once(accounts: Accounts) {
    let now = now();
    let new =
        NewConnection { scopes: Vec::new(), ..accounts.new_connection("ann", "17841400000000001", now) };
    let one = save(&accounts, new, now).await;
    for _ in 0..2 {
        let profile = one.profile.clone();
        let stored = accounts
            .connections()
            .update_profile(&one.id, "ann", read(profile, "$basic"), event("synced"), now)
            .await;
        assert_eq!(stored.unwrap().unwrap().scopes, ["$basic"]);
        assert_eq!(accounts.connections().connection(&one.id).await.unwrap().unwrap().scopes, ["$basic"]);
    }
}
