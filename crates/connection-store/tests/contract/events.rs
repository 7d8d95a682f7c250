//! Events of a connection, and the receivers to notify.

use std::collections::HashSet;
use std::sync::Arc;

use connection_store::{
    Delivery, Event, EventCursor, NewEvent, NextAttempt, Profile, RefreshedToken, Store, Subject,
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::connections::{new_connection, save};
use crate::refresh::next_attempt;
use crate::{contract, disconnect, event, now, seconds};

contract! {
    an_event_is_stored_as_it_was_given,
    every_change_that_happens_is_told,
    what_changes_nothing_is_not_told,
    an_event_is_stored_once,
    of_many_changes_by_four_workers_each_is_told,
    an_event_without_a_change_belongs_to_a_token,
    pages_are_stable_where_times_are_equal,
    expired_events_are_left_out,
    events_do_not_pass_to_another_user,
    events_are_told_to_the_present_owner_alone,
    each_receiver_gets_a_delivery,
    a_delivery_is_claimed_once_by_20_workers,
    what_is_due_longest_is_delivered_first,
    a_delivery_waits_until_it_is_finished,
    a_delivery_ends_by_itself,
    nothing_waits_to_be_settled,
}

const ACCOUNT: &str = "17841400000000001";

/// All events that the present owner sees.
async fn all(store: &Arc<dyn Store>, connection_id: &str, now: Timestamp) -> Vec<Event> {
    let owner = store.connection(connection_id).await.unwrap().map(|connection| connection.user_id);
    store.events(connection_id, owner.as_deref().unwrap_or("ann"), None, 100, now).await.unwrap()
}

fn telling(receivers: &[&str]) -> NewEvent {
    NewEvent {
        notify: receivers.iter().map(|&name| name.to_owned()).collect(),
        ..event("connection.created")
    }
}

async fn claim(store: &Arc<dyn Store>, now: Timestamp) -> Vec<Delivery> {
    store.claim_deliveries(now + seconds(60), 10, now).await.unwrap()
}

async fn an_event_is_stored_as_it_was_given(store: Arc<dyn Store>) {
    let now = now();
    let new = NewEvent { succeeded: false, message: "$at ünd \"so\"".to_owned(), ..event("$connected") };
    store.save_connection(new_connection("ann", ACCOUNT, now), new.clone(), now).await.unwrap();
    let connection = store.latest_connection("ann").await.unwrap().unwrap();
    let expected = Event { id: new.id, kind: new.kind, at: now, succeeded: false, message: new.message };
    assert_eq!(all(&store, &connection.id, now).await, [expected]);
    assert_eq!(all(&store, "000000000000000000000000", now).await, []);
    assert_eq!(all(&store, "no id", now).await, []);
    assert_eq!(store.events(&connection.id, "ann", None, 0, now).await.unwrap(), []);
}

async fn every_change_that_happens_is_told(store: Arc<dyn Store>) {
    let start = now();
    let at = |after| start + seconds(after);
    let one = save(&store, new_connection("ann", ACCOUNT, start), start).await;
    let waits = |kind| NextAttempt { event: Some(event(kind)), ..next_attempt(start, None) };
    store.reschedule_refresh(&one.id, &one.access_token, waits("refresh_failed"), at(1)).await.unwrap();
    store.reschedule_sync(&one.id, &one.access_token, waits("sync_failed"), at(2)).await.unwrap();
    let (profile, scope) = (Profile::default(), "instagram_business_basic");
    store.update_profile(&one.id, "ann", profile, scope, event("synced"), at(3)).await.unwrap();
    let renewed = RefreshedToken {
        access_token: "v1.k1.new".to_owned(),
        token_issued_at: at(4),
        token_expires_at: at(5_000_000),
        refresh_at: at(5_000_000),
        scopes: None,
    };
    let events = vec![event("refreshed"), event("permission_lost")];
    store.replace_token(&one.id, &one.access_token, renewed, events, at(4)).await.unwrap();
    store.mark_needs_reauthorization(&one.id, "v1.k1.new", "no", event("dead"), at(5)).await.unwrap();
    store.disconnect(&one.id, "ann", event("disconnected"), at(6)).await.unwrap();
    let kinds: Vec<_> = all(&store, &one.id, at(6)).await.into_iter().map(|event| event.kind).collect();
    let expected = [
        "disconnected",
        "dead",
        "permission_lost",
        "refreshed",
        "synced",
        "sync_failed",
        "refresh_failed",
        "connected",
    ];
    assert_eq!(kinds, expected);
}

async fn what_changes_nothing_is_not_told(store: Arc<dyn Store>) {
    let now = now();
    let one = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    let told = || telling(&["a"]);
    store.save_connection(new_connection("bob", ACCOUNT, now), told(), now).await.unwrap();
    let waits = NextAttempt { event: Some(told()), ..next_attempt(now, Some("no")) };
    store.reschedule_refresh(&one.id, "another", waits.clone(), now).await.unwrap();
    store.reschedule_sync(&one.id, "another", waits, now).await.unwrap();
    let profile = Profile::default();
    assert_eq!(store.update_profile(&one.id, "bob", profile, "x", told(), now).await.unwrap(), None);
    assert!(!store.mark_needs_reauthorization(&one.id, "another", "no", told(), now).await.unwrap());
    assert!(!store.disconnect(&one.id, "bob", told(), now).await.unwrap());
    let renewed = RefreshedToken {
        access_token: "x".to_owned(),
        token_issued_at: now,
        token_expires_at: now,
        refresh_at: now,
        scopes: None,
    };
    assert_eq!(store.replace_token(&one.id, "another", renewed, vec![told()], now).await.unwrap(), None);
    assert_eq!(all(&store, &one.id, now).await.len(), 1, "that it was connected");
    assert_eq!(claim(&store, now).await, []);
    assert_eq!(store.connection(&one.id).await.unwrap(), Some(one));
}

async fn an_event_without_a_change_belongs_to_a_token(store: Arc<dyn Store>) {
    let now = now();
    let saved = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    let (id, token) = (&saved.id, &saved.access_token);
    let read = event("token_read");
    assert!(store.record_event(id, token, read.clone(), now + seconds(1)).await.unwrap());
    assert_eq!(all(&store, id, now).await[0].id, read.id);
    assert_eq!(store.latest_connection("ann").await.unwrap().as_ref(), Some(&saved), "nothing else changes");
    for (id, token) in [(id.as_str(), "another"), ("000000000000000000000000", token), ("no id", token)] {
        assert!(!store.record_event(id, token, event("token_read"), now).await.unwrap(), "{id} {token}");
    }
    disconnect(&store, "ann", now + seconds(2)).await;
    assert!(!store.record_event(id, token, event("token_read"), now + seconds(3)).await.unwrap());
    assert_eq!(all(&store, id, now).await.len(), 3);
}

async fn an_event_is_stored_once(store: Arc<dyn Store>) {
    let now = now();
    let one = telling(&["a"]);
    for after in 0..3 {
        let now = now + seconds(after);
        store.save_connection(new_connection("ann", ACCOUNT, now), one.clone(), now).await.unwrap();
    }
    let connection = store.latest_connection("ann").await.unwrap().unwrap();
    let events = all(&store, &connection.id, now).await;
    assert_eq!((events.len(), events[0].at), (1, now));
    assert_eq!(claim(&store, now + seconds(5)).await.len(), 1);
}

async fn of_many_changes_by_four_workers_each_is_told(store: Arc<dyn Store>) {
    let now = now();
    let one = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    let workers = (0..4).map(|_| {
        let (store, one) = (Arc::clone(&store), one.clone());
        tokio::spawn(async move {
            for _ in 0..30 {
                let read = event("token_read");
                assert!(store.record_event(&one.id, &one.access_token, read, now).await.unwrap());
            }
        })
    });
    join_all(workers).await.into_iter().for_each(Result::unwrap);
    store.settle_events(SignedDuration::ZERO, now).await.unwrap();
    assert_eq!(store.events(&one.id, "ann", None, 200, now).await.unwrap().len(), 121);
}

async fn pages_are_stable_where_times_are_equal(store: Arc<dyn Store>) {
    let now = now();
    let one = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    for number in 0..12 {
        let waits = NextAttempt { event: Some(event("failed")), ..next_attempt(now, None) };
        let then = now + seconds(number / 4);
        store.reschedule_refresh(&one.id, &one.access_token, waits, then).await.unwrap();
    }
    let whole = all(&store, &one.id, now).await;
    assert_eq!(whole.len(), 13);
    assert!(whole.is_sorted_by(|a, b| (a.at, &a.id) > (b.at, &b.id)));
    for size in [1, 3, 5] {
        let (mut paged, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.events(&one.id, "ann", cursor, size, now).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= size as usize);
            cursor = Some(EventCursor { at: last.at, id: last.id.clone() });
            paged.extend(page);
        }
        assert_eq!(paged, whole, "pages of {size}");
    }
}

async fn expired_events_are_left_out(store: Arc<dyn Store>) {
    let now = now();
    let short = NewEvent { expires_at: Some(now + seconds(60)), ..event("connected") };
    store.save_connection(new_connection("ann", ACCOUNT, now), short, now).await.unwrap();
    let id = store.latest_connection("ann").await.unwrap().unwrap().id;
    assert_eq!(all(&store, &id, now + seconds(59)).await.len(), 1);
    assert_eq!(all(&store, &id, now + seconds(60)).await, []);
}

async fn events_do_not_pass_to_another_user(store: Arc<dyn Store>) {
    let now = now();
    let first = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    store.disconnect(&first.id, "ann", telling(&["a"]), now + seconds(1)).await.unwrap();
    let later = now + seconds(2);
    let second = save(&store, new_connection("bob", ACCOUNT, later), later).await;
    assert_eq!(first.id, second.id);
    let events = all(&store, &second.id, later).await;
    assert_eq!(events.iter().map(|event| event.at).collect::<Vec<_>>(), [later]);
    let delivery = claim(&store, later).await.remove(0);
    assert_eq!(delivery.user_id, "ann", "what is to be told of her is still told");
    // Coming back to one's own loses nothing.
    disconnect(&store, "bob", later).await;
    save(&store, new_connection("bob", ACCOUNT, later), later + seconds(1)).await;
    assert_eq!(all(&store, &second.id, later).await.len(), 3);
}

async fn events_are_told_to_the_present_owner_alone(store: Arc<dyn Store>) {
    let now = now();
    let one = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    let seen = async |user: &str| store.events(&one.id, user, None, 9, now + seconds(9)).await.unwrap().len();
    assert_eq!((seen("ann").await, seen("bob").await, seen("").await), (1, 0, 0));
    disconnect(&store, "ann", now + seconds(1)).await;
    assert_eq!((seen("ann").await, seen("bob").await), (2, 0));
    // Ann may have asked for her connection just before it passed on.
    save(&store, new_connection("bob", ACCOUNT, now), now + seconds(2)).await;
    assert_eq!((seen("ann").await, seen("bob").await), (0, 1));
}

async fn each_receiver_gets_a_delivery(store: Arc<dyn Store>) {
    let now = now();
    let new = telling(&["https://a.example/hook", "$b"]);
    store.save_connection(new_connection("ann", ACCOUNT, now), new.clone(), now).await.unwrap();
    let connection = store.latest_connection("ann").await.unwrap().unwrap();
    let mut claimed = claim(&store, now).await;
    claimed.sort_by(|a, b| a.receiver.cmp(&b.receiver));
    let expected = ["$b", "https://a.example/hook"].map(|receiver| Delivery {
        event_id: new.id.clone(),
        receiver: receiver.to_owned(),
        kind: new.kind.clone(),
        at: now,
        subject: Subject::Connection(connection.id.clone()),
        user_id: "ann".to_owned(),
        instagram_user_id: ACCOUNT.to_owned(),
        attempts: 1,
    });
    assert_eq!(claimed, expected);
}

async fn a_delivery_is_claimed_once_by_20_workers(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..10 {
        let new = new_connection("ann", &format!("178414{number:011}"), now);
        store.save_connection(new, telling(&["a", "b"]), now).await.unwrap();
    }
    let workers = (0..20).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.claim_deliveries(now + seconds(60), 3, now).await.unwrap() })
    });
    let claims: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let different: HashSet<_> =
        claims.iter().map(|delivery| (delivery.event_id.clone(), delivery.receiver.clone())).collect();
    assert_eq!((claims.len(), different.len()), (20, 20));
}

async fn what_is_due_longest_is_delivered_first(store: Arc<dyn Store>) {
    let now = now();
    for age in [10, 30, 20] {
        let at = now - seconds(age);
        store.save_connection(new_connection("ann", ACCOUNT, at), telling(&["a"]), at).await.unwrap();
    }
    let claimed = store.claim_deliveries(now + seconds(60), 2, now).await.unwrap();
    let ages: Vec<_> = claimed.iter().map(|delivery| now.duration_since(delivery.at).as_secs()).collect();
    assert_eq!(ages, [30, 20]);
}

async fn a_delivery_waits_until_it_is_finished(store: Arc<dyn Store>) {
    let now = now();
    store.save_connection(new_connection("ann", ACCOUNT, now), telling(&["a"]), now).await.unwrap();
    let first = claim(&store, now).await.remove(0);
    assert_eq!(claim(&store, now + seconds(59)).await, []);
    assert_eq!(claim(&store, now + seconds(60)).await[0].attempts, 2, "the worker died");
    store.reschedule_delivery(&first.event_id, "a", now + seconds(600)).await.unwrap();
    store.reschedule_delivery(&first.event_id, "b", now).await.unwrap();
    assert_eq!(claim(&store, now + seconds(599)).await, []);
    assert_eq!(claim(&store, now + seconds(600)).await[0].attempts, 3);
    store.release_delivery(&first.event_id, "a", now + seconds(610)).await.unwrap();
    store.release_delivery(&first.event_id, "b", now).await.unwrap();
    assert_eq!(claim(&store, now + seconds(609)).await, []);
    assert_eq!(claim(&store, now + seconds(610)).await[0].attempts, 3, "it was not tried");
    store.finish_delivery(&first.event_id, "b").await.unwrap();
    store.finish_delivery(&first.event_id, "a").await.unwrap();
    assert_eq!(claim(&store, now + seconds(6000)).await, []);
    store.reschedule_delivery(&first.event_id, "a", now).await.unwrap();
    assert_eq!(claim(&store, now + seconds(6000)).await, [], "a next_attempt does not bring it back");
}

async fn a_delivery_ends_by_itself(store: Arc<dyn Store>) {
    let now = now();
    store.save_connection(new_connection("ann", ACCOUNT, now), telling(&["a"]), now).await.unwrap();
    let week = seconds(7 * 86_400);
    assert_eq!(claim(&store, now + week).await, []);
    assert_eq!(claim(&store, now + week - seconds(1)).await.len(), 1);
}

async fn nothing_waits_to_be_settled(store: Arc<dyn Store>) {
    let now = now();
    let one = save(&store, new_connection("ann", ACCOUNT, now), now).await;
    disconnect(&store, "ann", now).await;
    assert_eq!(store.settle_events(SignedDuration::ZERO, now + seconds(60)).await.unwrap(), 0);
    assert_eq!(all(&store, &one.id, now).await.len(), 2);
}
