//! Tokens by the key that sealed them.

use connection_store::{KeyUse, NewConnection, RefreshedToken, SealedToken};
use futures_util::future::join_all;

use crate::connections::save;
use crate::{Accounts, contract_of_accounts, disconnect, event, now};

contract_of_accounts! {
    tokens_are_found_by_their_key,
    a_reencrypted_token_changes_nothing_else,
    a_token_is_reencrypted_only_while_it_is_the_same,
    [once]
    one_of_20_reencrypts_wins,
    each_token_is_counted_once_while_tokens_are_reencrypted,
}

async fn connect(accounts: &Accounts, number: u32, token: &str) -> SealedToken {
    let new = NewConnection {
        access_token: token.to_owned(),
        refresh_token: accounts.refresh_token(token),
        ..accounts.new_connection(&format!("user-{number}"), &format!("178414{number:011}"), now())
    };
    let saved = save(accounts, new, now()).await;
    SealedToken {
        connection_id: saved.id,
        provider_account_id: saved.provider_account_id,
        access_token: saved.access_token,
        refresh_token: saved.refresh_token,
    }
}

/// Seals the tokens of a connection anew.
async fn reencrypt(accounts: &Accounts, old: &SealedToken, token: &str) -> bool {
    let refresh_token = old.refresh_token.as_ref().map(|_| token.to_owned());
    let new = SealedToken { access_token: token.to_owned(), refresh_token, ..old.clone() };
    accounts.connections().reseal(old, &new).await.unwrap()
}

fn key(key_id: Option<&str>, tokens: u64) -> KeyUse {
    KeyUse { key_id: key_id.map(str::to_owned), tokens }
}

async fn tokens_are_found_by_their_key(accounts: Accounts) {
    let mut old = Vec::new();
    for number in 0..5 {
        old.push(connect(&accounts, number, &format!("v1.k1.{number}")).await);
    }
    old.sort_by(|a, b| a.connection_id.cmp(&b.connection_id));
    let plain = connect(&accounts, 10, "plain").await;
    let renewed = connect(&accounts, 11, "v1.k1.to-be-renewed").await;
    let token = RefreshedToken {
        access_token: "v1.k2.renewed".to_owned(),
        refresh_token: accounts.refresh_token("v1.k2.renewed"),
        token_issued_at: now(),
        token_expires_at: now(),
        expires_at: now(),
        refresh_at: now(),
        scopes: None,
    };
    let (id, old_token) = (&renewed.connection_id, &renewed.access_token);
    accounts
        .connections()
        .replace_token(id, old_token, token, vec![event("refreshed")], now())
        .await
        .unwrap();
    connect(&accounts, 12, "v1.k1.ended").await;
    disconnect(&accounts, "user-12", now()).await;

    assert_eq!(accounts.connections().sealed_with(Some("k1"), None, 10).await.unwrap(), old);
    let after = Some(&*old[1].connection_id);
    assert_eq!(accounts.connections().sealed_with(Some("k1"), after, 2).await.unwrap(), old[2..4]);
    assert_eq!(accounts.connections().sealed_with(None, None, 10).await.unwrap(), [plain]);
    assert_eq!(accounts.connections().sealed_with(Some("k2"), None, 10).await.unwrap().len(), 1);
    assert_eq!(accounts.connections().sealed_with(Some("k3"), None, 10).await.unwrap(), []);
    let mut used = accounts.connections().key_use().await.unwrap();
    used.sort_by(|a, b| a.key_id.cmp(&b.key_id));
    assert_eq!(used, [key(None, 1), key(Some("k1"), 5), key(Some("k2"), 1)]);
}

async fn a_reencrypted_token_changes_nothing_else(accounts: Accounts) {
    let old = connect(&accounts, 1, "v1.k1.a").await;
    let mut before = accounts.connections().connection(&old.connection_id).await.unwrap().unwrap();
    assert!(reencrypt(&accounts, &old, "v1.k2.a").await);
    before.access_token = "v1.k2.a".to_owned();
    before.refresh_token = accounts.refresh_token("v1.k2.a");
    assert_eq!(accounts.connections().connection(&old.connection_id).await.unwrap(), Some(before));
    assert_eq!(accounts.connections().sealed_with(Some("k1"), None, 10).await.unwrap(), []);
    assert_eq!(accounts.connections().key_use().await.unwrap(), [key(Some("k2"), 1)]);
}

async fn a_token_is_reencrypted_only_while_it_is_the_same(accounts: Accounts) {
    let old = connect(&accounts, 1, "v1.k1.a").await;
    connect(&accounts, 1, "v1.k1.reconnected").await;
    assert!(!reencrypt(&accounts, &old, "v1.k2.a").await);
    let stored = accounts.connections().connection(&old.connection_id).await.unwrap().unwrap();
    assert_eq!(stored.access_token, "v1.k1.reconnected");
    disconnect(&accounts, "user-1", now()).await;
    let ended = SealedToken { access_token: String::new(), refresh_token: None, ..old.clone() };
    assert!(!reencrypt(&accounts, &ended, "v1.k2.a").await, "an ended one gets no token");
    let nowhere = SealedToken { connection_id: "no id".to_owned(), ..old };
    assert!(!reencrypt(&accounts, &nowhere, "v1.k2.a").await);
}

async fn one_of_20_reencrypts_wins(accounts: Accounts) {
    let old = connect(&accounts, 1, "v1.k1.a").await;
    let reencrypts = (0..20).map(|number| {
        let (accounts, old) = (accounts.clone(), old.clone());
        tokio::spawn(async move { reencrypt(&accounts, &old, &format!("v1.k2.{number}")).await })
    });
    let won = join_all(reencrypts).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);
}

/// An operator removes a key because of these numbers.
async fn each_token_is_counted_once_while_tokens_are_reencrypted(accounts: Accounts) {
    const TOKENS: u32 = 120;
    for number in 0..TOKENS {
        connect(&accounts, number, &format!("v1.k5.{number}")).await;
    }
    let reencrypting = tokio::spawn({
        let accounts = accounts.clone();
        async move {
            // To keys before and behind the one that they have.
            for (from, to) in [("k5", "k9"), ("k9", "k1"), ("k1", "k5")] {
                for token in accounts.connections().sealed_with(Some(from), None, TOKENS).await.unwrap() {
                    let anew = token.access_token.replace(from, to);
                    assert!(reencrypt(&accounts, &token, &anew).await);
                }
            }
        }
    });
    while !reencrypting.is_finished() {
        let counted: u64 =
            accounts.connections().key_use().await.unwrap().iter().map(|used| used.tokens).sum();
        assert_eq!(counted, u64::from(TOKENS));
    }
    reencrypting.await.unwrap();
}
