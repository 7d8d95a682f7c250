//! Keeping a profile up to date: read anew on a schedule, or when its owner asks.

use connection_store::{Connection, DueForSync, Postponement};
use instagram_client::{AccessToken, InstagramError};
use jiff::SignedDuration;
use shared::{EventKind, permission};

use super::renew::{LONGEST_WAIT, wait_after, why_refused};
use super::{Connections, profile};
use crate::error::ApiError;

impl Connections {
    /// Reads the profile of the user's connection from Instagram now.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when Instagram no longer accepts the token; Instagram's other failures.
    pub(crate) async fn sync(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        let (stored, token) = self.usable(user_id).await?;
        let profile = match self.read_profile(&stored, &token).await? {
            Ok(profile) => profile,
            Err(error) => {
                self.metrics.synced(SyncOutcome::of_failure(&error));
                return Err(self.refused(&stored, error).await);
            }
        };
        match self.store_profile(&stored, profile).await? {
            Some(synced) => {
                self.metrics.synced(SyncOutcome::Synced);
                Ok(self.view(synced))
            }
            None => {
                self.metrics.synced(SyncOutcome::Superseded);
                self.read(user_id).await
            }
        }
    }

    /// Takes connections whose profile was last read `interval` ago, and which nobody else is syncing.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to ask with.
    pub(crate) async fn claim_due_for_sync(
        &self,
        interval: SignedDuration,
        limit: u32,
    ) -> Result<Vec<Connection>, ApiError> {
        self.instagram()?;
        let now = self.clock.now();
        let due = DueForSync { synced_by: now - interval, lease_until: now + self.lease, limit };
        Ok(self.store.claim_due_for_sync(due, now).await?)
    }

    /// Syncs one claimed connection. What fails is put off, longer each time, and costs the connection nothing.
    pub(crate) async fn sync_claimed(&self, stored: &Connection) -> SyncOutcome {
        let now = self.clock.now();
        if let Some(until) = self.paused_here(now) {
            self.postpone_sync(stored, until.duration_since(now), None).await;
            return SyncOutcome::RateLimited;
        }
        // The refresh job says so, and there is nothing else to be done.
        let Some(token) = self.open(stored) else {
            self.postpone_sync(stored, LONGEST_WAIT, None).await;
            return SyncOutcome::Postponed;
        };
        let read = match self.read_profile(stored, &token).await {
            Ok(read) => read,
            Err(error) => return self.give_back(&error),
        };
        match read {
            Ok(profile) => match self.store_profile(stored, profile).await {
                Ok(Some(_)) => SyncOutcome::Synced,
                Ok(None) => SyncOutcome::Superseded,
                Err(error) => self.give_back(&error),
            },
            Err(InstagramError::NeedsReauthorization { subcode }) => {
                match self.mark_dead(stored, why_refused(subcode)).await {
                    Ok(()) => SyncOutcome::Dead,
                    Err(error) => self.give_back(&error.into()),
                }
            }
            Err(InstagramError::RateLimited { retry_after }) => {
                self.pause(retry_after).await;
                let wait = SignedDuration::try_from(retry_after).unwrap_or(LONGEST_WAIT);
                self.postpone_sync(stored, wait, None).await;
                SyncOutcome::RateLimited
            }
            Err(error) => {
                tracing::warn!(connection = stored.id, %error, "a profile was not read");
                let wait = match error {
                    InstagramError::AppAccess | InstagramError::MissingPermission { .. } => LONGEST_WAIT,
                    _ => wait_after(stored.sync_failures),
                };
                self.postpone_sync(stored, wait, Some(&error)).await;
                SyncOutcome::Postponed
            }
        }
    }

    /// A fault of ours: the lease ends by itself.
    fn give_back(&self, error: &ApiError) -> SyncOutcome {
        error.log();
        SyncOutcome::Postponed
    }

    async fn read_profile(
        &self,
        stored: &Connection,
        token: &AccessToken,
    ) -> Result<Result<instagram_client::Profile, InstagramError>, ApiError> {
        let read = self.instagram()?.profile(token).await;
        Ok(read.and_then(|profile| {
            if profile.professional_id == stored.instagram_user_id {
                return Ok(profile);
            }
            let reason = "the profile is another account's".to_owned();
            Err(InstagramError::Unintelligible { reason })
        }))
    }

    /// What is stored now; `None` when the connection ended meanwhile.
    async fn store_profile(
        &self,
        stored: &Connection,
        profile: instagram_client::Profile,
    ) -> Result<Option<Connection>, ApiError> {
        let profile = profile::to_stored(profile::to_wire(profile));
        let event = self.event(EventKind::Synced, "The profile was read from Instagram.");
        let (id, user_id, now) = (&stored.id, &stored.user_id, self.clock.now());
        Ok(self.store.update_profile(id, user_id, profile, permission::BASIC, event, now).await?)
    }

    /// Puts the next scheduled sync off. A failure that goes on is an event once, when it begins.
    async fn postpone_sync(&self, stored: &Connection, wait: SignedDuration, why: Option<&InstagramError>) {
        let lost = matches!(why, Some(InstagramError::MissingPermission { .. }));
        let event = match why {
            Some(_) if lost => stored
                .scopes
                .iter()
                .any(|scope| scope == permission::BASIC)
                .then(|| self.permission_lost(permission::BASIC)),
            Some(_) if stored.sync_failures <= 1 => {
                let message = "Instagram did not answer as expected when we last asked for the profile.";
                Some(self.event(EventKind::SyncFailed, message))
            }
            _ => None,
        };
        let now = self.clock.now();
        let postponement = Postponement {
            not_before: now + wait,
            error: None,
            missing_scope: lost.then(|| permission::BASIC.to_owned()),
            event,
        };
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.store.postpone_sync(id, token, postponement, now).await {
            // The lease is the wait then.
            ApiError::from(error).log();
        }
    }
}

/// What came of the sync of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncOutcome {
    /// The profile is up to date.
    Synced,
    /// The connection ended meanwhile.
    Superseded,
    /// Instagram says that the token is dead. Only its owner can help.
    Dead,
    /// It failed, and is tried again later.
    Postponed,
    /// Instagram wants no calls for a while.
    RateLimited,
}

impl SyncOutcome {
    pub(crate) const ALL: [Self; 5] =
        [Self::Synced, Self::Superseded, Self::Dead, Self::Postponed, Self::RateLimited];

    /// What a failed sync that its owner asked for is called.
    fn of_failure(error: &InstagramError) -> Self {
        match error {
            InstagramError::NeedsReauthorization { .. } => Self::Dead,
            InstagramError::RateLimited { .. } => Self::RateLimited,
            _ => Self::Postponed,
        }
    }

    /// The name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Superseded => "superseded",
            Self::Dead => "dead",
            Self::Postponed => "postponed",
            Self::RateLimited => "rate_limited",
        }
    }
}
