//! Sealing and opening what a connection is kept by.

use connection_store::Connection;
use token_vault::{Context, Vault};
use upstream::{AccessToken, RefreshToken};

use super::Connections;
use crate::providers::{Credentials, Rules};

/// The tokens of a connection as the vault sealed them.
pub(super) struct Sealed {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
}

/// Returns the contexts that stored tokens are bound to, of the access token and of the refresh token: a ciphertext that is moved to
/// another account's document, or to another field, does not open.
pub(super) fn contexts<'a>(rules: &Rules, account_id: &'a str) -> [Context<'a>; 2] {
    rules.sealed_as.map(|purpose| Context { purpose, subject: account_id })
}

/// Opens the tokens of an account; `None` when the one that lasts cannot be opened.
pub(super) fn open(
    vault: &Vault,
    rules: &Rules,
    account_id: &str,
    access_token: &str,
    refresh_token: Option<&str>,
) -> Option<Credentials> {
    let [access_context, refresh_context] = contexts(rules, account_id);
    let text = |sealed: &str, context: &Context<'_>| {
        let opened = vault.open(sealed, context).ok()?;
        std::str::from_utf8(&opened).ok().map(str::to_owned)
    };
    let access = text(access_token, &access_context).map(AccessToken::from);
    match refresh_token {
        None => Some(Credentials { access: Some(access?), refresh: None }),
        Some(refresh) => {
            let refresh = RefreshToken::from(text(refresh, &refresh_context)?);
            Some(Credentials { access, refresh: Some(refresh) })
        }
    }
}

/// Seals tokens for an account. An access token that is not there stays so: it is made anew from the other when it is needed.
pub(super) fn seal(
    vault: &Vault,
    rules: &Rules,
    account_id: &str,
    access: Option<&AccessToken>,
    refresh: Option<&RefreshToken>,
) -> Sealed {
    let [access_context, refresh_context] = contexts(rules, account_id);
    let access = access.map(|token| vault.seal(token.expose().as_bytes(), &access_context));
    Sealed {
        access_token: access.unwrap_or_default(),
        refresh_token: refresh.map(|token| vault.seal(token.expose().as_bytes(), &refresh_context)),
    }
}

impl Connections {
    /// Seals tokens for an account.
    pub(super) fn seal(
        &self,
        account_id: &str,
        access: Option<&AccessToken>,
        refresh: Option<&RefreshToken>,
    ) -> Sealed {
        seal(&self.vault, self.rules, account_id, access, refresh)
    }

    /// Opens a connection's tokens; `None` when the one that lasts cannot be opened.
    pub(super) fn open(&self, stored: &Connection) -> Option<Credentials> {
        let Connection { provider_account_id, access_token, refresh_token, .. } = stored;
        open(&self.vault, self.rules, provider_account_id, access_token, refresh_token.as_deref())
    }
}
