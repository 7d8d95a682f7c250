//! A connection as operators see it: never its token.

use std::error::Error;

use connection_store::Connection;
use serde::Serialize;
use shared::{ConnectionStatus, Provider, Timestamp};
use token_vault::{Keyring, Vault};

use crate::commands::output;
use domain::clock::{Clock, SystemClock};
use domain::connections::view_of;

/// A connection as operators see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionRow {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) username: String,
    pub(super) provider: Provider,
    #[serde(flatten)]
    pub(super) account: AccountIds,
    /// As the API says it; `disconnected` for one that was ended.
    pub(super) status: &'static str,
    pub(super) connected_at: Timestamp,
    pub(super) last_connected_at: Timestamp,
    /// `None` once it was ended.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) last_sync: Timestamp,
    pub(super) last_error: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) missing_scopes: Vec<String>,
    pub(super) needs_reauthorization_since: Option<Timestamp>,
}

impl ConnectionRow {
    pub(super) fn new(stored: Connection, vault: Option<&Vault>) -> Self {
        let is_active = stored.is_active;
        let view = view_of(stored.clone(), vault, SystemClock.now());
        Self {
            status: match view.status {
                _ if !is_active => "disconnected",
                ConnectionStatus::Active => "active",
                ConnectionStatus::Expiring => "expiring",
                ConnectionStatus::NeedsReauthorization => "needs_reauthorization",
            },
            id: view.id,
            user_id: stored.user_id,
            username: view.username,
            provider: stored.provider,
            account: AccountIds::new(stored.provider, stored.provider_account_id, stored.other_account_id),
            connected_at: view.connected_at,
            last_connected_at: stored.last_connected_at.into(),
            expires_at: is_active.then_some(view.expires_at),
            last_sync: view.last_sync,
            last_error: view.last_error.filter(|_| is_active),
            scopes: view.scopes,
            missing_scopes: view.missing_scopes,
            needs_reauthorization_since: view.needs_reauthorization_since.filter(|_| is_active),
        }
    }
}

/// The ids of an account, by the names that they are stored under.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum AccountIds {
    /// An Instagram account's.
    Instagram { instagram_user_id: String, app_scoped_user_id: Option<String> },
    /// A Spotify account's.
    Spotify { spotify_user_id: String, spotify_id: Option<String> },
}

impl AccountIds {
    fn new(provider: Provider, id: String, other_id: Option<String>) -> Self {
        match provider {
            Provider::Instagram => Self::Instagram { instagram_user_id: id, app_scoped_user_id: other_id },
            Provider::Spotify => Self::Spotify { spotify_user_id: id, spotify_id: other_id },
        }
    }

    /// Returns the id that never changes, and the other one.
    pub(super) fn both(&self) -> (&str, Option<&str>) {
        match self {
            Self::Instagram { instagram_user_id, app_scoped_user_id } => {
                (instagram_user_id, app_scoped_user_id.as_deref())
            }
            Self::Spotify { spotify_user_id, spotify_id } => (spotify_user_id, spotify_id.as_deref()),
        }
    }
}

/// The vault, or a note that says what cannot be told without it.
pub(super) fn vault(keyring: Result<Keyring, Box<dyn Error>>) -> Option<Vault> {
    match keyring {
        Ok(keyring) => Some(Vault::new(keyring)),
        Err(why) => {
            let why = output::for_terminal(&why.to_string());
            eprintln!("instagram-connect: whether tokens can be read is not checked: {why}");
            None
        }
    }
}
