//! Half-done changes of a process that died, and documents without the fields that this version adds.

use connection_store::mongodb::MongoStore;
use connection_store::test_support::wire::{Fault, Wired};
use connection_store::{
    Connection, Events, HistoryRange, NewEvent, Profile, RefreshedToken, SaveOutcome, Store, StoreError,
    StoreResult,
};
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};

use shared::Provider::Instagram;

use crate::{Setup, connection, disconnect, event, new_connection, now, read, seconds};

const ACCOUNT: &str = "17841400000000001";

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

/// A document as a process leaves it that dies right after a change.
fn left(id: ObjectId, event_id: &str, at: Timestamp) -> Document {
    doc! {
        "_id": id, "userId": "ann", "instagramUserId": ACCOUNT, "accessToken": "v1.k1.a", "isActive": true,
        "tokenExpiresAt": date(at + seconds(5_000_000)), "connectedAt": date(at),
        "outbox": [{
            "id": event_id, "kind": "connected", "at": date(at), "succeeded": true, "message": "It was.",
            "expiresAt": null, "notify": ["a"], "userId": "ann", "instagramUserId": ACCOUNT,
            "counts": { "followersCount": 5_i64, "followsCount": null, "mediaCount": null }, "passesOn": false,
        }],
    }
}

fn whole(now: Timestamp) -> HistoryRange {
    HistoryRange { from: Timestamp::UNIX_EPOCH, until: now + seconds(60), limit: 10 }
}

#[tokio::test]
async fn what_a_crash_left_is_settled_once() {
    let setup = Setup::new().await;
    let (id, now) = (ObjectId::new(), now());
    setup.connections().insert_one(left(id, "e1", now - seconds(90))).await.unwrap();
    let hex = id.to_hex();
    assert_eq!(setup.store.events(&connection(&hex), "ann", None, 10, now).await.unwrap(), []);
    assert_eq!(setup.store.settle_events(seconds(91), now).await.unwrap(), 0, "a call may still be at it");
    assert_eq!(setup.store.settle_events(seconds(60), now).await.unwrap(), 1);
    assert_eq!(setup.store.settle_events(seconds(60), now).await.unwrap(), 0);
    assert_eq!(setup.store.events(&connection(&hex), "ann", None, 10, now).await.unwrap()[0].id, "e1");
    let points = setup.store.connections(Instagram).history(&hex, "ann", whole(now), now).await.unwrap();
    assert_eq!((points.len(), points[0].followers_count), (1, Some(5)));
    let deliveries = setup.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap();
    assert_eq!((deliveries.len(), &*deliveries[0].event_id), (1, "e1"));
}

#[tokio::test]
async fn settling_what_was_nearly_settled_doubles_nothing() {
    let setup = Setup::new().await;
    let (id, now) = (ObjectId::new(), now());
    let document = left(id, "e1", now - seconds(90));
    setup.connections().insert_one(&document).await.unwrap();
    setup.store.settle_events(SignedDuration::ZERO, now).await.unwrap();
    // The process died before it took the entry off.
    let again = doc! { "$set": { "outbox": document.get_array("outbox").unwrap() } };
    setup.connections().update_one(doc! { "_id": id }, again).await.unwrap();
    assert_eq!(setup.store.settle_events(SignedDuration::ZERO, now).await.unwrap(), 1);
    assert_eq!(setup.store.events(&connection(&id.to_hex()), "ann", None, 10, now).await.unwrap().len(), 1);
    assert_eq!(
        setup.store.connections(Instagram).history(&id.to_hex(), "ann", whole(now), now).await.unwrap().len(),
        1
    );
    assert_eq!(setup.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_earlier_owners_leftovers_are_told_but_not_shown() {
    let setup = Setup::new().await;
    let (id, now) = (ObjectId::new(), now());
    let mut document = left(id, "e1", now - seconds(90));
    document.insert("isActive", false);
    setup.connections().insert_one(document).await.unwrap();
    let bobs = new_connection("bob", ACCOUNT);
    setup.store.connections(Instagram).save_connection(bobs, event("connected"), now).await.unwrap();
    assert_eq!(setup.store.settle_events(seconds(60), now).await.unwrap(), 1);
    let events = setup.store.events(&connection(&id.to_hex()), "bob", None, 10, now).await.unwrap();
    assert_eq!(events.iter().map(|event| event.at).collect::<Vec<_>>(), [now]);
    let points =
        setup.store.connections(Instagram).history(&id.to_hex(), "bob", whole(now), now).await.unwrap();
    assert_eq!(points.iter().map(|point| point.at).collect::<Vec<_>>(), [now]);
    let deliveries = setup.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap();
    assert_eq!((&*deliveries[0].event_id, &*deliveries[0].user_id), ("e1", "ann"));
}

/// The process that let Bob have the account died before it settled that, or has not come to it yet.
#[tokio::test]
async fn an_earlier_owners_entries_are_not_the_next_ones() {
    let setup = Setup::new().await;
    let now = now();
    setup
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), event("connected"), now)
        .await
        .unwrap();
    let one = setup.store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
    let passed_on = doc! { "$set": { "userId": "bob" } };
    setup.connections().update_one(doc! {}, passed_on).await.unwrap();
    assert_eq!(setup.store.events(&connection(&one.id), "bob", None, 10, now).await.unwrap(), []);
    assert_eq!(
        setup.store.connections(Instagram).history(&one.id, "bob", whole(now), now).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn a_half_erased_connection_is_erased_by_the_second_try() {
    let setup = Setup::new().await;
    let now = now();
    let told = NewEvent { notify: vec!["a".to_owned()], ..event("deleted") };
    let saved = setup
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), event("connected"), now)
        .await;
    let SaveOutcome::Saved(saved) = saved.unwrap() else { panic!("it is in use") };
    let died = doc! { "$set": {
        "isActive": false, "accessToken": "", "erasingSince": date(now), "erasureEvent": &told.id,
        "outbox": [{
            "id": &told.id, "kind": "deleted", "at": date(now), "succeeded": true, "message": "",
            "expiresAt": null, "notify": ["a"], "userId": "ann", "instagramUserId": ACCOUNT,
        }],
    }};
    setup.connections().update_one(doc! {}, died).await.unwrap();
    assert_eq!(
        setup.store.connections(Instagram).connections_of_account(ACCOUNT).await.unwrap().len(),
        1,
        "it is found again"
    );
    assert!(
        setup
            .store
            .connections(Instagram)
            .erase_connection(&saved.id, now, told.clone(), now + seconds(60))
            .await
            .unwrap()
    );
    assert_eq!(setup.store.connections(Instagram).connection(&saved.id).await.unwrap(), None);
    assert_eq!(setup.store.events(&connection(&saved.id), "ann", None, 10, now).await.unwrap(), []);
    assert_eq!(
        setup.store.connections(Instagram).history(&saved.id, "ann", whole(now), now).await.unwrap(),
        []
    );
    let deliveries = setup.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap();
    assert_eq!(deliveries.iter().map(|delivery| &*delivery.event_id).collect::<Vec<_>>(), [&*told.id]);
}

#[tokio::test]
async fn an_account_that_is_half_erased_is_connected_anew() {
    let setup = Setup::new().await;
    let now = now();
    let old = ObjectId::new();
    let mut document = left(old, "e1", now - seconds(90));
    document.extend(doc! { "isActive": false, "erasingSince": date(now), "erasureEvent": "e1" });
    setup.connections().insert_one(document).await.unwrap();
    let saved = setup
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), event("connected"), now)
        .await;
    let SaveOutcome::Saved(saved) = saved.unwrap() else { panic!("it is in use") };
    assert_ne!(saved.id, old.to_hex());
    assert_eq!(setup.store.connections(Instagram).connection(&old.to_hex()).await.unwrap(), None);
    let deliveries = setup.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap();
    assert_eq!(&*deliveries[0].event_id, "e1", "the erasure is told of");
}

/// The bound.
const MOST_ENTRIES: usize = 100;

/// Lets the next event not be written to where it is found. The server's words are no passing ones.
fn refuse_event(wired: &Wired) {
    let refusal =
        doc! { "ok": 0.0, "code": 121, "codeName": "DocumentValidationFailure", "errmsg": "refused" };
    wired.fault("insert", "connection_events", Fault::Answer(refusal));
}

/// A connection whose outbox is full, since nothing could be taken off it. Returns the ids of the events, too.
async fn full(wired: &Wired, now: Timestamp) -> (Connection, Vec<String>) {
    let first = event("connected");
    refuse_event(wired);
    let mut told = vec![first.id.clone()];
    wired
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), first, now)
        .await
        .unwrap();
    let one = wired.store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
    while told.len() < MOST_ENTRIES {
        let read = event("token_read");
        refuse_event(wired);
        told.push(read.id.clone());
        assert!(
            wired
                .store
                .connections(Instagram)
                .record_event(&one.id, &one.access_token, read, now)
                .await
                .unwrap()
        );
    }
    assert_eq!(entries(wired).await, MOST_ENTRIES);
    assert!(wired.is_clear());
    (one, told)
}

async fn entries(wired: &Wired) -> usize {
    let connections = wired.database.collection::<Document>("instagram_connections");
    connections.find_one(doc! {}).await.unwrap().unwrap().get_array("outbox").unwrap().len()
}

async fn refresh(
    store: &MongoStore,
    one: &Connection,
    events: Vec<NewEvent>,
) -> StoreResult<Option<Connection>> {
    let refreshed = RefreshedToken {
        access_token: "v1.k1.refreshed".to_owned(),
        refresh_token: None,
        token_issued_at: now(),
        token_expires_at: now() + seconds(5_000_000),
        expires_at: now() + seconds(5_000_000),
        refresh_at: now() + seconds(2_500_000),
        scopes: None,
    };
    store.connections(Instagram).replace_token(&one.id, &one.access_token, refreshed, events, now()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_outbox_grows_no_further_and_nothing_is_lost() {
    let (wired, now) = (Wired::new().await, now());
    let (one, mut told) = full(&wired, now).await;
    let store = &wired.store;

    // Each change is refused as a whole, for the time being.
    refuse_event(&wired);
    let refused = refresh(store, &one, vec![event("refreshed")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    refuse_event(&wired);
    let refused = store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), event("connected"), now)
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(
        (store.connections(Instagram).connection(&one.id).await.unwrap().as_ref(), entries(&wired).await),
        (Some(&one), MOST_ENTRIES)
    );
    // Of another token, there is nothing to change, full or not.
    let other = Connection { access_token: "v1.k1.other".to_owned(), ..one.clone() };
    assert_eq!(refresh(store, &other, vec![event("refreshed")]).await.unwrap(), None);
    assert!(wired.is_clear());

    // It is settled by the next change that is made when it can be.
    let last = [event("refreshed"), event("permission_lost")];
    told.extend(last.iter().map(|event| event.id.clone()));
    let refreshed = refresh(store, &one, last.to_vec()).await.unwrap().unwrap();
    assert_eq!((refreshed.access_token.as_str(), entries(&wired).await), ("v1.k1.refreshed", 0));
    let events = store.events(&connection(&one.id), "ann", None, 200, now).await.unwrap();
    let mut found: Vec<_> = events.into_iter().map(|event| event.id).collect();
    found.sort();
    told.sort();
    assert_eq!(found, told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_with_a_full_outbox_is_connected_again_or_erased() {
    let (wired, now) = (Wired::new().await, now());
    full(&wired, now).await;
    let again = wired
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), event("connected"), now)
        .await;
    assert!(matches!(again.unwrap(), SaveOutcome::Saved(_)));
    assert_eq!(entries(&wired).await, 0);
    assert!(disconnect(&wired.store, "ann", now).await);

    let (one, _) = full(&wired, now).await;
    let deleted = NewEvent { notify: vec!["a".to_owned()], ..event("deleted") };
    assert!(
        wired
            .store
            .connections(Instagram)
            .erase_connection(&one.id, now + seconds(1), deleted.clone(), now)
            .await
            .unwrap()
    );
    assert_eq!(wired.store.connections(Instagram).connection(&one.id).await.unwrap(), None);
    assert_eq!(wired.store.events(&connection(&one.id), "ann", None, 10, now).await.unwrap(), []);
    let deliveries = wired.store.claim_deliveries(now + seconds(60), 10, now).await.unwrap();
    assert_eq!(deliveries.iter().map(|delivery| &*delivery.event_id).collect::<Vec<_>>(), [&*deleted.id]);
}

#[tokio::test]
async fn documents_without_the_new_fields_work() {
    let setup = Setup::new().await;
    let (id, now) = (ObjectId::new(), now());
    let foreign = doc! {
        "_id": id, "userId": "ann", "instagramUserId": ACCOUNT, "isActive": true, "accessToken": "v1.k1.a",
        "tokenExpiresAt": date(now + seconds(86_400)), "connectedAt": date(now - seconds(86_400 * 50)),
    };
    setup.connections().insert_one(foreign).await.unwrap();
    let hex = id.to_hex();
    let store = &setup.store;
    let lease_until = now + seconds(60);
    assert_eq!(
        store.connections(Instagram).claim_due_for_sync(now, lease_until, 5, now).await.unwrap().len(),
        1
    );
    let claimed = store.connections(Instagram).claim_due_for_refresh(lease_until, 5, now).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].refresh_failures), (1, 1));
    let sealed = store.connections(Instagram).sealed_with(None, None, 5).await.unwrap();
    assert_eq!(sealed.len(), 1, "no field counts as no key");
    let used = store.connections(Instagram).key_use().await.unwrap();
    assert_eq!(used[0].key_id.as_deref(), Some("k1"), "counted by the token itself");
    assert_eq!(
        store.connections(Instagram).sealed_with(Some("k1"), None, 5).await.unwrap(),
        sealed,
        "and found from then on"
    );
    let scope = "instagram_business_basic";
    let read = read(Profile::default());
    let stored =
        store.connections(Instagram).update_profile(&hex, "ann", read, event("synced"), now).await.unwrap();
    assert_eq!(stored.unwrap().scopes, [scope]);
    assert_eq!(store.connections(Instagram).history(&hex, "ann", whole(now), now).await.unwrap().len(), 1);
    assert!(store.connections(Instagram).erase_connection(&hex, now, event("deleted"), now).await.unwrap());
}

#[tokio::test]
async fn a_key_that_a_change_by_hand_left_behind_is_put_right() {
    let setup = Setup::new().await;
    setup
        .store
        .connections(Instagram)
        .save_connection(new_connection("ann", ACCOUNT), event("connected"), now())
        .await
        .unwrap();
    let by_hand = doc! { "$set": { "accessToken": "v1.k0.other" } };
    setup.connections().update_one(doc! {}, by_hand).await.unwrap();
    assert_eq!(setup.store.connections(Instagram).key_use().await.unwrap()[0].key_id.as_deref(), Some("k0"));
    assert_eq!(setup.store.connections(Instagram).sealed_with(Some("k0"), None, 5).await.unwrap().len(), 1);
    assert_eq!(setup.store.connections(Instagram).sealed_with(Some("k1"), None, 5).await.unwrap(), []);
}
