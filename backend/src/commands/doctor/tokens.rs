//! The stored tokens: whether the keys open them.

use std::sync::Arc;

use connection_store::{Store, StoreResult};
use futures_util::future::try_join_all;
use shared::Provider;
use token_vault::{Keyring, Vault};

use super::check::Check;
use super::found::Found;
use crate::commands::{opened, sentence};
use domain::connections::opens;

const NAME: &str = "tokens";

/// Tokens of each key that are tried.
const SAMPLE: u32 = 50;

/// Checks that every token's key is in the keyring, and that some tokens of each key can be decrypted.
pub(super) async fn check(found: &Found, store: &Arc<dyn Store>) -> Check {
    let Some(encryption) = found.encryption.as_ref().filter(|_| !found.is_wrong("TOKEN_ENCRYPTION_KEYS"))
    else {
        return Check::warning(
            NAME,
            "not checked, since there are no keys",
            "correct TOKEN_ENCRYPTION_KEYS first",
        );
    };
    let keyring = match opened::keyring(encryption) {
        Ok(keyring) => keyring,
        Err(why) => return Check::failed(NAME, why.to_string(), "without its key no token can be read"),
    };
    match look(store, keyring).await {
        Ok(check) => check,
        Err(error) => Check::failed(NAME, sentence(&error), "the database stopped answering; try again"),
    }
}

async fn look(store: &Arc<dyn Store>, keyring: Keyring) -> StoreResult<Check> {
    let key_ids: Vec<String> = keyring.key_ids().map(str::to_owned).collect();
    let key_use =
        try_join_all(Provider::ALL.map(|provider| store.connections(provider).key_use())).await?.concat();
    let of_key = |id: &str| {
        key_use.iter().filter(|used| used.key_id.as_deref() == Some(id)).map(|used| used.tokens).sum::<u64>()
    };
    let all: u64 = key_use.iter().map(|used| used.tokens).sum();
    let known: u64 = key_ids.iter().map(|id| of_key(id)).sum();
    if known < all {
        let message = format!("{} of {all} are sealed with keys that are not in the keyring", all - known);
        let advice = "\"instagram-connect keys status\" names them: restore those keys, or the people have to reconnect";
        return Ok(Check::failed(NAME, message, advice));
    }
    let vault = Vault::new(keyring);
    let (mut tried, mut opened) = (0, 0);
    for id in &key_ids {
        for provider in Provider::ALL {
            for token in store.connections(provider).sealed_with(Some(id), None, SAMPLE).await? {
                tried += 1;
                opened += u32::from(opens(&vault, provider, &token));
            }
        }
    }
    if opened < tried {
        let message = format!("{} of {tried} that were tried do not open", tried - opened);
        let advice = "their key's name is in the keyring with another key behind it, as after a restore beside the wrong key \
                      file: restore the right key, or the people have to reconnect";
        return Ok(Check::failed(NAME, message, advice));
    }
    let waiting: u64 = key_ids.iter().skip(1).map(|id| of_key(id)).sum();
    Ok(match (all, waiting) {
        (0, _) => Check::ok(NAME, "none are stored yet"),
        (_, 0) => {
            Check::ok(NAME, format!("{all}, all sealed with the first key; {tried} were tried and open"))
        }
        _ => Check::warning(
            NAME,
            format!("{all}, of which {waiting} are sealed with an older key; {tried} were tried and open"),
            "keep the older keys: the running service seals these tokens anew (\"instagram-connect keys status\")",
        ),
    })
}
