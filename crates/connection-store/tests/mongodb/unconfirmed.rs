//! Writes that are applied, and of which no answer comes, or one that no majority had them in time: they count.

use std::time::{Duration, Instant};

use connection_store::mongodb::MongoStore;
use connection_store::test_support::wire::{Fault, Wired};
use connection_store::test_support::{now, seconds};
use connection_store::{
    ApiKeys, CreateOutcome, DeletionOf, Deletions, HostLink, HostLinks, Idempotency, KeyOutcome, NewApiKey,
    NewConnection, NewDeletion, NewOAuthState, NewRequest, NewSession, NewUser, OAuthStates, RefreshedToken,
    Repetition, SaveOutcome, Sessions, Store, StoreError, UsedHandles, User, Users,
};
use mongodb::bson::{Document, doc};

use shared::Provider::Instagram;

use crate::{event, new_connection};

const DAY: i64 = 86_400;

/// The two ways in which nobody knows of a write that was applied.
const UNKNOWN: [Fault; 2] = [Fault::Unconfirmed, Fault::CutOff];

/// A connection that is due for a refresh.
async fn save_due(store: &MongoStore, user: &str) -> connection_store::Connection {
    let new = NewConnection {
        token_issued_at: now() - seconds(40 * DAY),
        token_expires_at: now() + seconds(20 * DAY),
        expires_at: now() + seconds(20 * DAY),
        refresh_at: now() - seconds(10 * DAY),
        ..new_connection(user, user)
    };
    match store.connections(Instagram).save_connection(new, event("connected"), now()).await.unwrap() {
        SaveOutcome::Saved(saved) => *saved,
        SaveOutcome::AccountInUse => panic!("it is in use"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_which_no_answer_came_is_the_claimants() {
    let wired = Wired::new().await;
    for (round, fault) in UNKNOWN.into_iter().enumerate() {
        for number in 0..3 {
            save_due(&wired.store, &format!("user-{round}-{number}")).await;
        }
        wired.fault("update", "instagram_connections", fault);
        let claimed = wired
            .store
            .connections(Instagram)
            .claim_due_for_refresh(now() + seconds(600), 5, now())
            .await
            .unwrap();
        assert_eq!(claimed.len(), 3, "they are not left leased to nobody");
        assert!(wired.is_clear());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owners_claim_and_what_it_renews_count_without_an_answer() {
    let wired = Wired::new().await;
    for (round, fault) in UNKNOWN.into_iter().enumerate() {
        let (store, user) = (&wired.store, format!("user-{round}"));
        let saved = save_due(store, &user).await;
        let (id, old, lease_until) = (&saved.id, &saved.access_token, now() + seconds(60));
        wired.fault("findAndModify", "instagram_connections", fault.clone());
        let claim =
            async || store.connections(Instagram).claim_for_refresh(id, old, lease_until, now()).await;
        assert_eq!(claim().await.unwrap(), Some(1));
        assert_eq!(claim().await.unwrap(), None, "it is claimed once");
        let renewed = RefreshedToken {
            access_token: "v1.k1.renewed".to_owned(),
            refresh_token: None,
            token_issued_at: now(),
            token_expires_at: now() + seconds(60 * DAY),
            expires_at: now() + seconds(60 * DAY),
            refresh_at: now() + seconds(60 * DAY),
            scopes: None,
        };
        wired.fault("findAndModify", "instagram_connections", fault.clone());
        let kept = store
            .connections(Instagram)
            .replace_token(id, old, renewed, vec![event("refreshed")], now())
            .await
            .unwrap();
        assert_eq!(kept.unwrap().access_token, "v1.k1.renewed");
        wired.fault("findAndModify", "instagram_connections", fault);
        assert!(
            store.connections(Instagram).disconnect(id, &user, event("disconnected"), now()).await.unwrap()
        );
        assert!(
            !store.connections(Instagram).disconnect(id, &user, event("disconnected"), now()).await.unwrap()
        );
        assert!(wired.is_clear());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_works_once_is_its_users_though_no_answer_came() {
    let wired = Wired::new().await;
    let store = &wired.store;
    for (round, fault) in UNKNOWN.into_iter().enumerate() {
        let (number, end) = (round as u8, now() + seconds(600));
        let hash = [number; 32];
        let state = NewOAuthState {
            state_hash: hash,
            provider: Instagram,
            user_id: "ann".to_owned(),
            return_to: Some("/x".to_owned()),
            expected_account: None,
            sealed_verifier: None,
            created_at: now(),
            expires_at: end,
        };
        store.insert_state(state).await.unwrap();
        wired.fault("findAndModify", "oauth_states", fault.clone());
        let consumed = store.consume_state(&hash, Instagram, "ann", now()).await.unwrap();
        assert_eq!(consumed.unwrap().return_to.as_deref(), Some("/x"));
        assert!(store.consume_state(&hash, Instagram, "ann", now()).await.unwrap().is_none());

        let link = HostLink {
            token_hash: hash,
            user_id: "ann".to_owned(),
            name: None,
            return_to: None,
            created_at: now(),
            expires_at: end,
        };
        store.insert_host_link(link).await.unwrap();
        let session = |number: u8| NewSession {
            token_hash: [number; 32],
            id: format!("ses_{number}"),
            user_id: "ann".to_owned(),
            name: None,
            user_agent: None,
            created_at: now(),
            expires_at: end,
            password_hash: None,
            host_link: Some(hash),
        };
        wired.fault("insert", "sessions", fault.clone());
        wired.fault("findAndModify", "host_links", fault.clone());
        assert!(store.create_session(session(2 * number)).await.unwrap());
        assert!(store.find_session(&[2 * number; 32], now()).await.unwrap().is_some());
        assert!(store.find_host_link(&hash, now()).await.unwrap().is_none());
        assert!(!store.create_session(session(2 * number + 1)).await.unwrap());

        let handle = format!("handle-{round}");
        wired.fault("insert", "used_handles", fault.clone());
        assert!(store.use_handle(&handle, end).await.unwrap());
        assert!(!store.use_handle(&handle, end).await.unwrap());

        let request = |lease: i64| NewRequest {
            name: hash,
            claim: format!("claim-{lease}"),
            request_hash: [9; 32],
            owner: "ann".to_owned(),
            lease_until: now() + seconds(lease),
            expires_at: end,
        };
        wired.fault("insert", "repeatable_requests", fault.clone());
        assert_eq!(store.begin_request(request(-1), now()).await.unwrap(), Repetition::First);
        wired.fault("update", "repeatable_requests", fault.clone());
        assert_eq!(store.begin_request(request(60), now()).await.unwrap(), Repetition::First, "taken over");
        assert_eq!(store.begin_request(request(60), now()).await.unwrap(), Repetition::Running);

        let deletion = NewDeletion {
            code: handle.clone(),
            of: DeletionOf::User("ann".to_owned()),
            connected_by: now(),
            connections: None,
        };
        wired.fault("insert", "deletions", fault);
        assert!(store.begin_deletion(deletion.clone(), now()).await.unwrap());
        assert!(!store.begin_deletion(deletion, now() + seconds(1)).await.unwrap());
        assert!(wired.is_clear());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_passwords_and_keys_are_made_though_no_answer_came() {
    let wired = Wired::new().await;
    let store = &wired.store;
    for (round, fault) in UNKNOWN.into_iter().enumerate() {
        let id = format!("usr_{round}");
        let new = || NewUser {
            user: User { id: id.clone(), email: "a@example.com".to_owned(), name: None, created_at: now() },
            email_key: format!("{round}@example.com"),
            password_hash: "old".to_owned().into(),
        };
        wired.fault("insert", "users", fault.clone());
        assert_eq!(store.create_user(new()).await.unwrap(), CreateOutcome::Created);
        assert_eq!(store.create_user(new()).await.unwrap(), CreateOutcome::EmailTaken);
        wired.fault("update", "users", fault.clone());
        let (old, changed) = ("old".to_owned().into(), "changed".to_owned().into());
        assert!(store.change_password(&id, &old, &changed, None, false).await.unwrap());

        let key = NewApiKey {
            id: format!("key_{round}"),
            key_hash: [round as u8; 32],
            user_id: Some(id.clone()),
            name: "k".to_owned(),
            scopes: Vec::new(),
            hint: "k".to_owned(),
            created_at: now(),
            expires_at: None,
            password_hash: None,
            session: None,
        };
        wired.fault("insert", "api_keys", fault);
        assert_eq!(store.create_api_key(key, Some(1)).await.unwrap(), KeyOutcome::Created);
        assert!(wired.is_clear());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_deleted_nothing_is_not_called_one() {
    let wired = Wired::new().await;
    let saved = save_due(&wired.store, "ann").await;
    wired.fault("delete", "instagram_connections", Fault::Answer(doc! { "ok": 1.0, "n": 0 }));
    let erased =
        wired.store.connections(Instagram).erase_connection(&saved.id, now(), event("deleted"), now()).await;
    assert!(matches!(erased, Err(StoreError::Unavailable(_))), "{erased:?}");
    assert!(
        wired
            .store
            .connections(Instagram)
            .erase_connection(&saved.id, now(), event("deleted"), now())
            .await
            .unwrap()
    );
    let connections = wired.database.collection::<Document>("instagram_connections");
    assert_eq!(connections.count_documents(doc! {}).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_takes_long_does_not_keep_the_start_waiting() {
    let wired = Wired::new().await;
    wired.fault("createIndexes", "connection_events", Fault::Late(Duration::from_secs(20)));
    let begun = Instant::now();
    let store = MongoStore::connect(&wired.url).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    assert!(store.use_handle("meanwhile", now()).await.unwrap());
    // A rule depends on this one.
    wired.fault("createIndexes", "users", Fault::Late(Duration::from_secs(12)));
    let begun = Instant::now();
    MongoStore::connect(&wired.url).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(12), "{:?}", begun.elapsed());
}

/// The caller is told that the database is away, and does or shows something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_too_late_spends_nothing_and_lets_nobody_in() {
    let wired = Wired::new().await;
    let store = &wired.store;
    let (end, late) = (now() + seconds(600), Fault::Late(Duration::from_secs(6)));
    let link = |number: u8| HostLink {
        token_hash: [number; 32],
        user_id: "ann".to_owned(),
        name: None,
        return_to: None,
        created_at: now(),
        expires_at: end,
    };
    let session = |number: u8| NewSession {
        token_hash: [number; 32],
        id: format!("ses_{number}"),
        user_id: "ann".to_owned(),
        name: None,
        user_agent: None,
        created_at: now(),
        expires_at: end,
        password_hash: None,
        host_link: Some([number; 32]),
    };
    let key = NewApiKey {
        id: "key_1".to_owned(),
        key_hash: [1; 32],
        user_id: Some("ann".to_owned()),
        name: "k".to_owned(),
        scopes: Vec::new(),
        hint: "k".to_owned(),
        created_at: now(),
        expires_at: None,
        password_hash: None,
        session: None,
    };
    let request = NewRequest {
        name: [1; 32],
        claim: "claim".to_owned(),
        request_hash: [9; 32],
        owner: "ann".to_owned(),
        lease_until: end,
        expires_at: end,
    };
    let user = NewUser {
        user: User { id: "bob".to_owned(), email: "b@example.com".to_owned(), name: None, created_at: now() },
        email_key: "b@example.com".to_owned(),
        password_hash: "hash".to_owned().into(),
    };
    store.create_user(user).await.unwrap();
    for number in [1, 2] {
        store.insert_host_link(link(number)).await.unwrap();
    }
    for collection in ["sessions", "api_keys", "used_handles", "repeatable_requests"] {
        wired.fault("insert", collection, late.clone());
    }
    wired.fault("delete", "oauth_states", late.clone());
    let outcomes = tokio::join!(
        store.create_session(session(1)),
        store.create_api_key(key, Some(1)),
        store.use_handle("handle", end),
        store.begin_request(request, now()),
        store.delete_user("bob"),
    );
    assert!(matches!(outcomes.0, Err(StoreError::Unavailable(_))), "{:?}", outcomes.0);
    assert!(matches!(outcomes.1, Err(StoreError::Unavailable(_))), "{:?}", outcomes.1);
    assert!(matches!(outcomes.2, Err(StoreError::Unavailable(_))), "{:?}", outcomes.2);
    assert!(matches!(outcomes.3, Err(StoreError::Unavailable(_))), "{:?}", outcomes.3);
    assert!(matches!(outcomes.4, Err(StoreError::Unavailable(_))), "{:?}", outcomes.4);
    wired.fault("findAndModify", "host_links", late);
    let outcome = store.create_session(session(2)).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(wired.is_clear());
    // Closing waits for what has begun.
    store.close().await;
    for collection in ["sessions", "api_keys", "used_handles", "repeatable_requests"] {
        let left = wired.database.collection::<Document>(collection).find_one(doc! {}).await.unwrap();
        assert_eq!(left, None, "{collection}");
    }
    let usable = doc! { "consumedBy": { "$exists": false } };
    let links = wired.database.collection::<Document>("host_links");
    assert_eq!(links.count_documents(usable).await.unwrap(), 2, "neither link is spent");
    let users = wired.database.collection::<Document>("users");
    assert_eq!(users.count_documents(doc! {}).await.unwrap(), 1, "an account goes when it is said to go");
}
