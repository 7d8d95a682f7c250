//! Views of connections for operators, to whom they do not belong.

use connection_store::{Connection, SealedToken};
use jiff::Timestamp;
use shared::Provider;
use token_vault::Vault;

use super::credentials::open;
use super::view;
use crate::providers::rules;

/// An active connection as its owner sees it. Without the vault, its token is taken to be one that opens.
pub fn view_of(stored: Connection, vault: Option<&Vault>, now: Timestamp) -> shared::Connection {
    let rules = rules(stored.provider);
    let Connection { provider_account_id, access_token, refresh_token, .. } = &stored;
    let opened = |vault| open(vault, rules, provider_account_id, access_token, refresh_token.as_deref());
    let opens = vault.is_none_or(|vault| opened(vault).is_some());
    view::connection(stored, rules, &rules.default_permissions(), opens, now)
}

/// Tells whether the vault opens the token of a provider's connection that lasts.
pub fn opens(vault: &Vault, provider: Provider, token: &SealedToken) -> bool {
    let SealedToken { provider_account_id, access_token, refresh_token, .. } = token;
    open(vault, rules(provider), provider_account_id, access_token, refresh_token.as_deref()).is_some()
}
