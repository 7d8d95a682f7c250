//! Claiming connections whose token is due for a renewal.

use std::collections::HashSet;
use std::sync::Arc;

use connection_store::{
    Connection, DueForRefresh, NewConnection, Postponement, RenewedToken, SaveOutcome, Store, TokenLife,
};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::connections::new_connection;
use crate::{contract, disconnect, event, now, seconds};

contract! {
    only_what_is_due_is_claimed,
    what_ends_first_is_claimed_first,
    what_was_put_off_comes_after_what_was_not_tried,
    what_killed_its_worker_comes_after_what_was_not_tried,
    a_claim_holds_until_its_lease_ends,
    each_is_claimed_once_however_many_ask,
    a_postponed_one_waits_and_keeps_its_token,
    a_renewed_one_is_no_longer_due,
    an_owners_claim_needs_the_token_and_no_lease_alone,
    one_of_20_owners_claims_gets_it,
    a_connection_saved_anew_is_free_of_leases_and_waits,
    a_postponement_ends_the_lease,
    a_postponement_without_a_lease_shortens_no_wait,
    a_worker_that_comes_too_late_ends_no_lease_of_another,
    a_renewed_token_counts_though_the_lease_is_anothers,
    a_renewal_revives_nothing_that_is_marked_dead,
    a_missing_permission_is_taken_off,
    the_first_due_is_told_even_while_it_is_claimed,
    ended_tokens_are_found_until_they_are_marked,
    what_was_not_tried_is_no_failure,
    what_is_given_back_is_due_at_once,
    what_has_failed_and_is_given_back_stays_behind_the_others,
    what_is_given_back_too_late_is_anothers,
    a_renewal_and_a_reconnect_at_once_leave_the_reconnect,
}

pub(crate) const DAY: i64 = 86_400;

fn due(now: Timestamp) -> DueForRefresh {
    DueForRefresh {
        expires_by: now + seconds(30 * DAY),
        issued_by: now - seconds(DAY),
        lease_until: now + seconds(120),
        limit: 10,
    }
}

/// A connection of a user of its own whose token is `age` old and has `left` to live, in seconds.
pub(crate) async fn connect(
    store: &Arc<dyn Store>,
    number: i64,
    age: i64,
    left: i64,
    now: Timestamp,
) -> Connection {
    let new = NewConnection {
        token_issued_at: now - seconds(age),
        token_expires_at: now + seconds(left),
        ..new_connection(&format!("user-{number}"), &format!("1784140000{number:07}"), now)
    };
    match store.save_connection(new, event("connected"), now).await.unwrap() {
        SaveOutcome::Saved(saved) => *saved,
        SaveOutcome::AccountInUse => panic!("the account is in use"),
    }
}

pub(crate) fn postponement(not_before: Timestamp, error: Option<&str>) -> Postponement {
    Postponement {
        lease: None,
        not_before,
        error: error.map(str::to_owned),
        missing_scope: None,
        event: None,
        untried: false,
    }
}

/// What a worker hands back: as [`postponement`], of what it has claimed.
fn given_back(claimed: &Connection, not_before: Timestamp, error: Option<&str>) -> Postponement {
    Postponement { lease: claimed.refresh_lease_until, ..postponement(not_before, error) }
}

fn renewed(token: &str, now: Timestamp) -> RenewedToken {
    RenewedToken {
        access_token: token.to_owned(),
        token_issued_at: now,
        token_expires_at: now + seconds(60 * DAY),
        scopes: None,
    }
}

async fn only_what_is_due_is_claimed(store: Arc<dyn Store>) {
    let now = now();
    let wanted = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    connect(&store, 2, 20 * DAY, 40 * DAY, now).await;
    connect(&store, 3, DAY - 1, 20 * DAY, now).await;
    connect(&store, 4, 60 * DAY, 0, now).await;
    let dead = connect(&store, 5, 40 * DAY, 20 * DAY, now).await;
    store
        .mark_needs_reauthorization(
            &dead.id,
            &dead.access_token,
            "refused",
            event("needs_reauthorization"),
            now,
        )
        .await
        .unwrap();
    connect(&store, 6, 40 * DAY, 20 * DAY, now).await;
    disconnect(&store, "user-6", now).await;
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap();
    let refresh_lease_until = Some(now + seconds(120));
    assert_eq!(claimed, [Connection { refresh_failures: 1, refresh_lease_until, ..wanted }]);
}

async fn what_ends_first_is_claimed_first(store: Arc<dyn Store>) {
    let now = now();
    for (number, left) in [(1, 20), (2, 5), (3, 10)] {
        connect(&store, number, 40 * DAY, left * DAY, now).await;
    }
    let claimed = store.claim_due_for_refresh(DueForRefresh { limit: 2, ..due(now) }, now).await.unwrap();
    let users: HashSet<_> = claimed.iter().map(|connection| connection.user_id.as_str()).collect();
    assert_eq!(users, HashSet::from(["user-2", "user-3"]));
}

/// An account that fails each time, and makes everybody pause, must not be the first one again after each pause.
async fn what_was_put_off_comes_after_what_was_not_tried(store: Arc<dyn Store>) {
    let now = now();
    for (number, left) in [(1, 5), (2, 10), (3, 20)] {
        connect(&store, number, 40 * DAY, left * DAY, now).await;
    }
    let claim_one = async |after: i64| {
        let then = now + seconds(after);
        let one = DueForRefresh { limit: 1, ..due(then) };
        let claimed = store.claim_due_for_refresh(one, then).await.unwrap().remove(0);
        let wait = given_back(&claimed, then + seconds(60), None);
        store.postpone_refresh(&claimed.id, &claimed.access_token, wait, then).await.unwrap();
        claimed.user_id
    };
    let mut order = Vec::new();
    for round in 0..6 {
        order.push(claim_one(round * 60).await);
    }
    assert_eq!(order, ["user-1", "user-2", "user-3", "user-1", "user-2", "user-3"]);
}

async fn what_killed_its_worker_comes_after_what_was_not_tried(store: Arc<dyn Store>) {
    let now = now();
    connect(&store, 1, 40 * DAY, 5 * DAY, now).await;
    connect(&store, 2, 40 * DAY, 10 * DAY, now).await;
    let claim_one = async |then| {
        let one = DueForRefresh { limit: 1, ..due(then) };
        store.claim_due_for_refresh(one, then).await.unwrap().remove(0).user_id
    };
    assert_eq!(claim_one(now).await, "user-1");
    let after_the_lease = now + seconds(120);
    assert_eq!(claim_one(after_the_lease).await, "user-2");
    assert_eq!(claim_one(after_the_lease).await, "user-1");
}

async fn a_claim_holds_until_its_lease_ends(store: Arc<dyn Store>) {
    let now = now();
    connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let claim = async |after: i64| {
        let then = now + seconds(after);
        store.claim_due_for_refresh(due(then), then).await.unwrap().len()
    };
    assert_eq!(claim(0).await, 1);
    assert_eq!(claim(119).await, 0);
    assert_eq!(claim(120).await, 1, "the worker died, so another takes over");
}

async fn each_is_claimed_once_however_many_ask(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..30 {
        connect(&store, number, 40 * DAY, 20 * DAY, now).await;
    }
    let workers = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.claim_due_for_refresh(due(now), now).await.unwrap() })
    });
    let claims: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let different: HashSet<_> = claims.iter().map(|connection| connection.id.clone()).collect();
    assert_eq!((claims.len(), different.len()), (30, 30));
}

async fn a_postponed_one_waits_and_keeps_its_token(store: Arc<dyn Store>) {
    let now = now();
    let connected = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap().remove(0);
    let until = now + seconds(3600);
    let anothers = given_back(&claimed, until, Some("no"));
    store.postpone_refresh(&connected.id, "v1.k1.another", anothers, now).await.unwrap();
    let away = given_back(&claimed, until, Some("$away"));
    store.postpone_refresh(&connected.id, &connected.access_token, away, now).await.unwrap();
    let stored = store.latest_connection("user-1").await.unwrap().unwrap();
    let error = Some("$away".to_owned());
    assert_eq!(stored, Connection { refresh_failures: 1, last_error: error, ..connected });
    let early = until - seconds(1);
    assert_eq!(store.claim_due_for_refresh(due(early), early).await.unwrap(), []);
    let again = store.claim_due_for_refresh(due(until), until).await.unwrap();
    assert_eq!(again[0].refresh_failures, 2);
}

async fn a_renewed_one_is_no_longer_due(store: Arc<dyn Store>) {
    let now = now();
    let connected = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    store.claim_due_for_refresh(due(now), now).await.unwrap();
    let stored = store
        .renew_token(
            &connected.id,
            &connected.access_token,
            renewed("v1.k1.renewed", now),
            vec![event("refreshed")],
            now,
        )
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.refresh_failures, 0);
    let later = now + seconds(200);
    assert_eq!(store.claim_due_for_refresh(due(later), later).await.unwrap(), []);
}

async fn an_owners_claim_needs_the_token_and_no_lease_alone(store: Arc<dyn Store>) {
    let now = now();
    let fresh = connect(&store, 1, 0, 60 * DAY, now).await;
    let claim = async |token: &str, after: i64| {
        let then = now + seconds(after);
        store.claim_for_refresh(&fresh.id, token, then + seconds(60), then).await.unwrap()
    };
    assert!(!claim("v1.k1.another", 0).await);
    assert!(claim(&fresh.access_token, 0).await, "it is not due, and that does not matter");
    assert!(!claim(&fresh.access_token, 59).await, "somebody has it");
    assert!(claim(&fresh.access_token, 60).await, "the lease is over");
    let lease = Some(now + seconds(120));
    let waits = Postponement { lease, ..postponement(now + seconds(DAY), None) };
    store.postpone_refresh(&fresh.id, &fresh.access_token, waits, now).await.unwrap();
    assert!(claim(&fresh.access_token, 61).await, "it is postponed, and that does not matter");
    assert_eq!(store.connection(&fresh.id).await.unwrap().unwrap().refresh_failures, 3, "each counts");
    disconnect(&store, "user-1", now).await;
    assert!(!claim("", 1000).await);
    assert!(!store.claim_for_refresh("no id", "x", now, now).await.unwrap());
}

async fn one_of_20_owners_claims_gets_it(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let claims = (0..20).map(|_| {
        let (store, one) = (Arc::clone(&store), one.clone());
        tokio::spawn(async move {
            store.claim_for_refresh(&one.id, &one.access_token, now + seconds(60), now).await.unwrap()
        })
    });
    let claimed = join_all(claims).await.into_iter().filter(|claim| *claim.as_ref().unwrap()).count();
    assert_eq!(claimed, 1);
    assert_eq!(store.claim_due_for_refresh(due(now), now).await.unwrap(), [], "the job leaves it alone");
}

async fn a_connection_saved_anew_is_free_of_leases_and_waits(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap().remove(0);
    let waits = given_back(&claimed, now + seconds(DAY), Some("away"));
    store.postpone_refresh(&one.id, &one.access_token, waits, now).await.unwrap();
    assert!(store.claim_for_refresh(&one.id, &one.access_token, now + seconds(60), now).await.unwrap());
    let again = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    assert_eq!((again.refresh_failures, again.last_error), (0, None));
    assert_eq!(store.claim_due_for_refresh(due(now), now).await.unwrap().len(), 1);
}

async fn a_postponement_ends_the_lease(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap().remove(0);
    let soon = given_back(&claimed, now + seconds(10), Some("away"));
    store.postpone_refresh(&one.id, &one.access_token, soon, now).await.unwrap();
    let then = now + seconds(10);
    let claimed = store.claim_due_for_refresh(due(then), then).await.unwrap();
    assert_eq!(claimed.len(), 1, "the lease would have lasted longer");
    // Without a sentence, the one that is there stays.
    let later = given_back(&claimed[0], now + seconds(20), None);
    store.postpone_refresh(&one.id, &one.access_token, later, then).await.unwrap();
    let stored = store.connection(&one.id).await.unwrap().unwrap();
    assert_eq!(stored.last_error.as_deref(), Some("away"));
}

async fn a_postponement_without_a_lease_shortens_no_wait(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let due_at = async |after: i64| {
        let then = now + seconds(after);
        let claimed = store.claim_due_for_refresh(due(then), then).await.unwrap();
        if let Some(claimed) = claimed.first() {
            store.give_back_refreshes(&[&one.id], claimed.refresh_lease_until.unwrap(), then).await.unwrap();
        }
        claimed.len()
    };
    let put_off = async |after: i64| {
        let wait = postponement(now + seconds(after), None);
        store.postpone_refresh(&one.id, &one.access_token, wait, now).await.unwrap();
    };
    put_off(600).await;
    put_off(60).await;
    assert_eq!((due_at(599).await, due_at(600).await), (0, 1), "what failed waits as long as it was told to");
    put_off(900).await;
    assert_eq!((due_at(899).await, due_at(900).await), (0, 1));
}

async fn a_worker_that_comes_too_late_ends_no_lease_of_another(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let first = store.claim_due_for_refresh(due(now), now).await.unwrap().remove(0);
    let then = now + seconds(120);
    let second = store.claim_due_for_refresh(due(then), then).await.unwrap().remove(0);
    let told =
        Postponement { event: Some(event("refresh_failed")), ..given_back(&first, then, Some("late")) };
    for late in [told, Postponement { lease: None, ..postponement(then, Some("late")) }] {
        store.postpone_refresh(&one.id, &one.access_token, late, then).await.unwrap();
    }
    assert_eq!(store.connection(&one.id).await.unwrap(), Some(second.clone()), "nothing is changed");
    assert_eq!(store.claim_due_for_refresh(due(then), then).await.unwrap(), [], "it is still the second's");
    let away = given_back(&second, then, Some("away"));
    store.postpone_refresh(&one.id, &one.access_token, away, then).await.unwrap();
    assert_eq!(store.claim_due_for_refresh(due(then), then).await.unwrap().len(), 1);
}

async fn a_renewed_token_counts_though_the_lease_is_anothers(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    store.claim_due_for_refresh(due(now), now).await.unwrap();
    let then = now + seconds(120);
    store.claim_due_for_refresh(due(then), then).await.unwrap();
    let (token, events) = (renewed("v1.k1.renewed", then), vec![event("refreshed")]);
    let stored = store.renew_token(&one.id, &one.access_token, token, events, then).await.unwrap().unwrap();
    assert_eq!((&*stored.access_token, stored.refresh_lease_until), ("v1.k1.renewed", None));
}

/// Instagram answered before the person removed the app, and its word about that came first.
async fn a_renewal_revives_nothing_that_is_marked_dead(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let removed = event("needs_reauthorization");
    store.mark_needs_reauthorization(&one.id, &one.access_token, "removed", removed, now).await.unwrap();
    let dead = store.connection(&one.id).await.unwrap();
    let (token, events) = (renewed("v1.k1.renewed", now), vec![event("refreshed")]);
    assert_eq!(store.renew_token(&one.id, &one.access_token, token, events, now).await.unwrap(), None);
    assert_eq!(store.connection(&one.id).await.unwrap(), dead, "nothing is changed");
}

async fn a_missing_permission_is_taken_off(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    let missing = Postponement {
        missing_scope: Some("instagram_business_manage_messages".to_owned()),
        ..postponement(now, None)
    };
    for _ in 0..2 {
        store.postpone_refresh(&one.id, &one.access_token, missing.clone(), now).await.unwrap();
        let scopes = store.connection(&one.id).await.unwrap().unwrap().scopes;
        assert_eq!(scopes, ["instagram_business_basic"]);
    }
}

async fn the_first_due_is_told_even_while_it_is_claimed(store: Arc<dyn Store>) {
    let now = now();
    let first = async || {
        let due = due(now);
        store.first_due_for_refresh(due.expires_by, due.issued_by, now).await.unwrap()
    };
    assert_eq!(first().await, None);
    connect(&store, 1, 1, 10 * DAY, now).await;
    connect(&store, 2, 40 * DAY, 31 * DAY, now).await;
    connect(&store, 3, 60 * DAY, 0, now).await;
    assert_eq!(first().await, None, "too young, not yet, too late");
    let wanted = connect(&store, 4, 40 * DAY, 12 * DAY, now).await;
    connect(&store, 5, 40 * DAY, 13 * DAY, now).await;
    let life = TokenLife { issued_at: wanted.token_issued_at, expires_at: wanted.token_expires_at };
    assert_eq!(first().await, Some(life));
    store.claim_due_for_refresh(due(now), now).await.unwrap();
    assert_eq!(first().await, Some(life));
}

async fn ended_tokens_are_found_until_they_are_marked(store: Arc<dyn Store>) {
    let now = now();
    connect(&store, 1, 10 * DAY, 1, now).await;
    let ended = connect(&store, 2, 60 * DAY, 0, now).await;
    connect(&store, 3, 60 * DAY, -5, now).await;
    disconnect(&store, "user-3", now).await;
    let found = async |limit| store.unmarked_ended(limit, now).await.unwrap();
    assert_eq!(found(10).await, std::slice::from_ref(&ended));
    assert_eq!(found(0).await, []);
    let wait = postponement(now + seconds(60), None);
    store.postpone_sync(&ended.id, &ended.access_token, wait, now).await.unwrap();
    assert_eq!(found(10).await, [], "it is to be asked after later");
    let later = now + seconds(60);
    let both = store.unmarked_ended(10, later).await.unwrap();
    let users: Vec<_> = both.iter().map(|connection| &*connection.user_id).collect();
    assert_eq!(users, ["user-2", "user-1"], "by now the other has ended, too");
    let marked = event("needs_reauthorization");
    store.mark_needs_reauthorization(&ended.id, &ended.access_token, "ended", marked, now).await.unwrap();
    assert_eq!(store.unmarked_ended(10, later).await.unwrap().len(), 1);
}

async fn what_was_not_tried_is_no_failure(store: Arc<dyn Store>) {
    let now = now();
    connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    for (untried, failures) in [(true, 0), (false, 1), (true, 1)] {
        let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap().remove(0);
        let back = Postponement { untried, ..given_back(&claimed, now, None) };
        store.postpone_refresh(&claimed.id, &claimed.access_token, back, now).await.unwrap();
        let stored = store.connection(&claimed.id).await.unwrap().unwrap();
        assert_eq!(stored.refresh_failures, failures, "{untried}");
    }
}

async fn what_is_given_back_is_due_at_once(store: Arc<dyn Store>) {
    let now = now();
    let mut before = Vec::new();
    for number in 1..=3 {
        before.push(connect(&store, number, 40 * DAY, number * DAY, now).await);
    }
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap();
    let tried = given_back(&claimed[0], now + seconds(60), None);
    store.postpone_refresh(&claimed[0].id, &claimed[0].access_token, tried, now).await.unwrap();
    let ids: Vec<_> = claimed.iter().map(|connection| &*connection.id).chain(["no id"]).collect();
    store.give_back_refreshes(&ids, now + seconds(120), now).await.unwrap();
    for (before, failures) in before.iter().zip([1, 0, 0]) {
        let stored = store.connection(&before.id).await.unwrap().unwrap();
        assert_eq!(stored, Connection { refresh_failures: failures, ..before.clone() });
    }
    store.give_back_refreshes(&[], now, now).await.unwrap();
    let again = store.claim_due_for_refresh(due(now), now).await.unwrap();
    let users: Vec<_> = again.iter().map(|connection| &*connection.user_id).collect();
    assert_eq!(users, ["user-2", "user-3"], "they do not wait, and the one that was tried does");
}

async fn what_has_failed_and_is_given_back_stays_behind_the_others(store: Arc<dyn Store>) {
    let now = now();
    let failed = connect(&store, 1, 40 * DAY, DAY, now).await;
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap().remove(0);
    let wait = given_back(&claimed, now + seconds(60), None);
    store.postpone_refresh(&failed.id, &failed.access_token, wait, now).await.unwrap();
    connect(&store, 2, 40 * DAY, 20 * DAY, now).await;
    let then = now + seconds(60);
    let ids = async |limit| {
        let claimed = store.claim_due_for_refresh(DueForRefresh { limit, ..due(then) }, then).await.unwrap();
        claimed.into_iter().map(|connection| connection.id).collect::<Vec<_>>()
    };
    let both = ids(2).await;
    let both: Vec<_> = both.iter().map(String::as_str).collect();
    store.give_back_refreshes(&both, then + seconds(120), then).await.unwrap();
    assert_eq!(store.connection(&failed.id).await.unwrap().unwrap().refresh_failures, 1);
    assert_ne!(ids(1).await, [&*failed.id]);
    assert_eq!(ids(1).await, [&*failed.id]);
}

async fn what_is_given_back_too_late_is_anothers(store: Arc<dyn Store>) {
    let now = now();
    let one = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    store.claim_due_for_refresh(due(now), now).await.unwrap();
    let then = now + seconds(120);
    let second = store.claim_due_for_refresh(due(then), then).await.unwrap().remove(0);
    store.give_back_refreshes(&[&one.id], now + seconds(120), then).await.unwrap();
    assert_eq!(store.connection(&one.id).await.unwrap(), Some(second), "nothing is changed");
}

async fn a_renewal_and_a_reconnect_at_once_leave_the_reconnect(store: Arc<dyn Store>) {
    let start = now();
    for round in 0..20 {
        let old = connect(&store, 1, 40 * DAY, 20 * DAY, start).await;
        let renewing = {
            let (store, old) = (Arc::clone(&store), old.clone());
            tokio::spawn(async move {
                let events = vec![event("refreshed")];
                let renewed = renewed("v1.k1.renewed", start);
                store.renew_token(&old.id, &old.access_token, renewed, events, start).await.unwrap()
            })
        };
        let again = NewConnection {
            access_token: format!("v1.k1.again-{round}"),
            ..new_connection("user-1", &old.instagram_user_id, start)
        };
        let wanted = again.access_token.clone();
        store.save_connection(again, event("connected"), start).await.unwrap();
        renewing.await.unwrap();
        assert_eq!(store.connection(&old.id).await.unwrap().unwrap().access_token, wanted);
    }
}
