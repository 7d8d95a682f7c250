//! Documents: ours as others see them, others' as we do.

use connection_store::{Connections, SaveOutcome, StoreError};
use jiff::Timestamp;
use mongodb::bson::spec::ElementType;
use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};

use crate::{Setup, disconnect, event, new_connection, now, seconds};

/// Field names and types, in the order of their names.
fn types(document: &Document) -> Vec<(&str, ElementType)> {
    let mut types: Vec<_> =
        document.iter().map(|(name, value)| (name.as_str(), value.element_type())).collect();
    types.sort_unstable_by_key(|(name, _)| *name);
    types
}

#[tokio::test]
async fn the_document_is_the_architectures() {
    let setup = Setup::new().await;
    let now = now();
    let mut new = new_connection("ann", "17841400000000001");
    new.profile.name = Some("Wreck Shop Records".to_owned());
    setup.store.save_connection(new.clone(), event("connected"), now).await.unwrap();
    let document = setup.connections().find_one(doc! {}).await.unwrap().unwrap();

    use ElementType::{
        Array, Boolean, DateTime as Date, EmbeddedDocument, Int32, Int64, Null, ObjectId, String,
    };
    assert_eq!(
        types(&document),
        [
            ("_id", ObjectId),
            ("accessToken", String),
            ("appScopedUserId", Null),
            ("connectedAt", Date),
            ("createdAt", Date),
            ("instagramUserId", String),
            ("isActive", Boolean),
            ("lastConnectedAt", Date),
            ("lastError", Null),
            ("lastSyncedAt", Date),
            ("needsReauthorizationSince", Null),
            ("outbox", Array),
            ("profile", EmbeddedDocument),
            ("refreshFailures", Int32),
            ("refreshLeaseUntil", Null),
            ("refreshNotBefore", Null),
            ("scopes", Array),
            ("syncFailures", Int32),
            ("syncLeaseUntil", Null),
            ("syncNotBefore", Null),
            ("tokenExpiresAt", Date),
            ("tokenIssuedAt", Date),
            ("tokenKeyId", String),
            ("updatedAt", Date),
            ("userId", String),
        ]
    );
    assert_eq!(
        types(document.get_document("profile").unwrap()),
        [
            ("biography", Null),
            ("followersCount", Int64),
            ("followsCount", Null),
            ("mediaCount", Null),
            ("name", String),
            ("profilePictureUrl", Null),
            ("username", String),
            ("website", Null),
        ]
    );
    assert_eq!(document.get_array("outbox").unwrap().len(), 0, "what is settled is not kept twice");
    let date = |time: Timestamp| Bson::DateTime(DateTime::from_millis(time.as_millisecond()));
    assert_eq!(document.get("tokenExpiresAt"), Some(&date(new.token_expires_at)));
    assert_eq!(document.get("createdAt"), Some(&date(now)));
    assert_eq!(document.get("isActive"), Some(&Bson::Boolean(true)));
    assert_eq!(document.get("scopes"), Some(&Bson::Array(vec!["instagram_business_basic".into()])));
}

#[tokio::test]
async fn a_disconnected_document_is_kept_without_its_token() {
    let setup = Setup::new().await;
    setup
        .store
        .save_connection(new_connection("ann", "17841400000000001"), event("connected"), now())
        .await
        .unwrap();
    disconnect(&setup.store, "ann", now()).await;
    let document = setup.connections().find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(document.get_str("accessToken").unwrap(), "");
    assert!(!document.get_bool("isActive").unwrap());
    assert_eq!(document.get_str("userId").unwrap(), "ann");
}

#[tokio::test]
async fn a_taken_over_document_keeps_its_id_and_creation_alone() {
    let setup = Setup::new().await;
    let created = DateTime::from_millis(now().as_millisecond() - 86_400_000);
    let id = ObjectId::new();
    let left_behind = doc! {
        "_id": id, "userId": "ann", "instagramUserId": "17841400000000001", "accessToken": "", "isActive": false,
        "profile": { "username": "ann", "biography": "private", "email": "ann@example.org" },
        "lastError": "refused", "scopes": ["everything"], "createdAt": created, "connectedAt": created,
    };
    setup.connections().insert_one(left_behind).await.unwrap();
    let now = now();
    let outcome = setup
        .store
        .save_connection(new_connection("bob", "17841400000000001"), event("connected"), now)
        .await
        .unwrap();
    let SaveOutcome::Saved(saved) = outcome else { panic!("it is in use") };
    assert_eq!((saved.id, saved.connected_at), (id.to_hex(), now));

    let document = setup.connections().find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(document.get_datetime("createdAt").unwrap(), &created);
    let shown = document.to_string();
    for trace in ["ann", "private", "refused", "everything"] {
        assert!(!shown.contains(trace), "{trace} is still in {shown}");
    }
}

#[tokio::test]
async fn a_document_of_another_program_is_read_as_well_as_it_can_be() {
    let setup = Setup::new().await;
    let connected = DateTime::from_millis(1_762_788_600_000);
    let foreign = doc! {
        "userId": "ann", "instagramUserId": "17841400000000001", "isActive": true, "__v": 0,
        "profile": { "username": "ann", "followersCount": 15_420.0, "followsCount": 823_i32, "mediaCount": "many" },
        "scopes": ["instagram_business_basic", 5], "lastError": 7.5, "connectedAt": connected,
        "tokenExpiresAt": "2026-01-09T15:30:00.000Z",
    };
    setup.connections().insert_one(foreign).await.unwrap();
    let found = setup.store.latest_connection("ann").await.unwrap().unwrap();
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(found.profile.followers_count, Some(15_420));
    assert_eq!(found.profile.follows_count, Some(823));
    assert_eq!(found.profile.media_count, None);
    assert_eq!((found.profile.name, found.last_error), (None, None));
    assert_eq!(found.scopes, ["instagram_business_basic"]);
    assert_eq!(found.access_token, "");
    assert_eq!(found.connected_at, time("2025-11-10T15:30:00Z"));
    assert_eq!((found.token_issued_at, found.last_synced_at), (found.connected_at, found.connected_at));
    assert_eq!(found.token_expires_at, time("2026-01-09T15:30:00Z"));

    // Saving makes it one of ours.
    let saved = setup
        .store
        .save_connection(new_connection("ann", "17841400000000001"), event("connected"), now())
        .await
        .unwrap();
    let SaveOutcome::Saved(saved) = saved else { panic!("it is in use") };
    assert_eq!((saved.id, saved.connected_at), (found.id, found.connected_at));
}

#[tokio::test]
async fn a_bare_document_is_shown_with_a_token_that_has_ended() {
    let setup = Setup::new().await;
    let bare = doc! { "userId": "ann", "instagramUserId": 17_841_400_000_000_001_i64, "isActive": true };
    setup.connections().insert_one(bare).await.unwrap();
    let found = setup.store.latest_connection("ann").await.unwrap().unwrap();
    assert_eq!(found.instagram_user_id, "17841400000000001");
    assert_eq!((found.access_token.as_str(), found.profile.username.as_str()), ("", ""));
    assert_eq!(found.token_expires_at, Timestamp::UNIX_EPOCH);
    assert!(found.connected_at > now() - seconds(3600), "taken from the id");
}

#[tokio::test]
async fn a_document_without_its_identity_is_a_failure() {
    let setup = Setup::new().await;
    setup.connections().insert_one(doc! { "userId": "ann", "isActive": true }).await.unwrap();
    setup
        .connections()
        .insert_one(doc! { "_id": "text", "userId": "bob", "instagramUserId": "1", "isActive": true })
        .await
        .unwrap();
    for user in ["ann", "bob"] {
        let found = setup.store.latest_connection(user).await;
        assert!(matches!(found, Err(StoreError::Failed(_))), "{found:?}");
    }
}
