//! Claiming connections whose token is due for a renewal.

use std::collections::HashSet;
use std::sync::Arc;

use connection_store::{Connection, DueForRefresh, NewConnection, RenewedToken, SaveOutcome, Store};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::connections::new_connection;
use crate::{contract, now, seconds};

contract! {
    only_what_is_due_is_claimed,
    what_ends_first_is_claimed_first,
    a_claim_holds_until_its_lease_ends,
    each_is_claimed_once_however_many_ask,
    a_postponed_one_waits_and_keeps_its_token,
    a_renewed_one_is_no_longer_due,
}

const DAY: i64 = 86_400;

fn due(now: Timestamp) -> DueForRefresh {
    DueForRefresh {
        expires_by: now + seconds(30 * DAY),
        issued_by: now - seconds(DAY),
        lease_until: now + seconds(120),
        limit: 10,
    }
}

/// A connection of a user of its own whose token is `age` old and has `left` to live, in seconds.
async fn connect(store: &Arc<dyn Store>, number: i64, age: i64, left: i64, now: Timestamp) -> Connection {
    let new = NewConnection {
        token_issued_at: now - seconds(age),
        token_expires_at: now + seconds(left),
        ..new_connection(&format!("user-{number}"), &format!("1784140000{number:07}"), now)
    };
    match store.save_connection(new, now).await.unwrap() {
        SaveOutcome::Saved(saved) => *saved,
        SaveOutcome::AccountInUse => panic!("the account is in use"),
    }
}

async fn only_what_is_due_is_claimed(store: Arc<dyn Store>) {
    let now = now();
    let wanted = connect(&store, 1, 40 * DAY, 20 * DAY, now).await;
    connect(&store, 2, 20 * DAY, 40 * DAY, now).await;
    connect(&store, 3, DAY - 1, 20 * DAY, now).await;
    connect(&store, 4, 60 * DAY, 0, now).await;
    let dead = connect(&store, 5, 40 * DAY, 20 * DAY, now).await;
    store.mark_needs_reauthorization(&dead.id, &dead.access_token, "refused", now).await.unwrap();
    connect(&store, 6, 40 * DAY, 20 * DAY, now).await;
    store.disconnect("user-6", now).await.unwrap();
    let claimed = store.claim_due_for_refresh(due(now), now).await.unwrap();
    assert_eq!(claimed, [Connection { refresh_failures: 1, ..wanted }]);
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
    store.claim_due_for_refresh(due(now), now).await.unwrap();
    let until = now + seconds(3600);
    store.postpone_refresh(&connected.id, "v1.k1.another", "no", until).await.unwrap();
    store.postpone_refresh(&connected.id, &connected.access_token, "$away", until).await.unwrap();
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
    let renewed = RenewedToken {
        access_token: "v1.k1.renewed".to_owned(),
        token_issued_at: now,
        token_expires_at: now + seconds(60 * DAY),
        scopes: None,
    };
    let stored =
        store.renew_token(&connected.id, &connected.access_token, renewed, now).await.unwrap().unwrap();
    assert_eq!(stored.refresh_failures, 0);
    let later = now + seconds(200);
    assert_eq!(store.claim_due_for_refresh(due(later), later).await.unwrap(), []);
}
