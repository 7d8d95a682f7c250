//! The pauses that rate limits make, the app's and an account's: for all workers of all processes, since
//! going on lengthens the block.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use connection_store::{Connection, StoreResult};
use jiff::{SignedDuration, Timestamp};

use super::Connections;
use super::outcome::Learnt;
use crate::clock::later;
use crate::error::Error;

/// Returns the name of an account's pause in the store. That of the app has the provider's name.
fn name_of_account(connection: &Connection) -> String {
    format!("{} {}", connection.provider.as_str(), connection.id)
}

/// Makes a wait one that can be added to a time: a provider's are a day at most.
fn bounded(wait: Duration) -> SignedDuration {
    SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24))
}

/// The end of the pause as this process knows it, so that the calls of a batch need not ask the store each.
#[derive(Default)]
pub(super) struct Pause {
    /// Milliseconds since 1970.
    until: AtomicI64,
}

impl Connections {
    /// Keeps calls with stored tokens from the provider for so long.
    pub(super) async fn pause(&self, wait: Duration) {
        let until = later(self.clock.now(), bounded(wait));
        self.pause.until.fetch_max(until.as_millisecond(), Ordering::Relaxed);
        if let Err(error) = self.store.pause(self.rules.provider.as_str(), until).await {
            // The others will find out by themselves.
            tracing::warn!(%error, "a rate limit could not be passed on");
        }
    }

    /// Keeps calls for one account from the provider for so long: what somebody asks for is refused meanwhile,
    /// and the next scheduled refresh and sync come after it, unless a worker is at them.
    pub(super) async fn pause_account(&self, stored: &Connection, wait: Duration) {
        let wait = bounded(wait);
        let until = later(self.clock.now(), wait);
        if let Err(error) = self.store.pause(&name_of_account(stored), until).await {
            // Whoever asks next finds out again.
            tracing::warn!(%error, connection = stored.id, "an account's rate limit could not be kept");
        }
        let free = Connection { refresh_lease_until: None, sync_lease_until: None, ..stored.clone() };
        self.reschedule_refresh(&free, wait, Learnt::default()).await;
        self.reschedule_sync(&free, wait, Learnt::default()).await;
    }

    /// Refuses what somebody asks for while the provider wants no calls, or none for this account.
    ///
    /// # Errors
    /// `rate_limited`; `unavailable`.
    pub(super) async fn refuse_while_paused(&self, stored: &Connection) -> Result<(), Error> {
        let now = self.clock.now();
        let of_account = self.store.paused_until(&name_of_account(stored), now).await?;
        match self.paused().await?.max(of_account) {
            Some(until) => Err(Error::Paused(self.rules.provider, until.duration_since(now))),
            None => Ok(()),
        }
    }

    /// Until when no call may be made with a stored token, as all processes know it; `None` when they may.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn paused(&self) -> StoreResult<Option<Timestamp>> {
        let now = self.clock.now();
        if let Some(until) = self.store.paused_until(self.rules.provider.as_str(), now).await? {
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
