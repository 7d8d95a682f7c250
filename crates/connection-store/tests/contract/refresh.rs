//! Claiming connections whose token is due for a refresh.

use std::collections::HashSet;

use connection_store::{Connection, NewConnection, NextAttempt, SaveOutcome};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::accounts::refreshed;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    only_what_is_due_is_claimed,
    what_is_due_longest_is_claimed_first,
    what_was_rescheduled_comes_after_what_was_not_tried,
    what_killed_its_worker_comes_after_what_was_not_tried,
    a_claim_holds_until_its_lease_ends,
    a_rescheduled_one_waits_and_keeps_its_token,
    a_refreshed_one_is_no_longer_due,
    an_owners_claim_needs_the_token_and_no_lease_alone,
    a_connection_saved_anew_is_free_of_leases_and_waits,
    rescheduling_releases_the_lease,
    rescheduling_without_a_lease_shortens_no_wait,
    a_worker_that_comes_too_late_ends_no_lease_of_another,
    a_refreshed_token_counts_though_the_lease_is_anothers,
    a_refresh_revives_nothing_that_is_marked_dead,
    a_missing_permission_is_taken_off,
    the_first_due_is_told_even_while_it_is_claimed,
    an_expired_token_is_due_until_it_is_marked,
    a_decided_time_releases_the_claim_alone,
    the_count_of_failures_is_the_callers,
    what_is_released_is_due_at_once,
    what_has_failed_and_is_released_stays_behind_the_others,
    what_is_released_too_late_is_anothers,
    [once]
    each_is_claimed_once_however_many_ask,
    one_of_20_owners_claims_gets_it,
    a_refresh_and_a_reconnect_at_once_leave_the_reconnect,
}

pub(crate) const DAY: i64 = 86_400;

/// Claims what is due, for two minutes.
async fn claim(accounts: &Accounts, limit: u32, now: Timestamp) -> Vec<Connection> {
    accounts.connections().claim_due_for_refresh(now + seconds(120), limit, now).await.unwrap()
}

/// A connection of a user of its own whose token is `age` old and has `left` to live, in seconds. It is due for a refresh 30 days
/// before its end.
pub(crate) async fn connect(
    accounts: &Accounts,
    number: i64,
    age: i64,
    left: i64,
    now: Timestamp,
) -> Connection {
    let new = NewConnection {
        token_issued_at: now - seconds(age),
        token_expires_at: now + seconds(left),
        expires_at: now + seconds(left),
        refresh_at: now + seconds(left - 30 * DAY),
        ..accounts.new_connection(&format!("user-{number}"), &format!("1784140000{number:07}"), now)
    };
    match accounts.connections().save_connection(new, event("connected"), now).await.unwrap() {
        SaveOutcome::Saved(saved) => *saved,
        SaveOutcome::AccountInUse => panic!("the account is in use"),
    }
}

pub(crate) fn next_attempt(at: Timestamp, error: Option<&str>) -> NextAttempt {
    NextAttempt {
        lease: None,
        at,
        failures: None,
        error: error.map(str::to_owned),
        missing_scope: None,
        refused_since: None,
        event: None,
    }
}

/// Returns a worker's decision on a claimed connection: [`next_attempt`], with the claim's lease.
fn rescheduled(claimed: &Connection, at: Timestamp, error: Option<&str>) -> NextAttempt {
    NextAttempt { lease: claimed.refresh_lease_until, ..next_attempt(at, error) }
}

async fn only_what_is_due_is_claimed(accounts: Accounts) {
    let now = now();
    let wanted = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    connect(&accounts, 2, 20 * DAY, 40 * DAY, now).await;
    connect(&accounts, 3, 0, 30 * DAY + 1, now).await;
    let dead = connect(&accounts, 5, 40 * DAY, 20 * DAY, now).await;
    accounts
        .connections()
        .mark_needs_reauthorization(
            &dead.id,
            &dead.access_token,
            "refused",
            event("needs_reauthorization"),
            now,
        )
        .await
        .unwrap();
    connect(&accounts, 6, 40 * DAY, 20 * DAY, now).await;
    disconnect(&accounts, "user-6", now).await;
    let claimed = claim(&accounts, 10, now).await;
    let refresh_lease_until = Some(now + seconds(120));
    assert_eq!(claimed, [Connection { refresh_failures: 1, refresh_lease_until, ..wanted }]);
}

async fn what_is_due_longest_is_claimed_first(accounts: Accounts) {
    let now = now();
    for (number, left) in [(1, 20), (2, 5), (3, 10)] {
        connect(&accounts, number, 40 * DAY, left * DAY, now).await;
    }
    let claimed = claim(&accounts, 2, now).await;
    let users: HashSet<_> = claimed.iter().map(|connection| connection.user_id.as_str()).collect();
    assert_eq!(users, HashSet::from(["user-2", "user-3"]));
}

/// An account that fails each time, and makes everybody pause, must not be the first one again after each pause.
async fn what_was_rescheduled_comes_after_what_was_not_tried(accounts: Accounts) {
    let now = now();
    for (number, left) in [(1, 5), (2, 10), (3, 20)] {
        connect(&accounts, number, 40 * DAY, left * DAY, now).await;
    }
    let claim_one = async |after: i64| {
        let then = now + seconds(after);
        let claimed = claim(&accounts, 1, then).await.remove(0);
        let wait = rescheduled(&claimed, then + seconds(60), None);
        accounts
            .connections()
            .reschedule_refresh(&claimed.id, &claimed.access_token, wait, then)
            .await
            .unwrap();
        claimed.user_id
    };
    let mut order = Vec::new();
    for round in 0..6 {
        order.push(claim_one(round * 60).await);
    }
    assert_eq!(order, ["user-1", "user-2", "user-3", "user-1", "user-2", "user-3"]);
}

async fn what_killed_its_worker_comes_after_what_was_not_tried(accounts: Accounts) {
    let now = now();
    connect(&accounts, 1, 40 * DAY, 5 * DAY, now).await;
    connect(&accounts, 2, 40 * DAY, 10 * DAY, now).await;
    let claim_one = async |then| claim(&accounts, 1, then).await.remove(0).user_id;
    assert_eq!(claim_one(now).await, "user-1");
    let after_the_lease = now + seconds(120);
    assert_eq!(claim_one(after_the_lease).await, "user-2");
    assert_eq!(claim_one(after_the_lease).await, "user-1");
}

async fn a_claim_holds_until_its_lease_ends(accounts: Accounts) {
    let now = now();
    connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = async |after: i64| claim(&accounts, 10, now + seconds(after)).await.len();
    assert_eq!(claimed(0).await, 1);
    assert_eq!(claimed(119).await, 0);
    assert_eq!(claimed(120).await, 1, "the worker died, so another takes over");
}

async fn each_is_claimed_once_however_many_ask(accounts: Accounts) {
    let now = now();
    for number in 0..30 {
        connect(&accounts, number, 40 * DAY, 20 * DAY, now).await;
    }
    let workers = (0..8).map(|_| {
        let accounts = accounts.clone();
        tokio::spawn(async move { claim(&accounts, 10, now).await })
    });
    let claims: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let different: HashSet<_> = claims.iter().map(|connection| connection.id.clone()).collect();
    assert_eq!((claims.len(), different.len()), (30, 30));
}

async fn a_rescheduled_one_waits_and_keeps_its_token(accounts: Accounts) {
    let now = now();
    let connected = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = claim(&accounts, 10, now).await.remove(0);
    let until = now + seconds(3600);
    let anothers = rescheduled(&claimed, until, Some("no"));
    accounts.connections().reschedule_refresh(&connected.id, "v1.k1.another", anothers, now).await.unwrap();
    let away = rescheduled(&claimed, until, Some("$away"));
    accounts
        .connections()
        .reschedule_refresh(&connected.id, &connected.access_token, away, now)
        .await
        .unwrap();
    let stored = accounts.connections().current_connection("user-1").await.unwrap().unwrap();
    let error = Some("$away".to_owned());
    assert_eq!(stored, Connection { refresh_failures: 1, last_error: error, ..connected });
    let early = until - seconds(1);
    assert_eq!(claim(&accounts, 10, early).await, []);
    let again = claim(&accounts, 10, until).await;
    assert_eq!(again[0].refresh_failures, 2);
}

async fn a_refreshed_one_is_no_longer_due(accounts: Accounts) {
    let now = now();
    let connected = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    claim(&accounts, 10, now).await;
    let stored = accounts
        .connections()
        .replace_token(
            &connected.id,
            &connected.access_token,
            refreshed("v1.k1.renewed", now),
            vec![event("refreshed")],
            now,
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.refresh_failures, 0);
    let later = now + seconds(200);
    assert_eq!(claim(&accounts, 10, later).await, []);
}

async fn an_owners_claim_needs_the_token_and_no_lease_alone(accounts: Accounts) {
    let now = now();
    let fresh = connect(&accounts, 1, 0, 60 * DAY, now).await;
    let claim = async |token: &str, after: i64| {
        let then = now + seconds(after);
        accounts.connections().claim_for_refresh(&fresh.id, token, then + seconds(60), then).await.unwrap()
    };
    assert_eq!(claim("v1.k1.another", 0).await, None);
    assert_eq!(claim(&fresh.access_token, 0).await, Some(1), "it is not due, and that does not matter");
    assert_eq!(claim(&fresh.access_token, 59).await, None, "somebody has it");
    assert_eq!(claim(&fresh.access_token, 60).await, Some(2), "the lease is over");
    let lease = Some(now + seconds(120));
    let waits = NextAttempt { lease, ..next_attempt(now + seconds(DAY), None) };
    accounts.connections().reschedule_refresh(&fresh.id, &fresh.access_token, waits, now).await.unwrap();
    let third = claim(&fresh.access_token, 61).await;
    assert_eq!(third, Some(3), "it is rescheduled, and that does not matter");
    assert_eq!(
        accounts.connections().connection(&fresh.id).await.unwrap().unwrap().refresh_failures,
        3,
        "each counts"
    );
    disconnect(&accounts, "user-1", now).await;
    assert_eq!(claim("", 1000).await, None);
    assert_eq!(accounts.connections().claim_for_refresh("no id", "x", now, now).await.unwrap(), None);
}

async fn one_of_20_owners_claims_gets_it(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let claims = (0..20).map(|_| {
        let (accounts, one) = (accounts.clone(), one.clone());
        tokio::spawn(async move {
            accounts
                .connections()
                .claim_for_refresh(&one.id, &one.access_token, now + seconds(60), now)
                .await
                .unwrap()
        })
    });
    let claimed =
        join_all(claims).await.into_iter().filter(|claim| claim.as_ref().unwrap().is_some()).count();
    assert_eq!(claimed, 1);
    assert_eq!(claim(&accounts, 10, now).await, [], "the job leaves it alone");
}

async fn a_connection_saved_anew_is_free_of_leases_and_waits(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = claim(&accounts, 10, now).await.remove(0);
    let waits = rescheduled(&claimed, now + seconds(DAY), Some("away"));
    accounts.connections().reschedule_refresh(&one.id, &one.access_token, waits, now).await.unwrap();
    assert!(
        accounts
            .connections()
            .claim_for_refresh(&one.id, &one.access_token, now + seconds(60), now)
            .await
            .unwrap()
            .is_some()
    );
    let again = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    assert_eq!((again.refresh_failures, again.last_error), (0, None));
    assert_eq!(claim(&accounts, 10, now).await.len(), 1);
}

async fn rescheduling_releases_the_lease(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = claim(&accounts, 10, now).await.remove(0);
    let soon = rescheduled(&claimed, now + seconds(10), Some("away"));
    accounts.connections().reschedule_refresh(&one.id, &one.access_token, soon, now).await.unwrap();
    let then = now + seconds(10);
    let claimed = claim(&accounts, 10, then).await;
    assert_eq!(claimed.len(), 1, "the lease would have lasted longer");
    // Without a sentence, the one that is there stays.
    let later = rescheduled(&claimed[0], now + seconds(20), None);
    accounts.connections().reschedule_refresh(&one.id, &one.access_token, later, then).await.unwrap();
    let stored = accounts.connections().connection(&one.id).await.unwrap().unwrap();
    assert_eq!(stored.last_error.as_deref(), Some("away"));
}

async fn rescheduling_without_a_lease_shortens_no_wait(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let due_at = async |after: i64| {
        let then = now + seconds(after);
        let claimed = claim(&accounts, 10, then).await;
        if let Some(claimed) = claimed.first() {
            accounts
                .connections()
                .release_refreshes(&[&one.id], claimed.refresh_lease_until.unwrap(), then)
                .await
                .unwrap();
        }
        claimed.len()
    };
    let put_off = async |after: i64| {
        let wait = next_attempt(now + seconds(after), None);
        accounts.connections().reschedule_refresh(&one.id, &one.access_token, wait, now).await.unwrap();
    };
    put_off(600).await;
    put_off(60).await;
    assert_eq!((due_at(599).await, due_at(600).await), (0, 1), "what failed waits as long as it was told to");
    put_off(900).await;
    assert_eq!((due_at(899).await, due_at(900).await), (0, 1));
}

async fn a_worker_that_comes_too_late_ends_no_lease_of_another(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let first = claim(&accounts, 10, now).await.remove(0);
    let then = now + seconds(120);
    let second = claim(&accounts, 10, then).await.remove(0);
    let told =
        NextAttempt { event: Some(event("refresh_failed")), ..rescheduled(&first, then, Some("late")) };
    for late in [told, NextAttempt { lease: None, ..next_attempt(then, Some("late")) }] {
        accounts.connections().reschedule_refresh(&one.id, &one.access_token, late, then).await.unwrap();
    }
    assert_eq!(
        accounts.connections().connection(&one.id).await.unwrap(),
        Some(second.clone()),
        "nothing is changed"
    );
    assert_eq!(claim(&accounts, 10, then).await, [], "it is still the second's");
    let away = rescheduled(&second, then, Some("away"));
    accounts.connections().reschedule_refresh(&one.id, &one.access_token, away, then).await.unwrap();
    assert_eq!(claim(&accounts, 10, then).await.len(), 1);
}

async fn a_refreshed_token_counts_though_the_lease_is_anothers(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    claim(&accounts, 10, now).await;
    let then = now + seconds(120);
    claim(&accounts, 10, then).await;
    let (token, events) = (refreshed("v1.k1.renewed", then), vec![event("refreshed")]);
    let stored = accounts
        .connections()
        .replace_token(&one.id, &one.access_token, token, events, then)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&*stored.access_token, stored.refresh_lease_until), ("v1.k1.renewed", None));
}

/// Instagram answered before the person removed the app, and its word about that came first.
async fn a_refresh_revives_nothing_that_is_marked_dead(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let removed = event("needs_reauthorization");
    accounts
        .connections()
        .mark_needs_reauthorization(&one.id, &one.access_token, "removed", removed, now)
        .await
        .unwrap();
    let dead = accounts.connections().connection(&one.id).await.unwrap();
    let (token, events) = (refreshed("v1.k1.renewed", now), vec![event("refreshed")]);
    assert_eq!(
        accounts.connections().replace_token(&one.id, &one.access_token, token, events, now).await.unwrap(),
        None
    );
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), dead, "nothing is changed");
}

async fn a_missing_permission_is_taken_off(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let missing = NextAttempt {
        missing_scope: Some("instagram_business_manage_messages".to_owned()),
        ..next_attempt(now, None)
    };
    for _ in 0..2 {
        accounts
            .connections()
            .reschedule_refresh(&one.id, &one.access_token, missing.clone(), now)
            .await
            .unwrap();
        let scopes = accounts.connections().connection(&one.id).await.unwrap().unwrap().scopes;
        assert_eq!(scopes, ["instagram_business_basic"]);
    }
}

async fn the_first_due_is_told_even_while_it_is_claimed(accounts: Accounts) {
    let now = now();
    let first = async || accounts.connections().first_due_for_refresh(now).await.unwrap();
    assert_eq!(first().await, None);
    connect(&accounts, 1, 40 * DAY, 31 * DAY, now).await;
    assert_eq!(first().await, None, "not yet");
    let wanted = connect(&accounts, 2, 40 * DAY, 12 * DAY, now).await;
    connect(&accounts, 3, 40 * DAY, 13 * DAY, now).await;
    assert_eq!(first().await, wanted.refresh_at);
    claim(&accounts, 10, now).await;
    assert_eq!(first().await, wanted.refresh_at);
}

/// Only its provider knows that a token is dead: clocks differ.
async fn an_expired_token_is_due_until_it_is_marked(accounts: Accounts) {
    let now = now();
    let expired = connect(&accounts, 1, 60 * DAY, -5, now).await;
    let claimed = claim(&accounts, 10, now).await;
    assert_eq!(claimed[0].id, expired.id);
    accounts.connections().release_refreshes(&[&expired.id], now + seconds(120), now).await.unwrap();
    let marked = event("needs_reauthorization");
    accounts
        .connections()
        .mark_needs_reauthorization(&expired.id, &expired.access_token, "expired", marked, now)
        .await
        .unwrap();
    assert_eq!(claim(&accounts, 10, now).await, []);
    assert_eq!(accounts.connections().first_due_for_refresh(now).await.unwrap(), None);
}

async fn a_decided_time_releases_the_claim_alone(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = claim(&accounts, 10, now).await.remove(0);
    let (lease, at) = (claimed.refresh_lease_until.unwrap(), now + seconds(DAY));
    accounts.connections().decide_refresh(&one.id, "v1.k1.another", at, lease).await.unwrap();
    accounts.connections().decide_refresh(&one.id, &one.access_token, at, lease + seconds(1)).await.unwrap();
    accounts.connections().decide_refresh("no id", &one.access_token, at, lease).await.unwrap();
    assert_eq!(
        accounts.connections().connection(&one.id).await.unwrap(),
        Some(claimed),
        "another token, another's lease"
    );
    accounts.connections().decide_refresh(&one.id, &one.access_token, at, lease).await.unwrap();
    let stored = accounts.connections().connection(&one.id).await.unwrap().unwrap();
    assert_eq!(stored, Connection { refresh_at: Some(at), ..one });
    assert_eq!(claim(&accounts, 10, at - seconds(1)).await, []);
    assert_eq!(claim(&accounts, 10, at).await.len(), 1);
}

async fn the_count_of_failures_is_the_callers(accounts: Accounts) {
    let now = now();
    connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    for (failures, stored_failures) in [(Some(0), 0), (None, 1), (Some(7), 7)] {
        let claimed = claim(&accounts, 10, now).await.remove(0);
        let back = NextAttempt { failures, ..rescheduled(&claimed, now, None) };
        accounts
            .connections()
            .reschedule_refresh(&claimed.id, &claimed.access_token, back, now)
            .await
            .unwrap();
        let stored = accounts.connections().connection(&claimed.id).await.unwrap().unwrap();
        assert_eq!(stored.refresh_failures, stored_failures);
    }
}

async fn what_is_released_is_due_at_once(accounts: Accounts) {
    let now = now();
    let mut before = Vec::new();
    for number in 1..=3 {
        before.push(connect(&accounts, number, 40 * DAY, number * DAY, now).await);
    }
    let claimed = claim(&accounts, 10, now).await;
    let tried = rescheduled(&claimed[0], now + seconds(60), None);
    accounts
        .connections()
        .reschedule_refresh(&claimed[0].id, &claimed[0].access_token, tried, now)
        .await
        .unwrap();
    let ids: Vec<_> = claimed.iter().map(|connection| &*connection.id).chain(["no id"]).collect();
    accounts.connections().release_refreshes(&ids, now + seconds(120), now).await.unwrap();
    for (before, failures) in before.iter().zip([1, 0, 0]) {
        let stored = accounts.connections().connection(&before.id).await.unwrap().unwrap();
        assert_eq!(stored, Connection { refresh_failures: failures, ..before.clone() });
    }
    accounts.connections().release_refreshes(&[], now, now).await.unwrap();
    let again = claim(&accounts, 10, now).await;
    let users: Vec<_> = again.iter().map(|connection| &*connection.user_id).collect();
    assert_eq!(users, ["user-2", "user-3"], "they do not wait, and the one that was tried does");
}

async fn what_has_failed_and_is_released_stays_behind_the_others(accounts: Accounts) {
    let now = now();
    let failed = connect(&accounts, 1, 40 * DAY, DAY, now).await;
    let claimed = claim(&accounts, 10, now).await.remove(0);
    let wait = rescheduled(&claimed, now + seconds(60), None);
    accounts.connections().reschedule_refresh(&failed.id, &failed.access_token, wait, now).await.unwrap();
    connect(&accounts, 2, 40 * DAY, 20 * DAY, now).await;
    let then = now + seconds(60);
    let ids = async |limit| {
        let claimed = claim(&accounts, limit, then).await;
        claimed.into_iter().map(|connection| connection.id).collect::<Vec<_>>()
    };
    let both = ids(2).await;
    let both: Vec<_> = both.iter().map(String::as_str).collect();
    accounts.connections().release_refreshes(&both, then + seconds(120), then).await.unwrap();
    assert_eq!(accounts.connections().connection(&failed.id).await.unwrap().unwrap().refresh_failures, 1);
    assert_ne!(ids(1).await, [&*failed.id]);
    assert_eq!(ids(1).await, [&*failed.id]);
}

async fn what_is_released_too_late_is_anothers(accounts: Accounts) {
    let now = now();
    let one = connect(&accounts, 1, 40 * DAY, 20 * DAY, now).await;
    claim(&accounts, 10, now).await;
    let then = now + seconds(120);
    let second = claim(&accounts, 10, then).await.remove(0);
    accounts.connections().release_refreshes(&[&one.id], now + seconds(120), then).await.unwrap();
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), Some(second), "nothing is changed");
}

async fn a_refresh_and_a_reconnect_at_once_leave_the_reconnect(accounts: Accounts) {
    let start = now();
    for round in 0..20 {
        let old = connect(&accounts, 1, 40 * DAY, 20 * DAY, start).await;
        let renewing = {
            let (accounts, old) = (accounts.clone(), old.clone());
            tokio::spawn(async move {
                let events = vec![event("refreshed")];
                let renewed = refreshed("v1.k1.renewed", start);
                accounts
                    .connections()
                    .replace_token(&old.id, &old.access_token, renewed, events, start)
                    .await
                    .unwrap()
            })
        };
        let again = NewConnection {
            access_token: format!("v1.k1.again-{round}"),
            ..accounts.new_connection("user-1", &old.provider_account_id, start)
        };
        let wanted = again.access_token.clone();
        accounts.connections().save_connection(again, event("connected"), start).await.unwrap();
        renewing.await.unwrap();
        assert_eq!(accounts.connections().connection(&old.id).await.unwrap().unwrap().access_token, wanted);
    }
}
