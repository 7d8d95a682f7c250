//! Keeping a connection fresh when its owner asks: a renewed token, a new look at the profile.

use connection_store::{Connection, RenewedToken};
use instagram_client::{AccessToken, InstagramError};
use jiff::{SignedDuration, Timestamp};
use shared::ConnectionStatus;

use super::handoff::end_of_life;
use super::{Connections, profile, token_context};
use crate::error::ApiError;

/// Instagram renews no token that is younger.
const YOUNGEST: SignedDuration = SignedDuration::from_hours(24);

impl Connections {
    /// Renews the token of the user's connection now. The stored token is replaced only by one that ends later.
    ///
    /// # Errors
    /// `not_connected`; `rate_limited` while the token is younger than a day; `needs_reauthorization` when Instagram no
    /// longer accepts it; Instagram's other failures, which leave it as it is.
    pub(crate) async fn refresh(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        let (stored, token) = self.usable(user_id).await?;
        let now = self.clock.now();
        let age = now.duration_since(stored.token_issued_at);
        if age < YOUNGEST {
            return Err(ApiError::token_too_young(YOUNGEST - age));
        }
        let renewed = match self.instagram()?.refresh(&token).await {
            Ok(renewed) => renewed,
            Err(error) => return Err(self.refused(&stored, error, now).await),
        };
        let token_expires_at = end_of_life(now, renewed.expires_in.as_secs());
        if token_expires_at <= stored.token_expires_at {
            let reason = "the renewed token ends no later than the old one".to_owned();
            return Err(self.refused(&stored, InstagramError::Unintelligible { reason }, now).await);
        }
        let context = token_context(&stored.instagram_user_id);
        let renewed = RenewedToken {
            access_token: self.vault.seal(renewed.access_token.expose().as_bytes(), &context),
            token_issued_at: now,
            token_expires_at,
            scopes: renewed.permissions,
        };
        match self.store.renew_token(&stored.id, &stored.access_token, renewed, now).await? {
            Some(renewed) => Ok(self.view(renewed)),
            // Something newer came first: it counts, and this token is forgotten.
            None => self.read(user_id).await,
        }
    }

    /// Reads the profile of the user's connection from Instagram now.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when Instagram no longer accepts the token; Instagram's other failures.
    pub(crate) async fn sync(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        let (stored, token) = self.usable(user_id).await?;
        let answer = self.instagram()?.profile(&token).await;
        let now = self.clock.now();
        let user = match answer {
            Ok(profile) if profile.professional_id == stored.instagram_user_id => profile::to_wire(profile),
            Ok(_) => {
                let reason = "the profile is another account's".to_owned();
                return Err(self.refused(&stored, InstagramError::Unintelligible { reason }, now).await);
            }
            Err(error) => return Err(self.refused(&stored, error, now).await),
        };
        match self.store.update_profile(&stored.id, user_id, profile::to_stored(user), now).await? {
            Some(synced) => Ok(self.view(synced)),
            None => self.read(user_id).await,
        }
    }

    /// The user's connection and its token, unless it is known that Instagram will not take the token.
    async fn usable(&self, user_id: &str) -> Result<(Connection, AccessToken), ApiError> {
        let stored = self.store.latest_connection(user_id).await?.ok_or_else(ApiError::not_connected)?;
        let opened = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id));
        let token = opened.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        let status = self.view(stored.clone()).status;
        match token.filter(|_| status != ConnectionStatus::NeedsReauthorization) {
            Some(token) => Ok((stored, AccessToken::from(token))),
            None => Err(ApiError::needs_reauthorization(None)),
        }
    }

    /// What a failed call with a stored token means for its owner. Only Instagram's word that the token is dead is
    /// recorded; whatever else fails leaves the connection as it is.
    async fn refused(&self, stored: &Connection, error: InstagramError, now: Timestamp) -> ApiError {
        let InstagramError::NeedsReauthorization { subcode } = error else {
            return match self.instagram() {
                Ok(instagram) => ApiError::from_instagram(error, instagram.redirect_uri()),
                Err(not_configured) => not_configured,
            };
        };
        let why = why_refused(subcode);
        // When it cannot be recorded now, the next call finds out again.
        let marked = self.store.mark_needs_reauthorization(&stored.id, &stored.access_token, why, now).await;
        if let Err(error) = marked {
            return error.into();
        }
        ApiError::needs_reauthorization(Some(error))
    }
}

/// Why Instagram refuses a token, for its owner (`instagram-api.md` §6).
fn why_refused(subcode: Option<i64>) -> &'static str {
    match subcode {
        Some(458) => "This app was removed in Instagram's settings.",
        Some(459) => "Instagram wants to check something: sign in at Instagram once.",
        Some(460) => "The Instagram password was changed.",
        Some(0 | 463) => "Instagram's access for this account has ended.",
        Some(464) => "The Instagram account is not confirmed.",
        _ => "Instagram no longer accepts our access to this account.",
    }
}
