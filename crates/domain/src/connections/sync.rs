//! Keeping a profile up to date: read anew on a schedule, or when its owner asks.

use connection_store::{Connection, NewEvent, ReadProfile};
use jiff::SignedDuration;
use shared::EventKind;
use upstream::UpstreamError;

use super::outcome::{Kept, LONGEST_WAIT, Learnt, Outcome, wait_after};
use super::refresh::{AskedBy, ids};
use super::{ConnectionOf, Connections};
use crate::clock::later;
use crate::error::Error;
use crate::providers::{Account, Credentials};
use crate::work::{BATCH, Progress, Work, work_off};

impl Connections {
    /// Reads the profile of one of the user's connections from the provider now.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization` when the provider no longer accepts the token; its other failures.
    pub async fn sync(&self, which: ConnectionOf<'_>) -> Result<shared::Connection, Error> {
        let (stored, credentials) = self.usable(which).await?;
        self.refuse_while_paused(&stored).await?;
        // Nothing was claimed for this: if a worker has the connection, its lease stays its own.
        let stored = Connection { sync_lease_until: None, ..stored };
        let kept = self.read_and_store(&stored, credentials, AskedBy::Program).await;
        self.observer.synced(self.rules.provider, Outcome::of(&kept));
        self.answer(&stored, kept).await
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
        let Some(credentials) = self.open(stored) else {
            self.reschedule_sync(stored, LONGEST_WAIT, Learnt::default()).await;
            return Outcome::Rescheduled;
        };
        Outcome::of(&self.read_and_store(stored, credentials, AskedBy::Job).await)
    }

    /// Reads a profile and stores what came of it.
    async fn read_and_store(&self, stored: &Connection, credentials: Credentials, asked_by: AskedBy) -> Kept {
        let asked = self
            .with_access(stored, credentials, asked_by, async |client, token| client.account(token).await)
            .await;
        let ((present, _), read) = match asked {
            Ok(asked) => asked,
            // No access token was to be had; the refresh has stored why.
            Err(error) => {
                self.reschedule_sync(stored, LONGEST_WAIT, Learnt::default()).await;
                return Err(error);
            }
        };
        // A lease on the sync is this worker's still.
        let stored = Connection { sync_lease_until: stored.sync_lease_until, ..present };
        match read.and_then(|account| of_this_account(&stored, account)) {
            Ok(account) => self.store_profile(&stored, account).await,
            Err(error) => {
                self.reschedule_failed_sync(&stored, &error).await;
                Err(self.refused(&stored, error).await)
            }
        }
    }

    /// Stores a profile, and returns the connection as it is stored now; `None` when it was disconnected
    /// meanwhile.
    async fn store_profile(&self, stored: &Connection, account: Account) -> Kept {
        if stored.provider_account_id != account.id {
            self.move_to_lasting_id(&account.id, account.other_id.as_deref()).await?;
        }
        let event = self.event(EventKind::Synced, self.rules.synced());
        let (id, user_id, now) = (&stored.id, &stored.user_id, self.clock.now());
        let read = ReadProfile {
            profile: account.profile,
            other_account_id: account.other_id,
            granted_scope: self.rules.basic.map(str::to_owned),
        };
        // The lease expires by itself if this fails.
        let kept = self.kept().update_profile(id, user_id, read, event, now).await;
        kept.map_err(|error| {
            let error = Error::from(error);
            error.log();
            error
        })
    }

    /// Reschedules the sync after a failure. One that goes on is an event once, when it begins. A dead token is not tried again.
    async fn reschedule_failed_sync(&self, stored: &Connection, error: &UpstreamError) {
        let wait = wait_after(error, stored.sync_failures);
        match error {
            UpstreamError::NeedsReauthorization { .. } => {}
            UpstreamError::RateLimited { .. } => {
                self.reschedule_sync(stored, wait, Learnt { is_no_failure: true, ..Learnt::default() }).await;
            }
            UpstreamError::MissingPermission { .. } => {
                let event = self.basic_lost(stored);
                let missing_scope = self.rules.basic.map(str::to_owned);
                let learnt = Learnt { missing_scope, event, ..Learnt::default() };
                self.reschedule_sync(stored, LONGEST_WAIT, learnt).await;
            }
            _ => {
                self.alarm.hear(stored, error);
                let begins = stored.sync_failures <= 1;
                let event = begins.then(|| self.event(EventKind::SyncFailed, self.rules.not_synced()));
                self.reschedule_sync(stored, wait, Learnt { event, ..Learnt::default() }).await;
            }
        }
    }

    /// That the permission without which nothing works is granted no longer, where this is news.
    pub(super) fn basic_lost(&self, stored: &Connection) -> Option<NewEvent> {
        let basic = self.rules.basic?;
        let was_granted = stored.scopes.iter().any(|scope| scope == basic);
        was_granted.then(|| self.permission_lost(basic))
    }

    pub(super) async fn reschedule_sync(&self, stored: &Connection, wait: SignedDuration, learnt: Learnt) {
        let now = self.clock.now();
        let next_attempt =
            learnt.next_attempt(later(now, wait), stored.sync_lease_until, stored.sync_failures);
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.kept().reschedule_sync(id, token, next_attempt, now).await {
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
        Ok(self.connections.kept().claim_due_for_sync(synced_by, lease_until, BATCH, now).await?)
    }

    fn may_begin(&self, claimed: &Connection) -> bool {
        self.connections.may_begin(claimed.sync_lease_until)
    }

    async fn run(&self, claimed: &Connection) {
        let outcome = self.connections.sync_claimed(claimed).await;
        self.connections.observer.synced(claimed.provider, outcome);
        let provider = claimed.provider.as_str();
        tracing::info!(provider, connection = claimed.id, outcome = outcome.name("synced"), "sync");
    }

    async fn release(&self, claimed: &[Connection]) -> Result<(), Error> {
        let Some(lease_until) = claimed.first().and_then(|first| first.sync_lease_until) else {
            return Ok(());
        };
        let now = self.connections.clock.now();
        Ok(self.connections.kept().release_syncs(&ids(claimed), lease_until, now).await?)
    }
}

/// The account, provided that it is this connection's, by either of its ids. An answer that leaves the lasting id out names the other in
/// its place.
fn of_this_account(stored: &Connection, account: Account) -> Result<Account, UpstreamError> {
    let kept = &stored.provider_account_id;
    let told_by_other = account.other_id.as_ref() == Some(&account.id);
    if *kept == account.id
        || account.other_id.as_ref() == Some(kept)
        || (told_by_other && stored.other_account_id == account.other_id)
    {
        return Ok(account);
    }
    Err(UpstreamError::unintelligible("the profile is another account's"))
}
