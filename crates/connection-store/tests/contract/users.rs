//! Local accounts.

use std::sync::Arc;

use connection_store::{CreateOutcome, NewUser, Store, StoreError, User};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};

use crate::{contract, now};

contract! {
    a_user_is_found_by_id_and_by_email,
    a_user_may_have_no_name,
    nobody_is_found_where_nobody_is,
    an_email_belongs_to_one_account,
    an_id_that_exists_is_a_failure,
    of_many_sign_ups_with_one_email_one_succeeds,
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
