//! A pending connection, which travels through the browser between exchange and save, inside a sealed handle.

use std::time::Duration;

use connection_store::NewConnection;
use instagram_client::AccessToken;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::{InstagramUser, SaveConnection, permission};
use token_vault::Vault;
use zeroize::Zeroizing;

use super::{profile, token_context};
use crate::clock::later;
use crate::error::Invalid;
use crate::providers::instagram;

/// A connection that Instagram has granted and nobody has stored yet.
///
/// Serialised only into a sealed handle, never into an answer or a log; it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingConnection {
    access_token: Zeroizing<String>,
    issued_at: Timestamp,
    /// Seconds, from `issued_at`.
    expires_in: u64,
    app_scoped_id: Option<String>,
    user: InstagramUser,
    scopes: Vec<String>,
}

impl PendingConnection {
    pub(super) fn new(
        token: &AccessToken,
        issued_at: Timestamp,
        expires_in: Duration,
        profile: instagram_client::Profile,
        scopes: Option<Vec<String>>,
    ) -> Self {
        Self {
            access_token: Zeroizing::new(token.expose().to_owned()),
            issued_at,
            expires_in: expires_in.as_secs(),
            app_scoped_id: profile.app_scoped_id.clone(),
            user: profile::to_wire(profile),
            // Some answers do not say what was granted; then it is taken to be what was asked for.
            scopes: scopes.unwrap_or_else(|| permission::ALL.map(str::to_owned).to_vec()),
        }
    }

    pub(super) fn user(&self) -> &InstagramUser {
        &self.user
    }

    pub(super) fn expires_in(&self) -> u64 {
        self.expires_in
    }

    /// Lists the body's fields that say something else than this does.
    pub(super) fn contradictions(&self, body: &SaveConnection) -> Vec<Invalid> {
        let mut fields = Vec::new();
        if body.instagram_user_id != self.user.id {
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
        refresh_window: SignedDuration,
    ) -> NewConnection {
        let token_expires_at = end_of_life(self.issued_at, self.expires_in);
        NewConnection {
            user_id: user_id.to_owned(),
            access_token: vault.seal(self.access_token.as_bytes(), &token_context(&self.user.id)),
            instagram_user_id: self.user.id.clone(),
            app_scoped_user_id: self.app_scoped_id,
            token_issued_at: self.issued_at,
            token_expires_at,
            refresh_at: instagram::refresh_at(self.issued_at, token_expires_at, refresh_window),
            profile: profile::to_stored(self.user),
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
fn contradicts(said: &InstagramUser, is: &InstagramUser) -> bool {
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
    if let Ok(opened) = vault.open_handle::<PendingConnection>(handle, bearer, 0) {
        let pending: PendingConnection = opened.payload;
        let stored = pending.into_connection(bearer, vault, SignedDuration::ZERO);
        assert!(vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).is_ok());
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
