//! Documents: ours as others see them, others' as we do.

use connection_store::{
    ConnectionFilter, DeletionOf, Deletions, Events, Health, NewConnection, NewEvent, NewSession,
    NextAttempt, OAuthStates, RefreshedToken, SaveOutcome, Session, Sessions, Store, StoreError, Subject,
};
use jiff::Timestamp;
use mongodb::bson::spec::{BinarySubtype, ElementType};
use mongodb::bson::{Binary, Bson, DateTime, Document, doc, oid::ObjectId};

use shared::Provider::{Instagram, Spotify};

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
    setup.store.connections(Instagram).save_connection(new.clone(), event("connected"), now).await.unwrap();
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
            ("refreshAt", Date),
            ("refreshFailures", Int32),
            ("refreshLeaseUntil", Null),
            ("refreshNotBefore", Null),
            ("scopes", Array),
            ("selectedAt", Date),
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
async fn a_document_of_spotify_has_its_own_names() {
    let setup = Setup::new().await;
    let now = now();
    let mut new = NewConnection {
        refresh_token: Some("v1.k2.refreshes".to_owned()),
        expires_at: now + seconds(15_811_200),
        ..new_connection("ann", "account-1")
    };
    new.profile.product = Some("premium".to_owned());
    let connections = setup.store.connections(Spotify);
    connections.save_connection(new.clone(), event("connected"), now).await.unwrap();
    let read = async || {
        setup.database.collection::<Document>("spotify_connections").find_one(doc! {}).await.unwrap().unwrap()
    };
    let document = read().await;
    let date = |time: Timestamp| Bson::DateTime(DateTime::from_millis(time.as_millisecond()));
    for (field, value) in [
        ("spotifyUserId", "account-1".into()),
        ("spotifyId", Bson::Null),
        ("accessToken", "v1.k1.sealed".into()),
        ("refreshToken", "v1.k2.refreshes".into()),
        ("tokenKeyId", "k2".into()),
        ("tokenExpiresAt", date(new.token_expires_at)),
        ("expiresAt", date(new.expires_at)),
        ("authorizedAt", date(new.token_issued_at)),
    ] {
        assert_eq!(document.get(field), Some(&value), "{field}");
    }
    let fields: Vec<_> = document.get_document("profile").unwrap().keys().map(String::as_str).collect();
    let all = ["username", "name", "profilePictureUrl", "profileUrl", "followersCount", "product"];
    assert_eq!(fields, all);

    // A refresh is no consent.
    let (id, later) = (document.get_object_id("_id").unwrap().to_hex(), now + seconds(3600));
    let refreshed = RefreshedToken {
        access_token: "v1.k3.refreshed".to_owned(),
        refresh_token: None,
        token_issued_at: later,
        token_expires_at: later + seconds(3600),
        expires_at: new.expires_at,
        refresh_at: later,
        scopes: None,
    };
    let stored = connections.replace_token(&id, "v1.k1.sealed", refreshed, Vec::new(), later).await.unwrap();
    assert_eq!(stored.unwrap().access_token, "v1.k3.refreshed");
    let document = read().await;
    assert_eq!(document.get("authorizedAt"), Some(&date(new.token_issued_at)));
    assert_eq!(document.get_str("tokenKeyId").unwrap(), "k2");
    assert!(connections.disconnect(&id, "ann", event("disconnected"), later).await.unwrap());
    assert_eq!(read().await.get("refreshToken"), Some(&Bson::Null));
}

#[tokio::test]
async fn a_refusal_is_in_the_document_while_there_is_one() {
    let setup = Setup::new().await;
    let now = now();
    let (connections, new) = (setup.store.connections(Instagram), new_connection("ann", "1"));
    let SaveOutcome::Saved(saved) =
        connections.save_connection(new.clone(), event("connected"), now).await.unwrap()
    else {
        panic!("it is in use")
    };
    let has =
        async || setup.connections().find_one(doc! {}).await.unwrap().unwrap().contains_key("refusedSince");
    assert!(!has().await);
    let refused = NextAttempt {
        lease: None,
        at: now,
        failures: None,
        error: None,
        missing_scope: None,
        refused_since: Some(now),
        event: None,
    };
    connections.reschedule_refresh(&saved.id, &saved.access_token, refused, now).await.unwrap();
    assert!(has().await);
    connections.save_connection(new, event("connected"), now).await.unwrap();
    assert!(!has().await);
}

/// A backend of the version before names no provider, and makes no selection.
#[tokio::test]
async fn what_names_no_provider_is_instagrams() {
    let setup = Setup::new().await;
    let now = now();
    let date = |time: Timestamp| DateTime::from_millis(time.as_millisecond());
    let hash = Binary { subtype: BinarySubtype::Generic, bytes: vec![1; 32] };
    let state = doc! {
        "_id": hash, "userId": "ann", "returnTo": "/x", "createdAt": date(now), "expiresAt": date(now + seconds(60)),
        "expectedAccount": { "instagramUserId": "1", "username": "ann" },
    };
    setup.database.collection::<Document>("oauth_states").insert_one(state).await.unwrap();
    assert_eq!(setup.store.consume_state(&[1; 32], Spotify, "ann", now).await.unwrap(), None);
    let consumed = setup.store.consume_state(&[1; 32], Instagram, "ann", now).await.unwrap().unwrap();
    assert_eq!(consumed.expected_account.unwrap().provider_account_id, "1");

    let deletion = doc! {
        "_id": "code", "accountId": "1", "connectedBy": date(now), "requestedAt": date(now), "completedAt": null,
    };
    setup.database.collection::<Document>("deletions").insert_one(deletion).await.unwrap();
    let unfinished = setup.store.unfinished_deletions(seconds(0), 5, now).await.unwrap();
    assert_eq!(unfinished[0].of, DeletionOf::Account(Instagram, "1".to_owned()));

    let id = ObjectId::new();
    let delivery = doc! {
        "_id": "e1:a", "eventId": "e1", "receiver": "a", "kind": "connected", "at": date(now), "connectionId": id,
        "userId": "ann", "instagramUserId": "1", "attempts": 0, "dueAt": date(now),
    };
    setup.database.collection::<Document>("webhook_deliveries").insert_one(delivery).await.unwrap();
    let claimed = setup.store.claim_deliveries(now + seconds(60), 5, now).await.unwrap().remove(0);
    assert_eq!(claimed.subject, Subject::Connection { provider: Instagram, id: id.to_hex() });
    assert_eq!(claimed.provider_account_id, "1");

    for (account, after) in [("1", 0), ("2", 1)] {
        let connected = date(now + seconds(after));
        let document = doc! {
            "userId": "ann", "instagramUserId": account, "isActive": true, "accessToken": "v1.k1.sealed",
            "connectedAt": connected, "lastConnectedAt": connected,
        };
        setup.connections().insert_one(document).await.unwrap();
    }
    let connections = setup.store.connections(Instagram);
    let current = async || connections.current_connection("ann").await.unwrap().unwrap().provider_account_id;
    assert_eq!(current().await, "2");
    let again = new_connection("ann", "1");
    connections.save_connection(again, event("connected"), now + seconds(2)).await.unwrap();
    assert_eq!(current().await, "2", "connecting one again changes nothing about the one in use");
}

/// A backend of the version before can deliver what this one has made.
#[tokio::test]
async fn deliveries_of_instagram_keep_their_names() {
    let setup = Setup::new().await;
    for (provider, account, other) in
        [(Instagram, "instagramUserId", "spotifyUserId"), (Spotify, "spotifyUserId", "instagramUserId")]
    {
        let told = NewEvent { notify: vec![provider.as_str().to_owned()], ..event("connected") };
        let connections = setup.store.connections(provider);
        connections.save_connection(new_connection("ann", "1"), told, now()).await.unwrap();
        let deliveries = setup.database.collection::<Document>("webhook_deliveries");
        let delivery = deliveries.find_one(doc! { "receiver": provider.as_str() }).await.unwrap().unwrap();
        assert_eq!(delivery.get_str("provider").unwrap(), provider.as_str());
        assert_eq!((delivery.get_str(account).unwrap(), delivery.get(other)), ("1", None));
    }
}

#[tokio::test]
async fn a_disconnected_document_is_kept_without_its_token() {
    let setup = Setup::new().await;
    setup
        .store
        .connections(Instagram)
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
        .connections(Instagram)
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
    let found = setup.store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
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
        .connections(Instagram)
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
    let found = setup.store.connections(Instagram).current_connection("ann").await.unwrap().unwrap();
    assert_eq!(found.provider_account_id, "17841400000000001");
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
        let found = setup.store.connections(Instagram).current_connection(user).await;
        assert!(matches!(found, Err(StoreError::Failed(_))), "{found:?}");
    }
}

#[tokio::test]
async fn a_session_of_an_older_version_stays_open() {
    let setup = Setup::new().await;
    let now = now();
    let old = |number: u8| {
        let id = Binary { subtype: BinarySubtype::Generic, bytes: vec![number; 32] };
        let date = |time: Timestamp| DateTime::from_millis(time.as_millisecond());
        doc! { "_id": id, "userId": "ann", "createdAt": date(now), "expiresAt": date(now + seconds(600)) }
    };
    let sessions = setup.database.collection::<Document>("sessions");
    sessions.insert_many([old(1), old(2)]).await.unwrap();
    let nameless = Session {
        id: String::new(),
        user_id: "ann".to_owned(),
        name: None,
        user_agent: None,
        created_at: now,
        last_used_at: now,
        expires_at: now + seconds(600),
    };
    assert_eq!(setup.store.find_session(&[1; 32], now).await.unwrap(), Some(nameless.clone()));

    // It takes its place among those that say when they were used.
    for (number, at) in [(3, now - seconds(60)), (4, now + seconds(60))] {
        let new = NewSession {
            token_hash: [number; 32],
            id: format!("ses-{number}"),
            user_id: "ann".to_owned(),
            name: None,
            user_agent: None,
            created_at: at,
            expires_at: now + seconds(600),
            password_hash: None,
            host_link: None,
        };
        setup.store.create_session(new).await.unwrap();
    }
    let listed = setup.store.sessions("ann", now).await.unwrap();
    let listed: Vec<&str> = listed.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(listed, ["ses-4", "", "", "ses-3"]);
    // A session without a name cannot be ended by its name, but with the others.
    assert!(!setup.store.delete_session_by_id("", "ann").await.unwrap());
    let used = now + seconds(5);
    setup.store.renew_session(&[2; 32], now + seconds(900), used).await.unwrap();
    setup.store.delete_sessions("ann", Some(&[2; 32])).await.unwrap();
    let renewed = Session { last_used_at: used, expires_at: now + seconds(900), ..nameless };
    assert_eq!(setup.store.sessions("ann", now).await.unwrap(), [renewed]);
}

#[tokio::test]
async fn documents_that_say_little_are_in_the_state_that_they_are_shown_in() {
    let setup = Setup::new().await;
    let now = now();
    let late = DateTime::from_millis((now + seconds(600)).as_millisecond());
    let documents = [
        doc! { "userId": "bare", "instagramUserId": "1", "isActive": true },
        doc! { "userId": "unmarked", "instagramUserId": "2", "isActive": true, "tokenExpiresAt": late },
        doc! { "userId": 17_i64, "instagramUserId": "3", "isActive": true, "tokenExpiresAt": late },
    ];
    setup.connections().insert_many(documents).await.unwrap();
    for (health, expected) in [
        (Health::DeadAt(now), &["bare"][..]),
        (Health::EndsAfter(now), &["17", "unmarked"]),
        (Health::EndsWithin(now, now + seconds(600)), &["17", "unmarked"]),
    ] {
        let filter = ConnectionFilter {
            not_of_users: Some("usr_".to_owned()),
            health: Some(health),
            ..ConnectionFilter::default()
        };
        let found = setup.store.connections(Instagram).list_connections(filter, 10).await.unwrap();
        // A list is in the order of `_id`s, which servers and drivers do not make in that of the insertions.
        let mut users: Vec<String> = found.into_iter().map(|connection| connection.user_id).collect();
        users.sort_unstable();
        assert_eq!(users, expected, "{health:?}");
    }
}
