//! Keeping a profile up to date: read anew on a schedule, or when its owner asks.

use connection_store::{Connection, NewEvent};
use instagram_client::{AccessToken, InstagramError};
use jiff::SignedDuration;
use shared::{EventKind, permission};

use super::outcome::{Kept, LONGEST_WAIT, Learnt, Outcome, wait_after};
use super::refresh::ids;
use super::{Connections, profile};
use crate::clock::later;
use crate::error::Error;
use crate::providers::instagram;
use crate::work::{BATCH, Progress, Work, work_off};

impl Connections {
    /// Reads the profile of the user's connection from Instagram now.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when Instagram no longer accepts the token; Instagram's other failures.
    pub async fn sync(&self, user_id: &str) -> Result<shared::Connection, Error> {
        let (stored, token) = self.usable(user_id).await?;
        self.refuse_while_paused(&stored).await?;
        // Nothing was claimed for this: if a worker has the connection, its lease stays its own.
        let stored = Connection { sync_lease_until: None, ..stored };
        let kept = self.read_and_store(&stored, &token).await;
        self.observer.synced(Outcome::of(&kept));
        self.answer(user_id, kept).await
    }

    /// Reads the profiles that were last read `interval` ago, until none is left, the provider wants a pause, or the service stops.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to ask with.
    pub async fn sync_due(&self, interval: SignedDuration, progress: &impl Progress) -> Result<(), Error> {
        work_off(&DueSyncs { connections: self, interval }, progress).await
    }

    /// Syncs one claimed connection. What fails is tried again later, each time after a longer wait, and costs the connection nothing.
    async fn sync_claimed(&self, stored: &Connection) -> Outcome {
        // The refresh job says so, and there is nothing else to be done.
        let Some(token) = self.open(stored) else {
            self.reschedule_sync(stored, LONGEST_WAIT, Learnt::default()).await;
            return Outcome::Rescheduled;
        };
        Outcome::of(&self.read_and_store(stored, &token).await)
    }

    /// Reads a profile and stores what came of it.
    async fn read_and_store(&self, stored: &Connection, token: &AccessToken) -> Kept {
        let read = self.instagram()?.profile(token).await;
        match read.and_then(|profile| of_this_account(stored, profile)) {
            Ok(profile) => self.store_profile(stored, profile).await,
            Err(error) => {
                self.reschedule_failed_sync(stored, &error).await;
                Err(self.refused(stored, error).await)
            }
        }
    }

    /// Stores a profile, and returns the connection as it is stored now; `None` when it was disconnected
    /// meanwhile.
    async fn store_profile(&self, stored: &Connection, profile: instagram_client::Profile) -> Kept {
        let profile = profile::to_stored(profile::to_wire(profile));
        let event = self.event(EventKind::Synced, instagram::SYNCED);
        let (id, user_id, now) = (&stored.id, &stored.user_id, self.clock.now());
        // The lease expires by itself if this fails.
        let kept = self.store.update_profile(id, user_id, profile, permission::BASIC, event, now).await;
        kept.map_err(|error| {
            let error = Error::from(error);
            error.log();
            error
        })
    }

    /// Reschedules the sync after a failure. One that goes on is an event once, when it begins. A dead token is not tried again.
    async fn reschedule_failed_sync(&self, stored: &Connection, error: &InstagramError) {
        let wait = wait_after(error, stored.sync_failures);
        match error {
            InstagramError::NeedsReauthorization { .. } => {}
            InstagramError::RateLimited { .. } => {
                self.reschedule_sync(stored, wait, Learnt { is_no_failure: true, ..Learnt::default() }).await;
            }
            InstagramError::MissingPermission { .. } => {
                let event = self.basic_lost(stored);
                let missing_scope = Some(permission::BASIC.to_owned());
                let learnt = Learnt { missing_scope, event, ..Learnt::default() };
                self.reschedule_sync(stored, LONGEST_WAIT, learnt).await;
            }
            _ => {
                tracing::warn!(connection = stored.id, %error, "a profile was not read");
                let begins = stored.sync_failures <= 1;
                let event = begins.then(|| self.event(EventKind::SyncFailed, instagram::NOT_SYNCED));
                self.reschedule_sync(stored, wait, Learnt { event, ..Learnt::default() }).await;
            }
        }
    }

    /// That the permission without which nothing works is granted no longer, where this is news.
    pub(super) fn basic_lost(&self, stored: &Connection) -> Option<NewEvent> {
        let was_granted = stored.scopes.iter().any(|scope| scope == permission::BASIC);
        was_granted.then(|| self.permission_lost(permission::BASIC))
    }

    pub(super) async fn reschedule_sync(&self, stored: &Connection, wait: SignedDuration, learnt: Learnt) {
        let now = self.clock.now();
        let next_attempt =
            learnt.next_attempt(later(now, wait), stored.sync_lease_until, stored.sync_failures);
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.store.reschedule_sync(id, token, next_attempt, now).await {
            // The lease is the wait then.
            Error::from(error).log();
        }
    }
}

/// The work of reading profiles that were last read an interval ago.
struct DueSyncs<'a> {
    connections: &'a Connections,
    interval: SignedDuration,
}

impl Work for DueSyncs<'_> {
    type Row = Connection;

    async fn claim(&self) -> Result<Vec<Connection>, Error> {
        let Some((now, lease_until)) = self.connections.next_claim().await? else { return Ok(Vec::new()) };
        let synced_by = now - self.interval;
        Ok(self.connections.store.claim_due_for_sync(synced_by, lease_until, BATCH, now).await?)
    }

    fn may_begin(&self, claimed: &Connection) -> bool {
        self.connections.may_begin(claimed.sync_lease_until)
    }

    async fn run(&self, claimed: &Connection) {
        let outcome = self.connections.sync_claimed(claimed).await;
        self.connections.observer.synced(outcome);
        tracing::info!(connection = claimed.id, outcome = outcome.name("synced"), "sync");
    }

    async fn release(&self, claimed: &[Connection]) -> Result<(), Error> {
        let Some(lease_until) = claimed.first().and_then(|first| first.sync_lease_until) else {
            return Ok(());
        };
        let now = self.connections.clock.now();
        Ok(self.connections.store.release_syncs(&ids(claimed), lease_until, now).await?)
    }
}

/// The profile, provided that it is this connection's.
fn of_this_account(
    stored: &Connection,
    profile: instagram_client::Profile,
) -> Result<instagram_client::Profile, InstagramError> {
    if profile.professional_id == stored.instagram_user_id {
        return Ok(profile);
    }
    Err(InstagramError::Unintelligible { reason: "the profile is another account's".to_owned() })
}
