//! Service keys: what the operator gives to the host application's backend.

use std::io;

use connection_store::{ApiKey, KeyOutcome, Store};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use shared::Scope;

use crate::caller::api_key::{ApiKeyText, KeyTerms};
use crate::config::{BOOTSTRAP_VARIABLE, KeysConfig};

/// The name of the key that the configuration gives. No other service key may have it.
pub(crate) const BOOTSTRAP_NAME: &str = "bootstrap";

/// Sees to it that the configured key is there with every scope, and that none which was configured before it is. Without a
/// configured key nothing is changed.
///
/// Several processes may do this at once: each step says how things have to be, and is fine when they are so already.
///
/// # Errors
/// Names the variable: when the key is a person's own, or the database does not answer.
pub(crate) async fn ensure_bootstrap_key(
    store: &dyn Store,
    config: &KeysConfig,
    now: Timestamp,
) -> io::Result<()> {
    let Some(text) = &config.bootstrap_service_key else { return Ok(()) };
    let text = ApiKeyText::parse(text.expose_secret()).ok_or_else(|| refused("it is no key"))?;
    let present = match find(store, &text).await? {
        Some(key) if key.user_id.is_some() => return Err(refused("this key is a person's own")),
        Some(key) if is_bootstrap_key(&key) => Some(key),
        Some(other) => {
            // Made by hand with less than this one can do.
            store.delete_api_key(&other.id, None).await.map_err(refused)?;
            None
        }
        None => None,
    };
    let id = match present {
        Some(key) => key.id,
        None => {
            let terms = KeyTerms {
                user_id: None,
                name: BOOTSTRAP_NAME.to_owned(),
                scopes: Scope::ALL.to_vec(),
                expires_at: None,
            };
            let new = text.to_stored(terms, now);
            let id = new.id.clone();
            match store.create_api_key(new, None).await.map_err(refused)? {
                KeyOutcome::Created => id,
                // Another process was first.
                KeyOutcome::Taken | KeyOutcome::TooMany | KeyOutcome::Unproved => {
                    find(store, &text).await?.ok_or_else(|| refused("it is being revoked"))?.id
                }
            }
        }
    };
    for former in store.api_keys(None).await.map_err(refused)? {
        if former.name == BOOTSTRAP_NAME && former.id != id {
            store.delete_api_key(&former.id, None).await.map_err(refused)?;
            tracing::info!(key = former.id, hint = former.hint, "revoked the former bootstrap key");
        }
    }
    Ok(())
}

async fn find(store: &dyn Store, text: &ApiKeyText) -> io::Result<Option<ApiKey>> {
    store.find_api_key(&text.hash()).await.map_err(refused)
}

fn is_bootstrap_key(key: &ApiKey) -> bool {
    let has_all = Scope::ALL.iter().all(|scope| key.scopes.iter().any(|name| name == scope.as_str()));
    key.name == BOOTSTRAP_NAME && has_all && key.expires_at.is_none()
}

fn refused(why: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{BOOTSTRAP_VARIABLE}: {why}"))
}
