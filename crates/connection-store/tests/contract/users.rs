//! Local accounts.

use std::sync::Arc;

use connection_store::{
    CreateOutcome, HostLink, KeyOutcome, NewApiKey, NewOAuthState, NewSession, NewUser, Store, StoreError,
    User,
};
use futures_util::future::{join, join_all};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use shared::Provider::Instagram;

use crate::{contract, hash, now, seconds};

contract! {
    a_user_is_found_by_id_and_by_email,
    a_user_may_have_no_name,
    nobody_is_found_where_nobody_is,
    an_email_belongs_to_one_account,
    an_id_that_exists_is_a_failure,
    of_many_sign_ups_with_one_email_one_succeeds,
    credentials_are_found_by_id,
    a_password_is_changed_by_whoever_knows_the_old_one,
    of_20_changes_of_one_password_one_succeeds,
    a_deleted_account_is_gone_with_all_that_is_its_own,
    deleting_again_finishes_what_was_left,
    a_session_needs_the_password_that_was_checked,
    a_sign_in_and_a_deletion_at_once_leave_no_session,
    a_sign_in_and_a_change_of_password_at_once_leave_no_session,
    a_new_password_revokes_the_keys_where_that_is_wanted,
    a_key_needs_the_password_that_was_checked,
    a_new_key_and_a_change_of_password_that_revokes_all_at_once_leave_no_key,
    a_key_without_a_password_needs_the_session_that_makes_it,
    a_new_key_and_a_sign_out_everywhere_that_revokes_all_at_once_leave_no_key,
}

fn ann() -> NewUser {
    NewUser {
        user: User {
            id: "user-ann".to_owned(),
            email: "Ann@Example.org".to_owned(),
            name: Some("Änn $set \0 'O''Neil'".to_owned()),
            created_at: now(),
        },
        email_key: "ann@example.org".to_owned(),
        password_hash: SecretString::from("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"),
    }
}

async fn a_user_is_found_by_id_and_by_email(store: Arc<dyn Store>) {
    let ann = ann();
    assert_eq!(store.create_user(ann.clone()).await.unwrap(), CreateOutcome::Created);

    assert_eq!(store.find_user("user-ann").await.unwrap(), Some(ann.user.clone()));
    let credentials = store.find_credentials("ann@example.org").await.unwrap().unwrap();
    assert_eq!(credentials.user, ann.user);
    assert_eq!(credentials.password_hash.expose_secret(), ann.password_hash.expose_secret());
}

async fn a_user_may_have_no_name(store: Arc<dyn Store>) {
    let mut nameless = ann();
    nameless.user.name = None;
    store.create_user(nameless).await.unwrap();
    assert_eq!(store.find_user("user-ann").await.unwrap().unwrap().name, None);
}

async fn nobody_is_found_where_nobody_is(store: Arc<dyn Store>) {
    store.create_user(ann()).await.unwrap();
    assert_eq!(store.find_user("user-bob").await.unwrap(), None);
    assert!(store.find_credentials("bob@example.org").await.unwrap().is_none());
    // The unique form alone is looked up.
    assert!(store.find_credentials("Ann@Example.org").await.unwrap().is_none());
}

async fn an_email_belongs_to_one_account(store: Arc<dyn Store>) {
    store.create_user(ann()).await.unwrap();
    let mut other = ann();
    other.user.id = "user-other".to_owned();
    assert_eq!(store.create_user(other).await.unwrap(), CreateOutcome::EmailTaken);
    assert_eq!(store.find_user("user-other").await.unwrap(), None);
    assert_eq!(store.find_credentials("ann@example.org").await.unwrap().unwrap().user.id, "user-ann");
}

async fn an_id_that_exists_is_a_failure(store: Arc<dyn Store>) {
    store.create_user(ann()).await.unwrap();
    let mut other = ann();
    other.email_key = "other@example.org".to_owned();
    assert!(matches!(store.create_user(other).await, Err(StoreError::Failed(_))));
    assert!(store.find_credentials("other@example.org").await.unwrap().is_none());
}

async fn of_many_sign_ups_with_one_email_one_succeeds(store: Arc<dyn Store>) {
    let sign_ups = (0..30).map(|number| {
        let store = Arc::clone(&store);
        let mut user = ann();
        user.user.id = format!("user-{number}");
        tokio::spawn(async move { store.create_user(user).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(sign_ups).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CreateOutcome::Created).count(), 1);

    let winner = outcomes.iter().position(|outcome| *outcome == CreateOutcome::Created).unwrap();
    let credentials = store.find_credentials("ann@example.org").await.unwrap().unwrap();
    assert_eq!(credentials.user.id, format!("user-{winner}"));
}

async fn credentials_are_found_by_id(store: Arc<dyn Store>) {
    let ann = ann();
    store.create_user(ann.clone()).await.unwrap();
    let credentials = store.find_credentials_of("user-ann").await.unwrap().unwrap();
    assert_eq!(credentials.user, ann.user);
    assert_eq!(credentials.password_hash.expose_secret(), ann.password_hash.expose_secret());
    assert!(store.find_credentials_of("user-bob").await.unwrap().is_none());
}

async fn a_password_is_changed_by_whoever_knows_the_old_one(store: Arc<dyn Store>) {
    let (old, new) = (ann().password_hash, SecretString::from("$argon2id$new"));
    store.create_user(ann()).await.unwrap();
    let mut bob = ann();
    (bob.user.id, bob.email_key) = ("user-bob".to_owned(), "bob@example.org".to_owned());
    store.create_user(bob).await.unwrap();

    assert!(!store.change_password("user-ann", &new, &new, None, false).await.unwrap());
    assert!(!store.change_password("user-cleo", &old, &new, None, false).await.unwrap());
    assert!(store.change_password("user-ann", &old, &new, None, false).await.unwrap());
    assert!(!store.change_password("user-ann", &old, &new, None, false).await.unwrap());
    for (user, password) in [("user-ann", &new), ("user-bob", &old)] {
        let stored = store.find_credentials_of(user).await.unwrap().unwrap().password_hash;
        assert_eq!(stored.expose_secret(), password.expose_secret(), "{user}");
    }
    let by_email = store.find_credentials("ann@example.org").await.unwrap().unwrap();
    assert_eq!(by_email.password_hash.expose_secret(), new.expose_secret());
    assert_eq!(by_email.user, store.find_user("user-ann").await.unwrap().unwrap());
}

async fn of_20_changes_of_one_password_one_succeeds(store: Arc<dyn Store>) {
    store.create_user(ann()).await.unwrap();
    let changes = (0..20).map(|number| {
        let store = Arc::clone(&store);
        let new = SecretString::from(format!("$argon2id${number}"));
        tokio::spawn(async move {
            store.change_password("user-ann", &ann().password_hash, &new, None, false).await.unwrap()
        })
    });
    let changed: Vec<bool> = join_all(changes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 1);
    let winner = changed.iter().position(|changed| *changed).unwrap();
    let stored = store.find_credentials_of("user-ann").await.unwrap().unwrap().password_hash;
    assert_eq!(stored.expose_secret(), format!("$argon2id${winner}"));
}

/// Gives a user a session, a key, a state and a link, all of this number.
async fn furnish(store: &Arc<dyn Store>, number: u32, user_id: &str) {
    let (user_id, now) = (user_id.to_owned(), now());
    let expires_at = now + seconds(600);
    let session = NewSession {
        token_hash: hash(number),
        id: format!("ses-{number}"),
        user_id: user_id.clone(),
        name: None,
        user_agent: None,
        created_at: now,
        expires_at,
        password_hash: None,
        host_link: None,
    };
    store.create_session(session).await.unwrap();
    let key = NewApiKey {
        id: format!("key-{number}"),
        key_hash: hash(number),
        user_id: Some(user_id.clone()),
        name: "Key".to_owned(),
        scopes: Vec::new(),
        hint: "igc_live_".to_owned(),
        created_at: now,
        expires_at: None,
        password_hash: None,
        session: None,
    };
    store.create_api_key(key, None).await.unwrap();
    let state = NewOAuthState {
        state_hash: hash(number),
        provider: Instagram,
        user_id: user_id.clone(),
        return_to: None,
        expected_account: None,
        sealed_verifier: None,
        created_at: now,
        expires_at,
    };
    store.insert_state(state).await.unwrap();
    let link = HostLink {
        token_hash: hash(number),
        user_id,
        name: None,
        return_to: None,
        created_at: now,
        expires_at,
    };
    store.insert_host_link(link).await.unwrap();
}

/// Tells whether a session, a key, a state and a link of this number are there. Asking uses the state up.
async fn furniture(store: &Arc<dyn Store>, number: u32, user_id: &str) -> [bool; 4] {
    let (hash, now) = (hash(number), now());
    [
        store.find_session(&hash, now).await.unwrap().is_some(),
        store.find_api_key(&hash).await.unwrap().is_some(),
        store.consume_state(&hash, Instagram, user_id, now).await.unwrap().is_some(),
        store.find_host_link(&hash, now).await.unwrap().is_some(),
    ]
}

async fn a_deleted_account_is_gone_with_all_that_is_its_own(store: Arc<dyn Store>) {
    store.create_user(ann()).await.unwrap();
    for (number, user) in [(1, "user-ann"), (2, "user-ann"), (3, "user-bob")] {
        furnish(&store, number, user).await;
    }
    let service = NewApiKey {
        id: "service".to_owned(),
        key_hash: hash(4),
        user_id: None,
        name: "Service".to_owned(),
        scopes: Vec::new(),
        hint: "igc_live_".to_owned(),
        created_at: now(),
        expires_at: None,
        password_hash: None,
        session: None,
    };
    store.create_api_key(service, None).await.unwrap();

    assert!(store.delete_user("user-ann").await.unwrap());
    assert_eq!(store.find_user("user-ann").await.unwrap(), None);
    assert!(store.find_credentials("ann@example.org").await.unwrap().is_none());
    for number in [1, 2] {
        assert_eq!(furniture(&store, number, "user-ann").await, [false; 4]);
    }
    assert_eq!(furniture(&store, 3, "user-bob").await, [true; 4], "another's are left alone");
    assert_eq!(store.api_keys(None).await.unwrap().len(), 1, "the operator's are left alone");
    // The address is free again.
    assert_eq!(store.create_user(ann()).await.unwrap(), CreateOutcome::Created);
}

async fn deleting_again_finishes_what_was_left(store: Arc<dyn Store>) {
    store.create_user(ann()).await.unwrap();
    assert!(store.delete_user("user-ann").await.unwrap());
    // As a process that died half-way could leave it.
    furnish(&store, 1, "user-ann").await;
    assert!(!store.delete_user("user-ann").await.unwrap());
    assert_eq!(furniture(&store, 1, "user-ann").await, [false; 4]);
}

/// A session of this number for who has given the password of `ann`.
fn signing_in(number: u32, now: Timestamp) -> NewSession {
    NewSession {
        token_hash: hash(number),
        id: format!("ses-{number}"),
        user_id: "user-ann".to_owned(),
        name: None,
        user_agent: None,
        created_at: now,
        expires_at: now + seconds(600),
        password_hash: Some(ann().password_hash),
        host_link: None,
    }
}

async fn a_session_needs_the_password_that_was_checked(store: Arc<dyn Store>) {
    let now = now();
    let open = async |number| store.create_session(signing_in(number, now)).await.unwrap();
    assert!(!open(1).await, "there is no account");
    store.create_user(ann()).await.unwrap();
    assert!(open(2).await);
    let old = ann().password_hash;
    assert!(
        store
            .change_password("user-ann", &old, &SecretString::from("$argon2id$new"), None, false)
            .await
            .unwrap()
    );
    assert!(!open(3).await, "the password is another");
    store.delete_user("user-ann").await.unwrap();
    assert!(!open(4).await, "the account is gone");
    for number in 1..=4 {
        assert_eq!(store.find_session(&hash(number), now).await.unwrap(), None, "{number}");
    }
    let hosts = NewSession { password_hash: None, ..signing_in(5, now) };
    assert!(store.create_session(hosts).await.unwrap(), "a host's user has no account");
}

/// Signs Ann in ten times while `end` ends what was opened; then none of the sessions may be there.
async fn race(store: &Arc<dyn Store>, end: impl Future<Output = ()>) {
    let now = now();
    let sign_ins = (0..10).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.create_session(signing_in(number, now)).await.unwrap() })
    });
    join(join_all(sign_ins), end).await;
    for number in 0..10 {
        assert_eq!(store.find_session(&hash(number), now).await.unwrap(), None, "{number}");
    }
}

async fn a_sign_in_and_a_deletion_at_once_leave_no_session(store: Arc<dyn Store>) {
    for _ in 0..20 {
        store.create_user(ann()).await.unwrap();
        race(&store, async { assert!(store.delete_user("user-ann").await.unwrap()) }).await;
    }
}

async fn a_sign_in_and_a_change_of_password_at_once_leave_no_session(store: Arc<dyn Store>) {
    for _ in 0..20 {
        store.create_user(ann()).await.unwrap();
        let change = async {
            let (old, new) = (ann().password_hash, SecretString::from("$argon2id$new"));
            assert!(store.change_password("user-ann", &old, &new, None, false).await.unwrap());
        };
        race(&store, change).await;
        store.delete_user("user-ann").await.unwrap();
    }
}

/// A key of this number for the owner who has given the password of `ann`.
fn new_key(number: u32) -> NewApiKey {
    NewApiKey {
        id: format!("key-{number}"),
        key_hash: hash(number),
        user_id: Some("user-ann".to_owned()),
        name: "Key".to_owned(),
        scopes: Vec::new(),
        hint: "igc_live_".to_owned(),
        created_at: now(),
        expires_at: None,
        password_hash: Some(ann().password_hash),
        session: None,
    }
}

async fn a_new_password_revokes_the_keys_where_that_is_wanted(store: Arc<dyn Store>) {
    let (first, second, third) = (ann().password_hash, "$argon2id$2".into(), "$argon2id$3".into());
    store.create_user(ann()).await.unwrap();
    furnish(&store, 1, "user-ann").await;
    furnish(&store, 2, "user-bob").await;
    assert!(!store.change_password("user-ann", &second, &third, None, true).await.unwrap());
    assert!(store.change_password("user-ann", &first, &second, None, false).await.unwrap());
    assert_eq!(store.api_keys(Some("user-ann")).await.unwrap().len(), 1);
    assert!(store.change_password("user-ann", &second, &third, None, true).await.unwrap());
    assert_eq!(store.api_keys(Some("user-ann")).await.unwrap(), []);
    assert_eq!(store.api_keys(Some("user-bob")).await.unwrap().len(), 1, "another's are left alone");

    furnish(&store, 3, "host:user-1").await;
    store.sign_out_everywhere("host:user-1", false).await.unwrap();
    assert_eq!(store.api_keys(Some("host:user-1")).await.unwrap().len(), 1);
    store.sign_out_everywhere("host:user-1", true).await.unwrap();
    assert_eq!(store.api_keys(Some("host:user-1")).await.unwrap(), []);
    assert_eq!(store.api_keys(Some("user-bob")).await.unwrap().len(), 1);
}

async fn a_key_needs_the_password_that_was_checked(store: Arc<dyn Store>) {
    let create = async |number| store.create_api_key(new_key(number), Some(2)).await.unwrap();
    assert_eq!(create(1).await, KeyOutcome::Unproved, "there is no account");
    store.create_user(ann()).await.unwrap();
    assert_eq!(create(1).await, KeyOutcome::Created);
    let (old, new) = (ann().password_hash, "$argon2id$new".into());
    assert!(store.change_password("user-ann", &old, &new, None, false).await.unwrap());
    assert_eq!(create(2).await, KeyOutcome::Unproved, "the password is another");
    let keys = store.api_keys(Some("user-ann")).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["key-1"]);
}

async fn a_new_key_and_a_change_of_password_that_revokes_all_at_once_leave_no_key(store: Arc<dyn Store>) {
    for _ in 0..20 {
        store.create_user(ann()).await.unwrap();
        let keys = (0..5).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.create_api_key(new_key(number), None).await.unwrap() })
        });
        let (old, new) = (ann().password_hash, "$argon2id$new".into());
        let (_, changed) =
            join(join_all(keys), store.change_password("user-ann", &old, &new, None, true)).await;
        assert!(changed.unwrap());
        assert_eq!(store.api_keys(Some("user-ann")).await.unwrap(), []);
        store.delete_user("user-ann").await.unwrap();
    }
}

/// A key of this number that the session of hash 1 makes, of a user who has no password.
fn new_key_of_session(number: u32) -> NewApiKey {
    NewApiKey { password_hash: None, session: Some(hash(1)), ..new_key(number) }
}

async fn open_without_password(store: &Arc<dyn Store>, now: Timestamp) {
    let session = NewSession { password_hash: None, ..signing_in(1, now) };
    assert!(store.create_session(session).await.unwrap());
}

async fn a_key_without_a_password_needs_the_session_that_makes_it(store: Arc<dyn Store>) {
    let create = async |number| store.create_api_key(new_key_of_session(number), None).await.unwrap();
    assert_eq!(create(1).await, KeyOutcome::Unproved, "it was never opened");
    open_without_password(&store, now()).await;
    assert_eq!(create(2).await, KeyOutcome::Created);
    store.delete_session(&hash(1)).await.unwrap();
    assert_eq!(create(3).await, KeyOutcome::Unproved, "it was ended");
    open_without_password(&store, now() - seconds(30 * 86_400)).await;
    assert_eq!(create(4).await, KeyOutcome::Unproved, "its time is over");
    let keys = store.api_keys(Some("user-ann")).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["key-2"]);
}

async fn a_new_key_and_a_sign_out_everywhere_that_revokes_all_at_once_leave_no_key(store: Arc<dyn Store>) {
    for _ in 0..20 {
        open_without_password(&store, now()).await;
        let keys = (0..5).map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.create_api_key(new_key_of_session(number), None).await.unwrap() })
        });
        let (_, ended) = join(join_all(keys), store.sign_out_everywhere("user-ann", true)).await;
        ended.unwrap();
        assert_eq!(store.api_keys(Some("user-ann")).await.unwrap(), []);
    }
}
