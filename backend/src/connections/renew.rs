//! Keeping a connection alive: its token renewed, by itself or when its owner asks, and its profile read anew.

use connection_store::{Connection, DueForRefresh, RenewedToken, StoreError, StoreResult};
use instagram_client::{AccessToken, InstagramError};
use jiff::SignedDuration;

use super::handoff::end_of_life;
use super::{Connections, profile, token_context, view};
use crate::error::ApiError;

/// Instagram renews no token that is younger.
const YOUNGEST: SignedDuration = SignedDuration::from_hours(24);

/// The longest pause between two tries: with weeks left, it leaves many.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

impl Connections {
    /// Renews the token of the user's connection now.
    ///
    /// # Errors
    /// `not_connected`; `rate_limited` while the token is younger than a day; `needs_reauthorization` when Instagram no
    /// longer accepts it; Instagram's other failures, which leave it as it is.
    pub(crate) async fn refresh(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        let (stored, token) = self.usable(user_id).await?;
        let age = self.clock.now().duration_since(stored.token_issued_at);
        if age < YOUNGEST {
            return Err(ApiError::token_too_young(YOUNGEST - age));
        }
        match self.renew(&stored, &token).await {
            Ok(Some(renewed)) => Ok(self.view(renewed)),
            // Something newer came first: it counts, and this token is forgotten.
            Ok(None) => self.read(user_id).await,
            Err(RenewError::Instagram(error)) => Err(self.refused(&stored, error).await),
            Err(RenewError::Service(error)) => Err(error),
        }
    }

    /// Takes connections whose token has less than `window` left, and which nobody else is renewing, for as long as
    /// `lease`.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to renew with.
    pub(crate) async fn claim_due(
        &self,
        window: SignedDuration,
        lease: SignedDuration,
        limit: u32,
    ) -> Result<Vec<Connection>, ApiError> {
        self.instagram()?;
        let now = self.clock.now();
        let due = DueForRefresh {
            expires_by: now + window,
            issued_by: now - YOUNGEST,
            lease_until: now + lease,
            limit,
        };
        Ok(self.store.claim_due_for_refresh(due, now).await?)
    }

    /// Renews one claimed connection. What fails is put off, longer each time, and costs the connection nothing.
    pub(crate) async fn renew_claimed(&self, stored: &Connection) -> RefreshOutcome {
        let Some(token) = self.open(stored) else {
            return self
                .postpone(stored, "This server can no longer read the stored access.", LONGEST_WAIT)
                .await;
        };
        match self.renew(stored, &token).await {
            Ok(Some(_)) => RefreshOutcome::Renewed,
            Ok(None) => RefreshOutcome::Superseded,
            Err(RenewError::Instagram(InstagramError::NeedsReauthorization { subcode })) => {
                match self.mark_dead(stored, subcode).await {
                    Ok(()) => RefreshOutcome::Dead,
                    Err(_) => RefreshOutcome::Postponed,
                }
            }
            Err(RenewError::Instagram(InstagramError::RateLimited { retry_after })) => {
                let wait = SignedDuration::try_from(retry_after).unwrap_or(LONGEST_WAIT);
                self.postpone(stored, "Instagram asks us to slow down.", wait).await;
                RefreshOutcome::RateLimited(wait)
            }
            Err(RenewError::Instagram(error)) => {
                tracing::warn!(connection = stored.id, %error, "a token was not renewed");
                let wait = match error {
                    InstagramError::AppAccess => LONGEST_WAIT,
                    _ => wait_after(stored.refresh_failures),
                };
                self.postpone(stored, why_not_renewed(&error), wait).await
            }
            // The lease ends by itself.
            Err(RenewError::Service(error)) => {
                error.log();
                RefreshOutcome::Postponed
            }
        }
    }

    async fn postpone(&self, stored: &Connection, why: &str, wait: SignedDuration) -> RefreshOutcome {
        let until = self.clock.now() + wait;
        let postponed = self.store.postpone_refresh(&stored.id, &stored.access_token, why, until).await;
        if let Err(error) = postponed {
            // The lease is the wait then.
            ApiError::from(error).log();
        }
        RefreshOutcome::Postponed
    }

    /// Has Instagram renew a token and stores it in the place of the one that it was made from. `None` when another took
    /// that place meanwhile.
    async fn renew(
        &self,
        stored: &Connection,
        token: &AccessToken,
    ) -> Result<Option<Connection>, RenewError> {
        let renewed = self.instagram()?.refresh(token).await?;
        let now = self.clock.now();
        let token_expires_at = end_of_life(now, renewed.expires_in.as_secs());
        if token_expires_at <= stored.token_expires_at {
            let reason = "the renewed token ends no later than the old one".to_owned();
            return Err(InstagramError::Unintelligible { reason }.into());
        }
        let context = token_context(&stored.instagram_user_id);
        let renewed = RenewedToken {
            access_token: self.vault.seal(renewed.access_token.expose().as_bytes(), &context),
            token_issued_at: now,
            token_expires_at,
            scopes: renewed.permissions,
        };
        Ok(self.store.renew_token(&stored.id, &stored.access_token, renewed, now).await?)
    }

    /// Reads the profile of the user's connection from Instagram now.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when Instagram no longer accepts the token; Instagram's other failures.
    pub(crate) async fn sync(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        let (stored, token) = self.usable(user_id).await?;
        let user = match self.instagram()?.profile(&token).await {
            Ok(profile) if profile.professional_id == stored.instagram_user_id => profile::to_wire(profile),
            Ok(_) => {
                let reason = "the profile is another account's".to_owned();
                return Err(self.refused(&stored, InstagramError::Unintelligible { reason }).await);
            }
            Err(error) => return Err(self.refused(&stored, error).await),
        };
        let profile = profile::to_stored(user);
        match self.store.update_profile(&stored.id, user_id, profile, self.clock.now()).await? {
            Some(synced) => Ok(self.view(synced)),
            None => self.read(user_id).await,
        }
    }

    /// The user's connection and its token, unless it is known that Instagram will not take the token.
    async fn usable(&self, user_id: &str) -> Result<(Connection, AccessToken), ApiError> {
        let stored = self.store.latest_connection(user_id).await?.ok_or_else(ApiError::not_connected)?;
        let token = self.open(&stored).ok_or_else(|| ApiError::needs_reauthorization(None))?;
        if view::dead_since(&stored, true, self.clock.now()).is_some() {
            return Err(ApiError::needs_reauthorization(None));
        }
        Ok((stored, token))
    }

    /// The stored token; `None` when it cannot be opened.
    fn open(&self, stored: &Connection) -> Option<AccessToken> {
        let opened = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).ok()?;
        std::str::from_utf8(&opened).ok().map(|token| AccessToken::from(token.to_owned()))
    }

    /// What a failed call with a stored token means for its owner. Only Instagram's word that the token is dead is
    /// recorded; whatever else fails leaves the connection as it is.
    async fn refused(&self, stored: &Connection, error: InstagramError) -> ApiError {
        let InstagramError::NeedsReauthorization { subcode } = error else {
            return match self.instagram() {
                Ok(instagram) => ApiError::from_instagram(error, instagram.redirect_uri()),
                Err(not_configured) => not_configured,
            };
        };
        match self.mark_dead(stored, subcode).await {
            Ok(()) => ApiError::needs_reauthorization(Some(error)),
            Err(error) => error.into(),
        }
    }

    /// Records that Instagram refuses the token. When that cannot be done now, the next call finds out again.
    async fn mark_dead(&self, stored: &Connection, subcode: Option<i64>) -> StoreResult<()> {
        let (why, now) = (why_refused(subcode), self.clock.now());
        self.store.mark_needs_reauthorization(&stored.id, &stored.access_token, why, now).await?;
        Ok(())
    }
}

/// Why a token was not renewed.
enum RenewError {
    Instagram(InstagramError),
    Service(ApiError),
}

impl From<InstagramError> for RenewError {
    fn from(error: InstagramError) -> Self {
        Self::Instagram(error)
    }
}

impl From<ApiError> for RenewError {
    fn from(error: ApiError) -> Self {
        Self::Service(error)
    }
}

impl From<StoreError> for RenewError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// What came of the renewal of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// The connection has a new token.
    Renewed,
    /// A reconnect, a disconnect or another renewal came first.
    Superseded,
    /// Instagram says that the token is dead. Only its owner can help.
    Dead,
    /// It failed, and is tried again later.
    Postponed,
    /// Instagram wants no more calls for so long.
    RateLimited(SignedDuration),
}

/// How long to wait after so many failures in a row: a minute, doubled each time, up to six hours, and up to a quarter
/// more or less by chance, so that what failed together does not come back together.
fn wait_after(failures: u32) -> SignedDuration {
    let minutes = 1_i64 << failures.saturating_sub(1).min(9);
    let wait = SignedDuration::from_mins(minutes).min(LONGEST_WAIT);
    let mut chance = [0_u8];
    // Without random numbers there is no jitter, which is no reason to fail.
    let _ = getrandom::fill(&mut chance);
    wait * 3 / 4 + wait / 512 * i32::from(chance[0])
}

/// Why a token was not renewed, for its owner.
fn why_not_renewed(error: &InstagramError) -> &'static str {
    match error {
        InstagramError::AppAccess => {
            "Instagram does not let this app act for the account at the moment. The app's owner has to look at it."
        }
        InstagramError::MissingPermission { .. } => "Instagram says that a permission is missing.",
        InstagramError::Misconfigured { .. } => "Instagram does not accept this server's app at the moment.",
        _ => "Instagram did not answer as expected when we last tried to renew the access.",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_six_hours_give_or_take() {
        for (failures, minutes) in [(0, 1), (1, 1), (2, 2), (5, 16), (9, 256), (10, 360), (u32::MAX, 360)] {
            let expected = SignedDuration::from_mins(minutes);
            let wait = wait_after(failures);
            assert!(expected * 3 / 4 <= wait && wait <= expected * 5 / 4, "{failures}: {wait}");
        }
    }
}
