//! Tokens by the key that sealed them.

use std::sync::Arc;

use connection_store::{KeyUse, NewConnection, RefreshedToken, SealedToken, Store};
use futures_util::future::join_all;

use crate::connections::{new_connection, save};
use crate::{contract, disconnect, event, now};

contract! {
    tokens_are_found_by_their_key,
    a_reencrypted_token_changes_nothing_else,
    a_token_is_reencrypted_only_while_it_is_the_same,
    one_of_20_reencrypts_wins,
    each_token_is_counted_once_while_tokens_are_reencrypted,
}

async fn connect(store: &Arc<dyn Store>, number: u32, token: &str) -> SealedToken {
    let new = NewConnection {
        access_token: token.to_owned(),
        ..new_connection(&format!("user-{number}"), &format!("178414{number:011}"), now())
    };
    let saved = save(store, new, now()).await;
    SealedToken {
        connection_id: saved.id,
        instagram_user_id: saved.instagram_user_id,
        access_token: saved.access_token,
    }
}

fn key(key_id: Option<&str>, tokens: u64) -> KeyUse {
    KeyUse { key_id: key_id.map(str::to_owned), tokens }
}

async fn tokens_are_found_by_their_key(store: Arc<dyn Store>) {
    let mut old = Vec::new();
    for number in 0..5 {
        old.push(connect(&store, number, &format!("v1.k1.{number}")).await);
    }
    old.sort_by(|a, b| a.connection_id.cmp(&b.connection_id));
    let plain = connect(&store, 10, "plain").await;
    let renewed = connect(&store, 11, "v1.k1.to-be-renewed").await;
    let token = RefreshedToken {
        access_token: "v1.k2.renewed".to_owned(),
        token_issued_at: now(),
        token_expires_at: now(),
        refresh_at: now(),
        scopes: None,
    };
    let (id, old_token) = (&renewed.connection_id, &renewed.access_token);
    store.replace_token(id, old_token, token, vec![event("refreshed")], now()).await.unwrap();
    connect(&store, 12, "v1.k1.ended").await;
    disconnect(&store, "user-12", now()).await;

    assert_eq!(store.sealed_with(Some("k1"), None, 10).await.unwrap(), old);
    let after = Some(&*old[1].connection_id);
    assert_eq!(store.sealed_with(Some("k1"), after, 2).await.unwrap(), old[2..4]);
    assert_eq!(store.sealed_with(None, None, 10).await.unwrap(), [plain]);
    assert_eq!(store.sealed_with(Some("k2"), None, 10).await.unwrap().len(), 1);
    assert_eq!(store.sealed_with(Some("k3"), None, 10).await.unwrap(), []);
    let mut used = store.key_use().await.unwrap();
    used.sort_by(|a, b| a.key_id.cmp(&b.key_id));
    assert_eq!(used, [key(None, 1), key(Some("k1"), 5), key(Some("k2"), 1)]);
}

async fn a_reencrypted_token_changes_nothing_else(store: Arc<dyn Store>) {
    let old = connect(&store, 1, "v1.k1.a").await;
    let mut before = store.connection(&old.connection_id).await.unwrap().unwrap();
    assert!(store.reencrypt_token(&old, "v1.k2.a").await.unwrap());
    before.access_token = "v1.k2.a".to_owned();
    assert_eq!(store.connection(&old.connection_id).await.unwrap(), Some(before));
    assert_eq!(store.sealed_with(Some("k1"), None, 10).await.unwrap(), []);
    assert_eq!(store.key_use().await.unwrap(), [key(Some("k2"), 1)]);
}

async fn a_token_is_reencrypted_only_while_it_is_the_same(store: Arc<dyn Store>) {
    let old = connect(&store, 1, "v1.k1.a").await;
    connect(&store, 1, "v1.k1.reconnected").await;
    assert!(!store.reencrypt_token(&old, "v1.k2.a").await.unwrap());
    let stored = store.connection(&old.connection_id).await.unwrap().unwrap();
    assert_eq!(stored.access_token, "v1.k1.reconnected");
    disconnect(&store, "user-1", now()).await;
    let ended = SealedToken { access_token: String::new(), ..old.clone() };
    assert!(!store.reencrypt_token(&ended, "v1.k2.a").await.unwrap(), "an ended one gets no token");
    let nowhere = SealedToken { connection_id: "no id".to_owned(), ..old };
    assert!(!store.reencrypt_token(&nowhere, "v1.k2.a").await.unwrap());
}

async fn one_of_20_reencrypts_wins(store: Arc<dyn Store>) {
    let old = connect(&store, 1, "v1.k1.a").await;
    let reencrypts = (0..20).map(|number| {
        let (store, old) = (Arc::clone(&store), old.clone());
        tokio::spawn(async move { store.reencrypt_token(&old, &format!("v1.k2.{number}")).await.unwrap() })
    });
    let won = join_all(reencrypts).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);
}

/// An operator removes a key because of these numbers.
async fn each_token_is_counted_once_while_tokens_are_reencrypted(store: Arc<dyn Store>) {
    const TOKENS: u32 = 120;
    for number in 0..TOKENS {
        connect(&store, number, &format!("v1.k5.{number}")).await;
    }
    let reencrypting = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            // To keys before and behind the one that they have.
            for (from, to) in [("k5", "k9"), ("k9", "k1"), ("k1", "k5")] {
                for token in store.sealed_with(Some(from), None, TOKENS).await.unwrap() {
                    let anew = token.access_token.replace(from, to);
                    assert!(store.reencrypt_token(&token, &anew).await.unwrap());
                }
            }
        }
    });
    while !reencrypting.is_finished() {
        let counted: u64 = store.key_use().await.unwrap().iter().map(|used| used.tokens).sum();
        assert_eq!(counted, u64::from(TOKENS));
    }
    reencrypting.await.unwrap();
}
