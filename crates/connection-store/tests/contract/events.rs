//! Events of a connection, and the receivers to notify.

use std::collections::HashSet;

use connection_store::{Delivery, Event, EventCursor, NewEvent, NextAttempt, Profile, RefreshedToken};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::accounts::read;
use crate::connections::save;
use crate::refresh::next_attempt;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    an_event_is_stored_as_it_was_given,
    every_change_that_happens_is_told,
    what_changes_nothing_is_not_told,
    an_event_is_stored_once,
    an_event_without_a_change_belongs_to_a_token,
    pages_are_stable_where_times_are_equal,
    expired_events_are_left_out,
    events_do_not_pass_to_another_user,
    events_are_told_to_the_present_owner_alone,
    each_receiver_gets_a_delivery,
    what_is_due_longest_is_delivered_first,
    a_delivery_waits_until_it_is_finished,
    a_delivery_ends_by_itself,
    nothing_waits_to_be_settled,
    [once]
    of_many_changes_by_four_workers_each_is_told,
    a_delivery_is_claimed_once_by_20_workers,
}

const ACCOUNT: &str = "17841400000000001";

/// All events that the present owner sees.
async fn all(accounts: &Accounts, connection_id: &str, now: Timestamp) -> Vec<Event> {
    let owner =
        accounts.connections().connection(connection_id).await.unwrap().map(|connection| connection.user_id);
    accounts.events(connection_id, owner.as_deref().unwrap_or("ann"), None, 100, now).await.unwrap()
}

fn telling(receivers: &[&str]) -> NewEvent {
    NewEvent {
        notify: receivers.iter().map(|&name| name.to_owned()).collect(),
        ..event("connection.created")
    }
}

async fn claim(accounts: &Accounts, now: Timestamp) -> Vec<Delivery> {
    accounts.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap()
}

async fn an_event_is_stored_as_it_was_given(accounts: Accounts) {
    let now = now();
    let new = NewEvent { succeeded: false, message: "$at ünd \"so\"".to_owned(), ..event("$connected") };
    accounts
        .connections()
        .save_connection(accounts.new_connection("ann", ACCOUNT, now), new.clone(), now)
        .await
        .unwrap();
    let connection = accounts.connections().current_connection("ann").await.unwrap().unwrap();
    let expected = Event { id: new.id, kind: new.kind, at: now, succeeded: false, message: new.message };
    assert_eq!(all(&accounts, &connection.id, now).await, [expected]);
    assert_eq!(all(&accounts, "000000000000000000000000", now).await, []);
    assert_eq!(all(&accounts, "no id", now).await, []);
    assert_eq!(accounts.events(&connection.id, "ann", None, 0, now).await.unwrap(), []);
}

async fn every_change_that_happens_is_told(accounts: Accounts) {
    let start = now();
    let at = |after| start + seconds(after);
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, start), start).await;
    let waits = |kind| NextAttempt { event: Some(event(kind)), ..next_attempt(start, None) };
    accounts
        .connections()
        .reschedule_refresh(&one.id, &one.access_token, waits("refresh_failed"), at(1))
        .await
        .unwrap();
    accounts
        .connections()
        .reschedule_sync(&one.id, &one.access_token, waits("sync_failed"), at(2))
        .await
        .unwrap();
    let (profile, scope) = (Profile::default(), "instagram_business_basic");
    accounts
        .connections()
        .update_profile(&one.id, "ann", read(profile, scope), event("synced"), at(3))
        .await
        .unwrap();
    let renewed = RefreshedToken {
        access_token: "v1.k1.new".to_owned(),
        refresh_token: None,
        token_issued_at: at(4),
        token_expires_at: at(5_000_000),
        expires_at: at(5_000_000),
        refresh_at: at(5_000_000),
        scopes: None,
    };
    let events = vec![event("refreshed"), event("permission_lost")];
    accounts.connections().replace_token(&one.id, &one.access_token, renewed, events, at(4)).await.unwrap();
    accounts
        .connections()
        .mark_needs_reauthorization(&one.id, "v1.k1.new", "no", event("dead"), at(5))
        .await
        .unwrap();
    accounts.connections().disconnect(&one.id, "ann", event("disconnected"), at(6)).await.unwrap();
    let kinds: Vec<_> = all(&accounts, &one.id, at(6)).await.into_iter().map(|event| event.kind).collect();
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

async fn what_changes_nothing_is_not_told(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let told = || telling(&["a"]);
    accounts
        .connections()
        .save_connection(accounts.new_connection("bob", ACCOUNT, now), told(), now)
        .await
        .unwrap();
    let waits = NextAttempt { event: Some(told()), ..next_attempt(now, Some("no")) };
    accounts.connections().reschedule_refresh(&one.id, "another", waits.clone(), now).await.unwrap();
    accounts.connections().reschedule_sync(&one.id, "another", waits, now).await.unwrap();
    let profile = Profile::default();
    assert_eq!(
        accounts.connections().update_profile(&one.id, "bob", read(profile, "x"), told(), now).await.unwrap(),
        None
    );
    assert!(
        !accounts
            .connections()
            .mark_needs_reauthorization(&one.id, "another", "no", told(), now)
            .await
            .unwrap()
    );
    assert!(!accounts.connections().disconnect(&one.id, "bob", told(), now).await.unwrap());
    let renewed = RefreshedToken {
        access_token: "x".to_owned(),
        refresh_token: None,
        token_issued_at: now,
        token_expires_at: now,
        expires_at: now,
        refresh_at: now,
        scopes: None,
    };
    assert_eq!(
        accounts.connections().replace_token(&one.id, "another", renewed, vec![told()], now).await.unwrap(),
        None
    );
    assert_eq!(all(&accounts, &one.id, now).await.len(), 1, "that it was connected");
    assert_eq!(claim(&accounts, now).await, []);
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), Some(one));
}

async fn an_event_without_a_change_belongs_to_a_token(accounts: Accounts) {
    let now = now();
    let saved = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let (id, token) = (&saved.id, &saved.access_token);
    let read = event("token_read");
    assert!(accounts.connections().record_event(id, token, read.clone(), now + seconds(1)).await.unwrap());
    assert_eq!(all(&accounts, id, now).await[0].id, read.id);
    assert_eq!(
        accounts.connections().current_connection("ann").await.unwrap().as_ref(),
        Some(&saved),
        "nothing else changes"
    );
    for (id, token) in [(id.as_str(), "another"), ("000000000000000000000000", token), ("no id", token)] {
        assert!(
            !accounts.connections().record_event(id, token, event("token_read"), now).await.unwrap(),
            "{id} {token}"
        );
    }
    disconnect(&accounts, "ann", now + seconds(2)).await;
    assert!(
        !accounts.connections().record_event(id, token, event("token_read"), now + seconds(3)).await.unwrap()
    );
    assert_eq!(all(&accounts, id, now).await.len(), 3);
}

async fn an_event_is_stored_once(accounts: Accounts) {
    let now = now();
    let one = telling(&["a"]);
    for after in 0..3 {
        let now = now + seconds(after);
        accounts
            .connections()
            .save_connection(accounts.new_connection("ann", ACCOUNT, now), one.clone(), now)
            .await
            .unwrap();
    }
    let connection = accounts.connections().current_connection("ann").await.unwrap().unwrap();
    let events = all(&accounts, &connection.id, now).await;
    assert_eq!((events.len(), events[0].at), (1, now));
    assert_eq!(claim(&accounts, now + seconds(5)).await.len(), 1);
}

async fn of_many_changes_by_four_workers_each_is_told(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let workers = (0..4).map(|_| {
        let (accounts, one) = (accounts.clone(), one.clone());
        tokio::spawn(async move {
            for _ in 0..30 {
                let read = event("token_read");
                assert!(
                    accounts.connections().record_event(&one.id, &one.access_token, read, now).await.unwrap()
                );
            }
        })
    });
    join_all(workers).await.into_iter().for_each(Result::unwrap);
    accounts.store.settle_events(SignedDuration::ZERO, now).await.unwrap();
    assert_eq!(accounts.events(&one.id, "ann", None, 200, now).await.unwrap().len(), 121);
}

async fn pages_are_stable_where_times_are_equal(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    for number in 0..12 {
        let waits = NextAttempt { event: Some(event("failed")), ..next_attempt(now, None) };
        let then = now + seconds(number / 4);
        accounts.connections().reschedule_refresh(&one.id, &one.access_token, waits, then).await.unwrap();
    }
    let whole = all(&accounts, &one.id, now).await;
    assert_eq!(whole.len(), 13);
    assert!(whole.is_sorted_by(|a, b| (a.at, &a.id) > (b.at, &b.id)));
    for size in [1, 3, 5] {
        let (mut paged, mut cursor) = (Vec::new(), None);
        loop {
            let page = accounts.events(&one.id, "ann", cursor, size, now).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= size as usize);
            cursor = Some(EventCursor { at: last.at, id: last.id.clone() });
            paged.extend(page);
        }
        assert_eq!(paged, whole, "pages of {size}");
    }
}

async fn expired_events_are_left_out(accounts: Accounts) {
    let now = now();
    let short = NewEvent { expires_at: Some(now + seconds(60)), ..event("connected") };
    accounts
        .connections()
        .save_connection(accounts.new_connection("ann", ACCOUNT, now), short, now)
        .await
        .unwrap();
    let id = accounts.connections().current_connection("ann").await.unwrap().unwrap().id;
    assert_eq!(all(&accounts, &id, now + seconds(59)).await.len(), 1);
    assert_eq!(all(&accounts, &id, now + seconds(60)).await, []);
}

async fn events_do_not_pass_to_another_user(accounts: Accounts) {
    let now = now();
    let first = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    accounts.connections().disconnect(&first.id, "ann", telling(&["a"]), now + seconds(1)).await.unwrap();
    let later = now + seconds(2);
    let second = save(&accounts, accounts.new_connection("bob", ACCOUNT, later), later).await;
    assert_eq!(first.id, second.id);
    let events = all(&accounts, &second.id, later).await;
    assert_eq!(events.iter().map(|event| event.at).collect::<Vec<_>>(), [later]);
    let delivery = claim(&accounts, later).await.remove(0);
    assert_eq!(delivery.user_id, "ann", "what is to be told of her is still told");
    // Coming back to one's own loses nothing.
    disconnect(&accounts, "bob", later).await;
    save(&accounts, accounts.new_connection("bob", ACCOUNT, later), later + seconds(1)).await;
    assert_eq!(all(&accounts, &second.id, later).await.len(), 3);
}

async fn events_are_told_to_the_present_owner_alone(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    let seen =
        async |user: &str| accounts.events(&one.id, user, None, 9, now + seconds(9)).await.unwrap().len();
    assert_eq!((seen("ann").await, seen("bob").await, seen("").await), (1, 0, 0));
    disconnect(&accounts, "ann", now + seconds(1)).await;
    assert_eq!((seen("ann").await, seen("bob").await), (2, 0));
    // Ann may have asked for her connection just before it passed on.
    save(&accounts, accounts.new_connection("bob", ACCOUNT, now), now + seconds(2)).await;
    assert_eq!((seen("ann").await, seen("bob").await), (0, 1));
}

async fn each_receiver_gets_a_delivery(accounts: Accounts) {
    let now = now();
    let new = telling(&["https://a.example/hook", "$b"]);
    accounts
        .connections()
        .save_connection(accounts.new_connection("ann", ACCOUNT, now), new.clone(), now)
        .await
        .unwrap();
    let connection = accounts.connections().current_connection("ann").await.unwrap().unwrap();
    let mut claimed = claim(&accounts, now).await;
    claimed.sort_by(|a, b| a.receiver.cmp(&b.receiver));
    let expected = ["$b", "https://a.example/hook"].map(|receiver| Delivery {
        event_id: new.id.clone(),
        receiver: receiver.to_owned(),
        kind: new.kind.clone(),
        at: now,
        subject: accounts.subject(&connection.id),
        user_id: "ann".to_owned(),
        provider_account_id: ACCOUNT.to_owned(),
        attempts: 1,
    });
    assert_eq!(claimed, expected);
}

async fn a_delivery_is_claimed_once_by_20_workers(accounts: Accounts) {
    let now = now();
    for number in 0..10 {
        let new = accounts.new_connection("ann", &format!("178414{number:011}"), now);
        accounts.connections().save_connection(new, telling(&["a", "b"]), now).await.unwrap();
    }
    let workers = (0..20).map(|_| {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.store.claim_deliveries(now + seconds(60), 3, now).await.unwrap() })
    });
    let claims: Vec<_> = join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    let different: HashSet<_> =
        claims.iter().map(|delivery| (delivery.event_id.clone(), delivery.receiver.clone())).collect();
    assert_eq!((claims.len(), different.len()), (20, 20));
}

async fn what_is_due_longest_is_delivered_first(accounts: Accounts) {
    let now = now();
    for age in [10, 30, 20] {
        let at = now - seconds(age);
        accounts
            .connections()
            .save_connection(accounts.new_connection("ann", ACCOUNT, at), telling(&["a"]), at)
            .await
            .unwrap();
    }
    let claimed = accounts.store.claim_deliveries(now + seconds(60), 2, now).await.unwrap();
    let ages: Vec<_> = claimed.iter().map(|delivery| now.duration_since(delivery.at).as_secs()).collect();
    assert_eq!(ages, [30, 20]);
}

async fn a_delivery_waits_until_it_is_finished(accounts: Accounts) {
    let now = now();
    accounts
        .connections()
        .save_connection(accounts.new_connection("ann", ACCOUNT, now), telling(&["a"]), now)
        .await
        .unwrap();
    let first = claim(&accounts, now).await.remove(0);
    assert_eq!(claim(&accounts, now + seconds(59)).await, []);
    assert_eq!(claim(&accounts, now + seconds(60)).await[0].attempts, 2, "the worker died");
    accounts.store.reschedule_delivery(&first.event_id, "a", now + seconds(600)).await.unwrap();
    accounts.store.reschedule_delivery(&first.event_id, "b", now).await.unwrap();
    assert_eq!(claim(&accounts, now + seconds(599)).await, []);
    assert_eq!(claim(&accounts, now + seconds(600)).await[0].attempts, 3);
    accounts.store.release_delivery(&first.event_id, "a", now + seconds(610)).await.unwrap();
    accounts.store.release_delivery(&first.event_id, "b", now).await.unwrap();
    assert_eq!(claim(&accounts, now + seconds(609)).await, []);
    assert_eq!(claim(&accounts, now + seconds(610)).await[0].attempts, 3, "it was not tried");
    accounts.store.finish_delivery(&first.event_id, "b").await.unwrap();
    accounts.store.finish_delivery(&first.event_id, "a").await.unwrap();
    assert_eq!(claim(&accounts, now + seconds(6000)).await, []);
    accounts.store.reschedule_delivery(&first.event_id, "a", now).await.unwrap();
    assert_eq!(claim(&accounts, now + seconds(6000)).await, [], "a next_attempt does not bring it back");
}

async fn a_delivery_ends_by_itself(accounts: Accounts) {
    let now = now();
    accounts
        .connections()
        .save_connection(accounts.new_connection("ann", ACCOUNT, now), telling(&["a"]), now)
        .await
        .unwrap();
    let week = seconds(7 * 86_400);
    assert_eq!(claim(&accounts, now + week).await, []);
    assert_eq!(claim(&accounts, now + week - seconds(1)).await.len(), 1);
}

async fn nothing_waits_to_be_settled(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", ACCOUNT, now), now).await;
    disconnect(&accounts, "ann", now).await;
    assert_eq!(accounts.store.settle_events(SignedDuration::ZERO, now + seconds(60)).await.unwrap(), 0);
    assert_eq!(all(&accounts, &one.id, now).await.len(), 2);
}
