//! Views of connections for operators, to whom they do not belong.

use connection_store::{Connection, SealedToken};
use jiff::Timestamp;
use token_vault::Vault;

use super::{token_context, view};

/// An active connection as its owner sees it. Without the vault, its token is taken to be one that opens.
pub fn view_of(stored: Connection, vault: Option<&Vault>, now: Timestamp) -> shared::Connection {
    let context = token_context(&stored.instagram_user_id);
    let opens = vault.is_none_or(|vault| vault.open(&stored.access_token, &context).is_ok());
    view::connection(stored, opens, now)
}

/// Tells whether the vault opens a stored token.
pub fn opens(vault: &Vault, token: &SealedToken) -> bool {
    vault.open(&token.access_token, &token_context(&token.instagram_user_id)).is_ok()
}
