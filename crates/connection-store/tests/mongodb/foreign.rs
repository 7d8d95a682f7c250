//! Documents that are not ours and mean nothing to us: they do not keep the others from a job.

use connection_store::{ConnectionFilter, DeletionOf, Deletions, Events, NewConnection, NewDeletion, Store};
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};

use shared::Provider::Instagram;

use crate::{Setup, connection, event, new_connection, now, seconds};

const DAY: i64 = 86_400;
const FOREIGN: i64 = 25;

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

/// More documents than a page has, which do not say whose they are and come first in every list, and two good ones behind.
async fn mixed(left: i64, now: Timestamp) -> Setup {
    let setup = Setup::new().await;
    let foreign = (0..FOREIGN).map(|number| {
        doc! {
            "_id": ObjectId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number as u8]),
            "instagramUserId": format!("foreign-{number}"), "isActive": true,
            "accessToken": "v1.k1.foreign", "tokenKeyId": "k1", "refreshFailures": "many", "syncFailures": [],
            "tokenIssuedAt": date(now - seconds(90 * DAY)), "tokenExpiresAt": date(now + seconds(left - 60)),
            "lastSyncedAt": date(now - seconds(90 * DAY)),
        }
    });
    setup.connections().insert_many(foreign).await.unwrap();
    for (number, user) in ["ann", "bob"].into_iter().enumerate() {
        let new = NewConnection {
            token_issued_at: now - seconds(40 * DAY),
            token_expires_at: now + seconds(left + number as i64),
            expires_at: now + seconds(left + number as i64),
            refresh_at: now - seconds(DAY) + seconds(number as i64),
            ..new_connection(user, user)
        };
        setup.store.connections(Instagram).save_connection(new, event("connected"), now).await.unwrap();
    }
    setup
}

fn users(connections: Vec<connection_store::Connection>) -> Vec<String> {
    connections.into_iter().map(|connection| connection.user_id).collect()
}

#[tokio::test]
async fn claims_and_lists_find_what_is_behind_them() {
    let now = now();
    let setup = mixed(20 * DAY, now).await;
    let lease_until = now + seconds(60);
    assert_eq!(
        users(setup.store.connections(Instagram).claim_due_for_refresh(lease_until, 2, now).await.unwrap()),
        ["ann", "bob"]
    );
    let mut synced =
        users(setup.store.connections(Instagram).claim_due_for_sync(now, lease_until, 2, now).await.unwrap());
    synced.sort();
    assert_eq!(synced, ["ann", "bob"]);
    let mut listed = users(
        setup.store.connections(Instagram).list_connections(ConnectionFilter::default(), 2).await.unwrap(),
    );
    // In the order of `_id`s, which servers and drivers do not make in that of the insertions.
    listed.sort();
    assert_eq!(listed, ["ann", "bob"]);
    assert_eq!(
        setup.store.connections(Instagram).list_connections(ConnectionFilter::default(), 0).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn a_page_of_tokens_is_full_unless_it_is_the_last() {
    let setup = mixed(20 * DAY, now()).await;
    let nameless = doc! { "$unset": { "instagramUserId": "" } };
    // Without an account, a sealed text says nothing. The unique index takes one such document.
    let first = doc! { "instagramUserId": "foreign-0" };
    setup.connections().update_one(first, nameless).await.unwrap();
    let page =
        setup.store.connections(Instagram).sealed_with(Some("k1"), None, FOREIGN as u32).await.unwrap();
    assert_eq!(page.len() as i64, FOREIGN, "one was passed over, and another took its place");
    let last = page.last().unwrap();
    let rest = setup
        .store
        .connections(Instagram)
        .sealed_with(Some("k1"), Some(&last.connection_id), FOREIGN as u32)
        .await
        .unwrap();
    // Whichever of the two has the lower `_id`.
    let mut own =
        [last].into_iter().chain(&rest).map(|token| &*token.provider_account_id).collect::<Vec<_>>();
    own.sort_unstable();
    assert_eq!(own, ["ann", "bob"]);
}

/// Without a time to be refreshed it is due: nobody has decided one.
#[tokio::test]
async fn an_active_connection_without_a_token_can_be_marked() {
    let setup = Setup::new().await;
    let now = now();
    let tokens =
        [None, Some(Bson::Null), Some(Bson::from("")), Some(Bson::from(17)), Some(Bson::from(doc! {}))];
    for (number, token) in tokens.iter().enumerate() {
        let mut document = doc! {
            "userId": "ann", "instagramUserId": number.to_string(), "isActive": true,
            "tokenExpiresAt": date(now - seconds(5)),
        };
        document.extend(token.clone().map(|token| ("accessToken".to_owned(), token)));
        setup.connections().insert_one(document).await.unwrap();
    }
    let found =
        setup.store.connections(Instagram).claim_due_for_refresh(now + seconds(60), 10, now).await.unwrap();
    assert_eq!(found.len(), tokens.len());
    for one in found {
        assert_eq!(one.access_token, "");
        let marked = event("needs_reauthorization");
        assert!(
            setup
                .store
                .connections(Instagram)
                .mark_needs_reauthorization(&one.id, "", "ended", marked, now)
                .await
                .unwrap()
        );
    }
    let later = now + seconds(60);
    assert_eq!(
        setup
            .store
            .connections(Instagram)
            .claim_due_for_refresh(later + seconds(60), 10, later)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn a_token_is_not_taken_for_none() {
    let setup = Setup::new().await;
    setup
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now())
        .await
        .unwrap();
    let one = setup.store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
    let dead = event("needs_reauthorization");
    assert!(
        !setup
            .store
            .connections(Instagram)
            .mark_needs_reauthorization(&one.id, "", "ended", dead, now())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn an_account_is_found_though_nobody_is_said_to_have_it() {
    let setup = Setup::new().await;
    let now = now();
    let nobodys = doc! { "appScopedUserId": "71", "isActive": true, "accessToken": "v1.k1.left" };
    setup.connections().insert_one(nobodys).await.unwrap();
    let found = setup.store.connections(Instagram).connections_of_account("71").await.unwrap();
    assert_eq!(found.len(), 1, "who asks to delete means that, too");
    assert!(
        setup
            .store
            .connections(Instagram)
            .erase_connection(&found[0].id, now, event("deleted"), now)
            .await
            .unwrap()
    );
    assert_eq!(setup.connections().count_documents(doc! {}).await.unwrap(), 0);
}

#[tokio::test]
async fn events_are_settled_past_outboxes_that_make_no_sense() {
    let setup = Setup::new().await;
    let now = now();
    let entry = |id: Bson| {
        doc! {
            "id": id, "kind": "connected", "at": date(now), "succeeded": true, "message": "It was connected.",
            "expiresAt": null, "notify": [], "userId": "ann", "instagramUserId": "1",
        }
    };
    let nonsense = (0..150).map(|number| {
        doc! { "_id": number, "userId": "ann", "instagramUserId": format!("n{number}"), "outbox": [entry(Bson::Null)] }
    });
    setup.connections().insert_many(nonsense).await.unwrap();
    let id = ObjectId::new();
    let waiting = doc! {
        "_id": id, "userId": "ann", "instagramUserId": "1", "isActive": true, "outbox": [entry("e1".into())],
    };
    setup.connections().insert_one(waiting).await.unwrap();
    assert_eq!(setup.store.settle_events(SignedDuration::ZERO, now).await.unwrap(), 1);
    assert_eq!(setup.store.events(&connection(&id.to_hex()), "ann", None, 5, now).await.unwrap()[0].id, "e1");
}

#[tokio::test]
async fn deliveries_deletions_and_events_go_on_past_broken_ones() {
    let setup = Setup::new().await;
    let now = now();
    let deliveries = setup.database.collection::<Document>("webhook_deliveries");
    let delivery = |id: &str, due: Timestamp| {
        doc! {
            "_id": format!("{id}:a"), "eventId": id, "receiver": "a", "kind": "connected", "at": date(now),
            "connectionId": ObjectId::new(), "userId": "ann", "instagramUserId": "1", "attempts": 0,
            "dueAt": date(due),
        }
    };
    let broken = doc! { "_id": "broken", "dueAt": date(now - seconds(60)) };
    deliveries.insert_many([broken, delivery("e1", now)]).await.unwrap();
    let claimed = setup.store.claim_deliveries(now + seconds(60), 5, now).await.unwrap();
    assert_eq!(claimed.iter().map(|delivery| &*delivery.event_id).collect::<Vec<_>>(), ["e1"]);

    let deletions = setup.database.collection::<Document>("deletions");
    let broken = doc! { "_id": "broken", "requestedAt": date(now - seconds(60)), "completedAt": null };
    deletions.insert_one(broken).await.unwrap();
    let good = NewDeletion {
        code: "good".to_owned(),
        of: DeletionOf::Account(Instagram, "1".to_owned()),
        connected_by: now,
        connections: Some(0),
    };
    setup.store.begin_deletion(good.clone(), now).await.unwrap();
    let unfinished = setup.store.unfinished_deletions(SignedDuration::ZERO, 1, now).await.unwrap();
    assert_eq!(unfinished, [good]);

    let saved = setup
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", "1"), event("connected"), now)
        .await;
    saved.unwrap();
    let one = setup.store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
    let events = setup.database.collection::<Document>("connection_events");
    let connection_id = ObjectId::parse_str(&one.id).unwrap();
    let broken = doc! {
        "_id": "broken", "connectionId": connection_id, "userId": "ann", "at": date(now + seconds(1)),
    };
    events.insert_one(broken).await.unwrap();
    let later = now + seconds(5);
    assert_eq!(
        setup.store.events(&connection(&one.id), "ann", None, 1, later).await.unwrap()[0].kind,
        "connected"
    );
}
