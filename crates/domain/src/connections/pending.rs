//! A pending connection, which travels through the browser between exchange and save, inside a sealed handle.

use connection_store::NewConnection;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::{Provider, SaveConnection, UserProfile};
use token_vault::Vault;
use upstream::{AccessToken, RefreshToken, UpstreamError};
use zeroize::Zeroizing;

use super::credentials::seal;
use super::profile;
use crate::clock::later;
use crate::error::Invalid;
use crate::providers::{Grant, Rules};

/// A connection that the provider has granted and nobody has stored yet.
///
/// Serialised only into a sealed handle, never into an answer or a log; it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingConnection {
    /// Handles of an earlier version name none: they are Instagram's.
    #[serde(default = "instagram")]
    provider: Provider,
    access_token: Zeroizing<String>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    issued_at: Timestamp,
    /// Seconds, from `issued_at`.
    expires_in: u64,
    #[serde(rename = "app_scoped_id")]
    other_id: Option<String>,
    user: UserProfile,
    #[serde(default)]
    profile_url: Option<String>,
    #[serde(default)]
    product: Option<String>,
    scopes: Vec<String>,
}

fn instagram() -> Provider {
    Provider::Instagram
}

impl PendingConnection {
    /// Makes one of what was granted. `asked`: what was asked for, which counts where the answer does not say what was granted.
    ///
    /// # Errors
    /// [`UpstreamError::Unintelligible`] for a grant without a token.
    pub(super) fn new(rules: &Rules, grant: Grant, asked: &[String]) -> Result<Self, UpstreamError> {
        let Grant { credentials, issued_at, expires_in, account, scopes } = grant;
        let Some(access) = credentials.access else {
            return Err(UpstreamError::unintelligible("no access token"));
        };
        Ok(Self {
            provider: rules.provider,
            access_token: Zeroizing::new(access.expose().to_owned()),
            refresh_token: credentials.refresh.map(|token| Zeroizing::new(token.expose().to_owned())),
            issued_at,
            expires_in: expires_in.as_secs(),
            other_id: account.other_id,
            profile_url: account.profile.profile_url.clone(),
            product: account.profile.product.clone(),
            user: profile::to_wire(account.id, account.profile),
            scopes: scopes.unwrap_or_else(|| asked.to_vec()),
        })
    }

    /// Tells whether an account's id is one of this account's.
    pub(super) fn is_of(&self, account_id: &str) -> bool {
        self.user.id == account_id || self.other_id.as_deref() == Some(account_id)
    }

    pub(super) fn provider(&self) -> Provider {
        self.provider
    }

    pub(super) fn user(&self) -> &UserProfile {
        &self.user
    }

    /// Returns the one id that the provider told of the account; `None` where it told two.
    pub(super) fn only_id(&self) -> Option<&str> {
        self.other_id.as_deref().filter(|&other| other == self.user.id)
    }

    /// Names the account by another of its ids.
    pub(super) fn name_account(&mut self, id: String) {
        self.user.id = id;
    }

    pub(super) fn expires_in(&self) -> u64 {
        self.expires_in
    }

    /// Lists the body's fields that say something else than this does.
    pub(super) fn contradictions(&self, body: &SaveConnection) -> Vec<Invalid> {
        let mut fields = Vec::new();
        if body.provider_account_id != self.user.id {
            fields.push(Invalid::OtherAccount);
        }
        if body.expires_in.is_some_and(|seconds| seconds != self.expires_in) {
            fields.push(Invalid::OtherLife);
        }
        if body.user.as_ref().is_some_and(|user| contradicts(user, &self.user)) {
            fields.push(Invalid::OtherProfile);
        }
        fields
    }

    /// Returns the connection to store for `user_id`.
    pub(super) fn into_connection(
        self,
        user_id: &str,
        vault: &Vault,
        rules: &Rules,
        refresh_window: SignedDuration,
    ) -> NewConnection {
        let id = self.user.id.clone();
        let access = AccessToken::from((*self.access_token).clone());
        let refresh = self.refresh_token.as_deref().map(|token| RefreshToken::from(token.clone()));
        let sealed = seal(vault, rules, &id, Some(&access), refresh.as_ref());
        let token_expires_at = end_of_life(self.issued_at, self.expires_in);
        NewConnection {
            user_id: user_id.to_owned(),
            provider_account_id: id,
            other_account_id: self.other_id,
            access_token: sealed.access_token,
            refresh_token: sealed.refresh_token,
            token_issued_at: self.issued_at,
            token_expires_at,
            expires_at: (rules.expires_at)(self.issued_at, token_expires_at),
            refresh_at: (rules.refresh_at)(self.issued_at, token_expires_at, refresh_window),
            profile: profile::to_stored(self.user, self.profile_url, self.product),
            scopes: self.scopes,
        }
    }
}

/// Returns the time at which a token with a life of so many seconds expires.
pub(super) fn end_of_life(issued_at: Timestamp, expires_in: u64) -> Timestamp {
    let seconds = i64::try_from(expires_in).unwrap_or(i64::MAX);
    later(issued_at, SignedDuration::from_secs(seconds))
}

/// Tells whether the fields that a client gives of a profile differ from it. A field left out says nothing.
fn contradicts(said: &UserProfile, is: &UserProfile) -> bool {
    fn differs<T: PartialEq>(said: Option<&T>, is: Option<&T>) -> bool {
        said.is_some() && said != is
    }
    said.id != is.id
        || said.username != is.username
        || differs(said.name.as_ref(), is.name.as_ref())
        || differs(said.profile_picture_url.as_ref(), is.profile_picture_url.as_ref())
        || differs(said.biography.as_ref(), is.biography.as_ref())
        || differs(said.website.as_ref(), is.website.as_ref())
        || differs(said.followers_count.as_ref(), is.followers_count.as_ref())
        || differs(said.follows_count.as_ref(), is.follows_count.as_ref())
        || differs(said.media_count.as_ref(), is.media_count.as_ref())
}

/// Opens a handle with any content as the save does, for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub fn fuzz_pending_connection(vault: &Vault, handle: &str, bearer: &str) {
    use crate::providers::rules;

    if let Ok(opened) = vault.open_handle::<PendingConnection>(handle, bearer, 0) {
        let pending: PendingConnection = opened.payload;
        let rules = rules(pending.provider);
        let stored = pending.into_connection(bearer, vault, rules, SignedDuration::ZERO);
        let [context, _] = super::credentials::contexts(rules, &stored.provider_account_id);
        assert!(vault.open(&stored.access_token, &context).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_without_end_ends_with_the_calendar() {
        let now = Timestamp::from_second(1_762_788_600).unwrap();
        assert_eq!(end_of_life(now, 3600).as_second(), 1_762_792_200);
        assert_eq!(end_of_life(now, u64::MAX), Timestamp::MAX);
        assert_eq!(end_of_life(Timestamp::MAX, 1), Timestamp::MAX);
    }
}
