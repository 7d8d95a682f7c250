//! Views of connections for operators, to whom they do not belong.

use connection_store::{Connection, SealedToken};
use jiff::Timestamp;
use shared::Provider;
use token_vault::Vault;

use super::credentials::{self, contexts};
use super::view;
use crate::providers::rules;

/// An active connection as its owner sees it. Without the vault, its token is taken to be one that opens.
pub fn view_of(stored: Connection, vault: Option<&Vault>, now: Timestamp) -> shared::Connection {
    let rules = rules(stored.provider);
    let opens = vault.is_none_or(|vault| credentials::open(vault, rules, &stored).is_some());
    let asked: Vec<_> = rules.permissions.iter().map(|&permission| permission.to_owned()).collect();
    view::connection(stored, rules, &asked, opens, now)
}

/// Tells whether the vault opens the token of a provider's connection that lasts.
pub fn opens(vault: &Vault, provider: Provider, token: &SealedToken) -> bool {
    let [access_context, refresh_context] = contexts(rules(provider), &token.provider_account_id);
    match &token.refresh_token {
        Some(refresh_token) => vault.open(refresh_token, &refresh_context).is_ok(),
        None => vault.open(&token.access_token, &access_context).is_ok(),
    }
}
