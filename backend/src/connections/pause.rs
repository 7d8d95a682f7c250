//! The pause that a rate limit makes: for all workers of all processes, since going on lengthens the block.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use connection_store::StoreResult;
use jiff::{SignedDuration, Timestamp};

use super::Connections;
use crate::error::ApiError;

/// What the store calls it.
const NAME: &str = "instagram";

/// The end of the pause as this process knows it, so that the calls of a batch need not ask the store each.
#[derive(Default)]
pub(super) struct Pause {
    /// Milliseconds since 1970.
    until: AtomicI64,
}

impl Connections {
    /// Keeps calls with stored tokens from Instagram for so long.
    pub(super) async fn pause(&self, wait: Duration) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24));
        let until = self.clock.now() + wait;
        self.pause.until.fetch_max(until.as_millisecond(), Ordering::Relaxed);
        if let Err(error) = self.store.pause(NAME, until).await {
            // The others will find out by themselves.
            tracing::warn!(%error, "a rate limit could not be passed on");
        }
    }

    /// Refuses what somebody asks for while Instagram wants no calls.
    ///
    /// # Errors
    /// `rate_limited`; `unavailable`.
    pub(super) async fn refuse_while_paused(&self) -> Result<(), ApiError> {
        match self.paused().await? {
            Some(until) => Err(ApiError::instagram_paused(until.duration_since(self.clock.now()))),
            None => Ok(()),
        }
    }

    /// Until when no call may be made with a stored token, as all processes know it; `None` when they may.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn paused(&self) -> StoreResult<Option<Timestamp>> {
        let now = self.clock.now();
        if let Some(until) = self.store.paused_until(NAME, now).await? {
            self.pause.until.fetch_max(until.as_millisecond(), Ordering::Relaxed);
        }
        Ok(self.paused_here(now))
    }

    /// The same as this process knows it.
    pub(super) fn paused_here(&self, now: Timestamp) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.pause.until.load(Ordering::Relaxed))
            .ok()
            .filter(|&until| until > now)
    }
}
