//! Keeping a connection alive: its token renewed, by itself or when its owner asks.

use std::time::Duration;

use connection_store::{
    Connection, DueForRefresh, NewEvent, Postponement, RenewedToken, StoreError, StoreResult,
};
use instagram_client::{AccessToken, InstagramError};
use jiff::SignedDuration;
use shared::EventKind;

use super::handoff::end_of_life;
use super::{Connections, token_context, view};
use crate::error::ApiError;

/// Instagram renews no token that is younger.
const YOUNGEST: SignedDuration = SignedDuration::from_hours(24);

/// The longest pause between two tries: with weeks left, it leaves many.
pub(super) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// How often, and how long apart, an owner's wish is tried while a worker is at the same token: 15 seconds in all, which
/// is longer than one call to Instagram takes.
const TURN_ATTEMPTS: u32 = 100;
const TURN_PAUSE: Duration = Duration::from_millis(150);

impl Connections {
    /// Renews the token of the user's connection now. Where a worker is at it already, its renewal counts.
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
        if !self.take_turn(&stored).await? {
            return self.read(user_id).await;
        }
        let outcome = self.renew(&stored, &token).await;
        self.metrics.refreshed(RefreshOutcome::of(&outcome));
        match outcome {
            Ok(Some(renewed)) => Ok(self.view(renewed)),
            // Something newer came first: it counts, and this token is forgotten.
            Ok(None) => self.read(user_id).await,
            Err(RenewError::Instagram(error)) => {
                // The owner sees what happened. The job goes on as if nobody had tried.
                let event = self.event(EventKind::RefreshFailed, why_not_renewed(&error));
                self.postpone(&stored, None, SignedDuration::ZERO, Some(event)).await;
                Err(self.refused(&stored, error).await)
            }
            Err(RenewError::Service(error)) => Err(error),
        }
    }

    /// Waits until nobody else renews this token. `true`: this caller has it now. `false`: it was replaced meanwhile.
    async fn take_turn(&self, stored: &Connection) -> Result<bool, ApiError> {
        let (id, token) = (&stored.id, &stored.access_token);
        for _ in 0..TURN_ATTEMPTS {
            let now = self.clock.now();
            if self.store.claim_for_refresh(id, token, now + self.lease, now).await? {
                return Ok(true);
            }
            let present = self.store.connection(id).await?;
            if present.is_none_or(|present| present.access_token != *token) {
                return Ok(false);
            }
            tokio::time::sleep(TURN_PAUSE).await;
        }
        Err(ApiError::being_renewed())
    }

    /// Takes connections whose token has less than `window` left, and which nobody else is renewing.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to renew with.
    pub(crate) async fn claim_due(
        &self,
        window: SignedDuration,
        limit: u32,
    ) -> Result<Vec<Connection>, ApiError> {
        self.instagram()?;
        let now = self.clock.now();
        let due = DueForRefresh {
            expires_by: now + window,
            issued_by: now - YOUNGEST,
            lease_until: now + self.lease,
            limit,
        };
        Ok(self.store.claim_due_for_refresh(due, now).await?)
    }

    /// For how long the renewal that waits longest has been due; `None` when none is due.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn oldest_due(&self, window: SignedDuration) -> StoreResult<Option<SignedDuration>> {
        let now = self.clock.now();
        let first = self.store.first_due_for_refresh(now + window, now - YOUNGEST, now).await?;
        Ok(first.map(|expires_at| now.duration_since(expires_at - window)))
    }

    /// Renews one claimed connection. What fails is put off, longer each time, and costs the connection nothing.
    pub(crate) async fn renew_claimed(&self, stored: &Connection) -> RefreshOutcome {
        let now = self.clock.now();
        if let Some(until) = self.paused_here(now) {
            self.postpone(stored, None, until.duration_since(now), None).await;
            return RefreshOutcome::RateLimited;
        }
        let Some(token) = self.open(stored) else {
            let why = "This server can no longer read the stored access.";
            self.postpone_failed(stored, why, LONGEST_WAIT).await;
            return RefreshOutcome::Postponed;
        };
        match self.renew(stored, &token).await {
            Ok(Some(_)) => RefreshOutcome::Renewed,
            Ok(None) => RefreshOutcome::Superseded,
            Err(RenewError::Instagram(InstagramError::NeedsReauthorization { subcode })) => {
                match self.mark_dead(stored, why_refused(subcode)).await {
                    Ok(()) => RefreshOutcome::Dead,
                    Err(_) => RefreshOutcome::Postponed,
                }
            }
            Err(RenewError::Instagram(InstagramError::RateLimited { retry_after })) => {
                self.pause(retry_after).await;
                let wait = SignedDuration::try_from(retry_after).unwrap_or(LONGEST_WAIT);
                self.postpone(stored, None, wait, None).await;
                RefreshOutcome::RateLimited
            }
            Err(RenewError::Instagram(error)) => {
                tracing::warn!(connection = stored.id, %error, "a token was not renewed");
                let wait = match error {
                    InstagramError::AppAccess => LONGEST_WAIT,
                    _ => wait_after(stored.refresh_failures),
                };
                self.postpone_failed(stored, why_not_renewed(&error), wait).await;
                RefreshOutcome::Postponed
            }
            // The lease ends by itself.
            Err(RenewError::Service(error)) => {
                error.log();
                RefreshOutcome::Postponed
            }
        }
    }

    /// Puts the next try off and says why. A failure that goes on is an event once, when it begins.
    async fn postpone_failed(&self, stored: &Connection, why: &'static str, wait: SignedDuration) {
        let begins = stored.last_error.is_none();
        let event = begins.then(|| self.event(EventKind::RefreshFailed, why));
        self.postpone(stored, Some(why), wait, event).await;
    }

    async fn postpone(
        &self,
        stored: &Connection,
        why: Option<&'static str>,
        wait: SignedDuration,
        event: Option<NewEvent>,
    ) {
        let now = self.clock.now();
        let postponement = Postponement {
            not_before: now + wait,
            error: why.map(str::to_owned),
            missing_scope: None,
            event,
        };
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.store.postpone_refresh(id, token, postponement, now).await {
            // The lease is the wait then.
            ApiError::from(error).log();
        }
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
        let lost = renewed.permissions.iter().flat_map(|granted| {
            stored
                .scopes
                .iter()
                .filter(|scope| !granted.contains(scope))
                .map(|scope| self.permission_lost(scope))
        });
        let mut events: Vec<_> = lost.collect();
        events.push(self.event(EventKind::Refreshed, "Instagram renewed the access."));
        let context = token_context(&stored.instagram_user_id);
        let renewed = RenewedToken {
            access_token: self.vault.seal(renewed.access_token.expose().as_bytes(), &context),
            token_issued_at: now,
            token_expires_at,
            scopes: renewed.permissions,
        };
        Ok(self.replace_token(stored, token, renewed, events).await?)
    }

    /// Puts a renewed token into the place of the one that it was made from. A token that was only sealed anew meanwhile,
    /// with another key, is still that one.
    async fn replace_token(
        &self,
        stored: &Connection,
        token: &AccessToken,
        renewed: RenewedToken,
        events: Vec<NewEvent>,
    ) -> StoreResult<Option<Connection>> {
        let now = self.clock.now();
        let (id, sealed) = (&stored.id, &stored.access_token);
        if let Some(kept) = self.store.renew_token(id, sealed, renewed.clone(), events.clone(), now).await? {
            return Ok(Some(kept));
        }
        match self.store.connection(id).await? {
            Some(present) if present.is_active && self.holds(&present, token) => {
                self.store.renew_token(id, &present.access_token, renewed, events, now).await
            }
            _ => Ok(None),
        }
    }

    fn holds(&self, stored: &Connection, token: &AccessToken) -> bool {
        self.open(stored).is_some_and(|present| present.expose() == token.expose())
    }

    /// Records connections whose token has ended without having been renewed, so that their owners are told. Returns how
    /// many.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn mark_ended(&self, limit: u32) -> StoreResult<usize> {
        let ended = self.store.unmarked_ended(limit, self.clock.now()).await?;
        for connection in &ended {
            self.mark_dead(connection, why_refused(Some(463))).await?;
        }
        Ok(ended.len())
    }

    /// The user's connection and its token, unless it is known that Instagram will not take the token.
    pub(super) async fn usable(&self, user_id: &str) -> Result<(Connection, AccessToken), ApiError> {
        let stored = self.stored(user_id).await?;
        let token = self.open(&stored).ok_or_else(|| ApiError::needs_reauthorization(None))?;
        if view::dead_since(&stored, true, self.clock.now()).is_some() {
            return Err(ApiError::needs_reauthorization(None));
        }
        Ok((stored, token))
    }

    /// The stored token; `None` when it cannot be opened.
    pub(super) fn open(&self, stored: &Connection) -> Option<AccessToken> {
        let opened = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).ok()?;
        std::str::from_utf8(&opened).ok().map(|token| AccessToken::from(token.to_owned()))
    }

    /// What a failed call with a stored token means for its owner. Only Instagram's word that the token is dead is
    /// recorded, and its wish to be left alone; whatever else fails leaves the connection as it is.
    pub(super) async fn refused(&self, stored: &Connection, error: InstagramError) -> ApiError {
        match error {
            InstagramError::NeedsReauthorization { subcode } => {
                match self.mark_dead(stored, why_refused(subcode)).await {
                    Ok(()) => return ApiError::needs_reauthorization(Some(error)),
                    Err(error) => return error.into(),
                }
            }
            InstagramError::RateLimited { retry_after } => self.pause(retry_after).await,
            _ => {}
        }
        match self.instagram() {
            Ok(instagram) => ApiError::from_instagram(error, instagram.redirect_uri()),
            Err(not_configured) => not_configured,
        }
    }

    /// Records that the token is dead. When that cannot be done now, the next call finds out again.
    pub(super) async fn mark_dead(&self, stored: &Connection, why: &'static str) -> StoreResult<()> {
        let event = self.event(EventKind::NeedsReauthorization, why);
        let now = self.clock.now();
        self.store.mark_needs_reauthorization(&stored.id, &stored.access_token, why, event, now).await?;
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
    /// Instagram wants no calls for a while.
    RateLimited,
}

impl RefreshOutcome {
    pub(crate) const ALL: [Self; 5] =
        [Self::Renewed, Self::Superseded, Self::Dead, Self::Postponed, Self::RateLimited];

    /// What the outcome of a renewal that its owner asked for is called.
    fn of(outcome: &Result<Option<Connection>, RenewError>) -> Self {
        match outcome {
            Ok(Some(_)) => Self::Renewed,
            Ok(None) => Self::Superseded,
            Err(RenewError::Instagram(InstagramError::NeedsReauthorization { .. })) => Self::Dead,
            Err(RenewError::Instagram(InstagramError::RateLimited { .. })) => Self::RateLimited,
            Err(_) => Self::Postponed,
        }
    }

    /// The name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Superseded => "superseded",
            Self::Dead => "dead",
            Self::Postponed => "postponed",
            Self::RateLimited => "rate_limited",
        }
    }
}

/// How long to wait after so many failures in a row: a minute, doubled each time, up to six hours, and up to a quarter
/// more or less by chance, so that what failed together does not come back together.
pub(super) fn wait_after(failures: u32) -> SignedDuration {
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
pub(super) fn why_refused(subcode: Option<i64>) -> &'static str {
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
