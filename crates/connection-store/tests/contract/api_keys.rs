//! Keys of programs.

use std::sync::Arc;

use connection_store::{ApiKey, KeyOutcome, NewApiKey, Store, StoreError};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::{contract, hash, now, seconds};

contract! {
    a_key_is_found_by_its_hash_as_it_was_given,
    a_key_may_belong_to_nobody_and_never_end,
    a_key_that_has_ended_is_still_there,
    a_hash_that_exists_changes_nothing,
    an_id_that_exists_is_a_failure,
    of_50_keys_with_one_hash_one_is_made,
    a_user_has_no_more_keys_than_they_may,
    of_20_keys_at_once_as_many_are_made_as_there_may_be,
    keys_are_listed_by_their_owner_the_newest_first,
    a_key_is_revoked_by_its_owner_alone,
    a_use_is_recorded_and_never_moves_back,
}

fn key(number: u32, user_id: Option<&str>, now: Timestamp) -> NewApiKey {
    NewApiKey {
        id: format!("key-{number}"),
        key_hash: hash(number),
        user_id: user_id.map(str::to_owned),
        name: "$name of 'a' key".to_owned(),
        scopes: vec!["connections:read".to_owned(), "tokens:read".to_owned()],
        hint: "igc_live_abcd".to_owned(),
        created_at: now,
        expires_at: Some(now + seconds(600)),
        password_hash: None,
        session: None,
    }
}

/// Returns the key that is stored when `new` is made.
fn expected(new: NewApiKey) -> ApiKey {
    ApiKey {
        id: new.id,
        key_hash: new.key_hash,
        user_id: new.user_id,
        name: new.name,
        scopes: new.scopes,
        hint: new.hint,
        created_at: new.created_at,
        expires_at: new.expires_at,
        last_used_at: None,
    }
}

async fn a_key_is_found_by_its_hash_as_it_was_given(store: Arc<dyn Store>) {
    let one = key(1, Some("ann"), now());
    assert_eq!(store.create_api_key(one.clone(), None).await.unwrap(), KeyOutcome::Created);
    assert_eq!(store.find_api_key(&hash(1)).await.unwrap(), Some(expected(one)));
    assert_eq!(store.find_api_key(&hash(2)).await.unwrap(), None);
}

async fn a_key_may_belong_to_nobody_and_never_end(store: Arc<dyn Store>) {
    let service = NewApiKey { expires_at: None, scopes: Vec::new(), ..key(1, None, now()) };
    assert_eq!(store.create_api_key(service.clone(), None).await.unwrap(), KeyOutcome::Created);
    assert_eq!(store.find_api_key(&hash(1)).await.unwrap(), Some(expected(service.clone())));
    assert_eq!(store.api_keys(None).await.unwrap(), [expected(service)]);
}

async fn a_key_that_has_ended_is_still_there(store: Arc<dyn Store>) {
    let ended = key(1, Some("ann"), now() - seconds(100_000));
    store.create_api_key(ended.clone(), None).await.unwrap();
    store.create_api_key(key(2, Some("bob"), now()), None).await.unwrap();
    assert_eq!(store.find_api_key(&hash(1)).await.unwrap(), Some(expected(ended.clone())));
    assert_eq!(store.api_keys(Some("ann")).await.unwrap(), [expected(ended)]);
}

async fn a_hash_that_exists_changes_nothing(store: Arc<dyn Store>) {
    let one = key(1, Some("ann"), now());
    store.create_api_key(one.clone(), None).await.unwrap();
    let same_hash = NewApiKey { key_hash: hash(1), ..key(2, Some("bob"), now()) };
    assert_eq!(store.create_api_key(same_hash, None).await.unwrap(), KeyOutcome::Taken);
    // The very same key, as at a restart that makes the operator's key again.
    assert_eq!(store.create_api_key(one.clone(), None).await.unwrap(), KeyOutcome::Taken);
    assert_eq!(store.find_api_key(&hash(1)).await.unwrap(), Some(expected(one)));
    assert_eq!(store.api_keys(Some("bob")).await.unwrap(), []);
}

async fn an_id_that_exists_is_a_failure(store: Arc<dyn Store>) {
    store.create_api_key(key(1, Some("ann"), now()), None).await.unwrap();
    let same_id = NewApiKey { key_hash: hash(2), ..key(1, Some("bob"), now()) };
    assert!(matches!(store.create_api_key(same_id, None).await, Err(StoreError::Failed(_))));
    assert_eq!(store.find_api_key(&hash(2)).await.unwrap(), None);
}

async fn of_50_keys_with_one_hash_one_is_made(store: Arc<dyn Store>) {
    let now = now();
    let tasks = (0..50).map(|number| {
        let store = Arc::clone(&store);
        let same_hash = NewApiKey { key_hash: hash(7), ..key(number, None, now) };
        tokio::spawn(async move { store.create_api_key(same_hash, None).await.unwrap() })
    });
    let made: Vec<KeyOutcome> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made == KeyOutcome::Created).count(), 1);
    assert_eq!(made.iter().filter(|made| **made == KeyOutcome::Taken).count(), 49);
    assert_eq!(store.api_keys(None).await.unwrap().len(), 1);
}

async fn a_user_has_no_more_keys_than_they_may(store: Arc<dyn Store>) {
    let now = now();
    // One that was made without a bound counts, and so does one that has ended.
    store.create_api_key(key(1, Some("ann"), now - seconds(100_000)), None).await.unwrap();
    let create = async |number, user| store.create_api_key(key(number, user, now), Some(3)).await.unwrap();
    assert_eq!(create(2, Some("ann")).await, KeyOutcome::Created);
    assert_eq!(create(3, Some("ann")).await, KeyOutcome::Created);
    assert_eq!(create(4, Some("ann")).await, KeyOutcome::TooMany);
    assert_eq!(create(3, Some("ann")).await, KeyOutcome::Taken, "it is there, whatever the bound");
    assert_eq!(store.find_api_key(&hash(4)).await.unwrap(), None);
    assert_eq!(create(5, Some("bob")).await, KeyOutcome::Created, "each has their own bound");
    assert_eq!(create(6, None).await, KeyOutcome::Created);
    store.delete_api_key("key-2", Some("ann")).await.unwrap();
    assert_eq!(create(7, Some("ann")).await, KeyOutcome::Created, "one that was revoked makes room");
    assert_eq!(create(8, Some("ann")).await, KeyOutcome::TooMany);
    let none = store.create_api_key(key(9, Some("cleo"), now), Some(0)).await.unwrap();
    assert_eq!(none, KeyOutcome::TooMany);
}

async fn of_20_keys_at_once_as_many_are_made_as_there_may_be(store: Arc<dyn Store>) {
    let now = now();
    let tasks = (0..20).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(
            async move { store.create_api_key(key(number, Some("ann"), now), Some(5)).await.unwrap() },
        )
    });
    let made: Vec<KeyOutcome> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let count = |wanted| made.iter().filter(|made| **made == wanted).count();
    assert_eq!((count(KeyOutcome::Created), count(KeyOutcome::TooMany)), (5, 15));
    assert_eq!(store.api_keys(Some("ann")).await.unwrap().len(), 5);
}

async fn keys_are_listed_by_their_owner_the_newest_first(store: Arc<dyn Store>) {
    let now = now();
    let owners =
        [(1, Some("ann")), (2, Some("bob")), (3, None), (4, Some("ann")), (5, None), (6, Some("ann"))];
    for (number, owner) in owners {
        // The order of making is not that of the times.
        let made = key(number, owner, now + seconds(i64::from(number * 7 % 10)));
        store.create_api_key(made, None).await.unwrap();
    }
    let ids = async |owner: Option<&str>| {
        let keys = store.api_keys(owner).await.unwrap();
        assert!(keys.iter().all(|key| key.user_id.as_deref() == owner));
        keys.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Some("ann")).await, ["key-4", "key-1", "key-6"]);
    assert_eq!(ids(Some("bob")).await, ["key-2"]);
    assert_eq!(ids(None).await, ["key-5", "key-3"]);
    assert_eq!(ids(Some("")).await, [""; 0], "a service key is not the empty user's");
}

async fn a_key_is_revoked_by_its_owner_alone(store: Arc<dyn Store>) {
    store.create_api_key(key(1, Some("ann"), now()), None).await.unwrap();
    store.create_api_key(key(2, None, now()), None).await.unwrap();
    for (id, by) in [("key-1", Some("bob")), ("key-1", None), ("key-2", Some("ann")), ("key-3", Some("ann"))]
    {
        assert!(!store.delete_api_key(id, by).await.unwrap(), "{id} by {by:?}");
    }
    assert!(store.delete_api_key("key-1", Some("ann")).await.unwrap());
    assert!(!store.delete_api_key("key-1", Some("ann")).await.unwrap());
    assert_eq!(store.find_api_key(&hash(1)).await.unwrap(), None);
    assert!(store.delete_api_key("key-2", None).await.unwrap());
    assert_eq!(store.find_api_key(&hash(2)).await.unwrap(), None);
}

async fn a_use_is_recorded_and_never_moves_back(store: Arc<dyn Store>) {
    let now = now();
    store.create_api_key(key(1, Some("ann"), now), None).await.unwrap();
    for (used, last) in [(10, 10), (5, 10), (20, 20)] {
        store.touch_api_key("key-1", now + seconds(used)).await.unwrap();
        let found = store.find_api_key(&hash(1)).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(now + seconds(last)));
    }
    // One that is gone stays gone.
    store.touch_api_key("key-2", now).await.unwrap();
    assert_eq!(store.api_keys(Some("ann")).await.unwrap().len(), 1);
    assert_eq!(store.api_keys(None).await.unwrap(), []);
}
