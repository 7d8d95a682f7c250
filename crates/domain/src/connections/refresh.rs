//! Keeping a connection alive: its token refreshed, by itself, when its owner asks, or before it is used.

use std::time::Duration;

use connection_store::{Connection, NewEvent, RefreshedToken, StoreResult};
use jiff::{SignedDuration, Timestamp};
use shared::EventKind;
use upstream::{AccessToken, LimitOf, UpstreamError};

use super::credentials::open;
use super::outcome::{Kept, LONGEST_WAIT, Learnt, Outcome, wait_after};
use super::pending::end_of_life;
use super::{ConnectionOf, Connections, view};
use crate::clock::later;
use crate::error::Error;
use crate::persist::persist;
use crate::providers::{Credentials, ProviderClient, Refreshed};
use crate::work::{BATCH, Progress, Work, work_off};

/// Number of attempts at an owner's refresh while a worker is at the same token, and the pause between two of
/// them: 15 seconds in all, which is longer than one call to a provider takes.
const TURN_ATTEMPTS: u32 = 100;
const TURN_PAUSE: Duration = Duration::from_millis(150);

impl Connections {
    /// Refreshes the token of one of the user's connections now. Where a worker is at it already, its refresh counts.
    ///
    /// # Errors
    /// `not_connected`; `rate_limited` while the token is younger than the provider refreshes; `needs_reauthorization` when the
    /// provider no longer accepts it; the provider's other failures, which leave it as it is.
    pub async fn refresh(
        &self,
        which: ConnectionOf<'_>,
        asked_by: AskedBy,
    ) -> Result<shared::Connection, Error> {
        let (stored, credentials) = self.usable(which).await?;
        let age = self.clock.now().duration_since(stored.token_issued_at);
        if age < self.rules.youngest {
            return Err(Error::TokenTooYoung(self.rules.provider, self.rules.youngest - age));
        }
        self.refuse_while_paused(&stored).await?;
        let asked = ConnectionOf::of(&stored);
        let Some(claimed) = self.take_turn(stored.clone(), &credentials).await? else {
            return self.read(asked).await;
        };
        let kept = self.refresh_stored(&claimed, &credentials, asked_by).await;
        self.observer.refreshed(self.rules.provider, Outcome::of(&kept));
        self.answer(&stored, kept).await
    }

    /// Calls the provider with the access token of a connection, which is refreshed first where it is about to expire, and once more where
    /// the provider takes it for expired. Returns the connection as it is then, with the answer.
    ///
    /// # Errors
    /// When no access token is to be had: those of a refresh.
    pub(super) async fn with_access<T>(
        &self,
        stored: &Connection,
        credentials: Credentials,
        asked_by: AskedBy,
        call: impl AsyncFn(&dyn ProviderClient, &AccessToken) -> Result<T, UpstreamError>,
    ) -> Result<((Connection, Credentials), Result<T, UpstreamError>), Error> {
        let client = self.client()?;
        let mut present = (stored.clone(), credentials);
        if let Some(margin) = self.rules.margin
            && (present.1.access.is_none()
                || present.0.token_expires_at.duration_since(self.clock.now()) < margin)
        {
            present = self.refreshed_for_use(present, asked_by).await?;
        }
        let token = present.1.access.as_ref().ok_or(Error::Internal("a connection has no access token"))?;
        let mut answer = call(client, token).await;
        if matches!(answer, Err(UpstreamError::AccessTokenRefused)) && !self.rules.is_lasting() {
            present = self.refreshed_for_use(present, asked_by).await?;
            if let Some(token) = &present.1.access {
                answer = call(client, token).await;
            }
        }
        Ok((present, answer))
    }

    /// Refreshes a connection whose access token is of no use any more, unless somebody else just did.
    async fn refreshed_for_use(
        &self,
        (stored, credentials): (Connection, Credentials),
        asked_by: AskedBy,
    ) -> Result<(Connection, Credentials), Error> {
        // One that was refused is asked about in time, and not by each call that wants it.
        if stored.refused_since.is_some() && self.heard_again_at(&stored).is_some() {
            let error = UpstreamError::NeedsReauthorization { subcode: None };
            return Err(Error::AccessRefusedOnce(self.rules.provider, error));
        }
        if let Some(claimed) = self.take_turn(stored.clone(), &credentials).await? {
            let kept = self.refresh_stored(&claimed, &credentials, asked_by).await;
            self.observer.refreshed(self.rules.provider, Outcome::of(&kept));
            kept?;
        }
        self.usable(ConnectionOf::of(&stored)).await
    }

    /// Waits until nobody else refreshes this token, and claims its connection. `None`: it was replaced or refreshed meanwhile. A
    /// token that was only re-encrypted is still this one.
    async fn take_turn(
        &self,
        mut stored: Connection,
        credentials: &Credentials,
    ) -> Result<Option<Connection>, Error> {
        for _ in 0..TURN_ATTEMPTS {
            let now = self.clock.now();
            let lease_until = now + self.lease.whole;
            let claim = self.kept().claim_for_refresh(&stored.id, &stored.access_token, lease_until, now);
            if let Some(refresh_failures) = claim.await? {
                return Ok(Some(Connection {
                    refresh_lease_until: Some(lease_until),
                    refresh_failures,
                    ..stored
                }));
            }
            match self.kept().connection(&stored.id).await? {
                Some(present) if self.is_still(&stored, credentials, &present) => stored = present,
                _ => return Ok(None),
            }
            tokio::time::sleep(TURN_PAUSE).await;
        }
        Err(Error::BeingRefreshed)
    }

    /// Refreshes what is due, until nothing is, the provider wants a pause, or the service stops.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to refresh with.
    pub async fn refresh_due(&self, progress: &impl Progress) -> Result<(), Error> {
        work_off(&DueRefreshes(self), progress).await
    }

    /// Returns for how long the refresh that waits longest has been due; `None` when none is due.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn oldest_due(&self) -> StoreResult<Option<SignedDuration>> {
        let now = self.clock.now();
        let first = self.kept().first_due_for_refresh(now).await?;
        Ok(first.map(|refresh_at| now.duration_since(refresh_at)))
    }

    /// Refreshes the token of one claimed connection. What fails is tried again later, each time after a longer wait, and costs the
    /// connection nothing. `None`: it was only decided when the token is due, and a later claim finds it then.
    async fn refresh_claimed(&self, stored: &Connection) -> Option<Outcome> {
        if let Some(lease) = stored.refresh_lease_until
            && !self.is_decided(stored)
        {
            let (id, token) = (&stored.id, &stored.access_token);
            let (issued_at, expires_at) = (stored.token_issued_at, stored.token_expires_at);
            let refresh_at = (self.rules.refresh_at)(issued_at, expires_at, self.refresh_window);
            if let Err(error) = self.kept().decide_refresh(id, token, refresh_at, lease).await {
                // The lease is the wait then.
                Error::from(error).log();
            }
            return None;
        }
        let Some(credentials) = self.open(stored) else {
            return Some(self.give_up_unreadable(stored).await);
        };
        Some(Outcome::of(&self.refresh_stored(stored, &credentials, AskedBy::Job).await))
    }

    /// Tells whether the stored time of a refresh is of this token. A version that decided it with each search writes none, or
    /// leaves the time of the token before.
    fn is_decided(&self, stored: &Connection) -> bool {
        let earliest = (self.rules.earliest_refresh)(stored.token_issued_at, stored.token_expires_at);
        stored.refresh_at.is_some_and(|at| at >= earliest)
    }

    /// Reschedules a token that does not open: the key may come back. One that has expired can never be refreshed.
    async fn give_up_unreadable(&self, stored: &Connection) -> Outcome {
        if self.rules.has_ended(stored.expires_at, self.clock.now()) {
            if let Err(error) = self.mark_dead(stored, self.rules.expired).await {
                Error::from(error).log();
            }
            return Outcome::Dead;
        }
        let why = "This server can no longer read the stored access.".to_owned();
        self.reschedule_failed(stored, why, LONGEST_WAIT).await;
        Outcome::Rescheduled
    }

    /// Returns the present and the end of a claim that is made now; `None` while the provider wants a pause.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to ask with.
    pub(super) async fn next_claim(&self) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        self.client()?;
        let now = self.clock.now();
        Ok(self.paused().await?.is_none().then_some((now, now + self.lease.whole)))
    }

    /// Tells whether work may begin on a connection that was claimed until then: the provider wants no pause,
    /// and a call and a write are done before another worker may have it.
    pub(super) fn may_begin(&self, lease_until: Option<Timestamp>) -> bool {
        let now = self.clock.now();
        let is_nearly_over = lease_until.is_some_and(|until| until.duration_since(now) < self.lease.one);
        self.paused_here(now).is_none() && !is_nearly_over
    }

    /// Has the provider refresh the token of a claimed connection, and stores what came of it.
    async fn refresh_stored(
        &self,
        stored: &Connection,
        credentials: &Credentials,
        asked_by: AskedBy,
    ) -> Kept {
        let answer = self.client()?.refresh(credentials).await;
        match answer.and_then(|refreshed| self.refreshed(stored, refreshed, asked_by)) {
            Ok((refreshed, events)) => self.replace_token(stored, credentials, refreshed, events).await,
            Err(error) => {
                self.reschedule_refused(stored, &error, asked_by).await;
                Err(self.refused(stored, error).await)
            }
        }
    }

    /// Reschedules what the provider refused. A dead token is not tried again; one whose refusal is heard for the first time is.
    async fn reschedule_refused(&self, stored: &Connection, error: &UpstreamError, asked_by: AskedBy) {
        let wait = wait_after(error, stored.refresh_failures);
        let why = self.rules.why_not_refreshed(error);
        match error {
            UpstreamError::NeedsReauthorization { .. } => {
                let (Some(again), now) = (self.heard_again_at(stored), self.clock.now()) else { return };
                self.alarm.hear_refusal(self.rules.provider);
                let begins = stored.refused_since.is_none();
                let event = begins.then(|| self.event(EventKind::RefreshFailed, why.clone()));
                let refused_since = begins.then_some(now);
                let learnt = Learnt { error: Some(why), refused_since, event, ..Learnt::default() };
                return self.reschedule_refresh(stored, again.duration_since(now), learnt).await;
            }
            UpstreamError::RateLimited { .. } => {
                return self
                    .reschedule_refresh(stored, wait, Learnt { is_no_failure: true, ..Learnt::default() })
                    .await;
            }
            _ => self.alarm.hear(stored, error),
        }
        match (error, asked_by, self.rules.basic) {
            (UpstreamError::MissingPermission { .. }, _, Some(basic)) => {
                let event = self.basic_lost(stored);
                let learnt = Learnt {
                    error: Some(why),
                    missing_scope: Some(basic.to_owned()),
                    event,
                    ..Learnt::default()
                };
                self.reschedule_refresh(stored, wait, learnt).await;
            }
            (_, AskedBy::Job | AskedBy::Program, _) => self.reschedule_failed(stored, why, wait).await,
            // They are told at once. Nothing is wrong with the connection, and the job will see for itself.
            (_, AskedBy::Owner, _) => {
                let event = Some(self.event(EventKind::RefreshFailed, why));
                self.reschedule_refresh(stored, wait, Learnt { event, ..Learnt::default() }).await;
            }
        }
    }

    /// Returns when the provider has to be asked again before its word that this token is dead is believed; `None` where it is believed now.
    fn heard_again_at(&self, stored: &Connection) -> Option<Timestamp> {
        let (within, now) = (self.rules.heard_twice_within?, self.clock.now());
        let again = later(stored.refused_since.unwrap_or(now), within);
        // At the end of a consent the word is expected.
        (again > now && stored.expires_at > now).then_some(again)
    }

    /// Reschedules the refresh and says why. A failure that goes on is an event once, when it begins.
    async fn reschedule_failed(&self, stored: &Connection, why: String, wait: SignedDuration) {
        let begins = stored.last_error.is_none();
        let event = begins.then(|| self.event(EventKind::RefreshFailed, why.clone()));
        let learnt = Learnt { error: Some(why), event, ..Learnt::default() };
        self.reschedule_refresh(stored, wait, learnt).await;
    }

    pub(super) async fn reschedule_refresh(&self, stored: &Connection, wait: SignedDuration, learnt: Learnt) {
        let now = self.clock.now();
        let next_attempt =
            learnt.next_attempt(later(now, wait), stored.refresh_lease_until, stored.refresh_failures);
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.kept().reschedule_refresh(id, token, next_attempt, now).await {
            // The lease is the wait then.
            Error::from(error).log();
        }
    }

    /// Returns what is to be stored of a refreshed token, and the events of it.
    fn refreshed(
        &self,
        stored: &Connection,
        refreshed: Refreshed,
        asked_by: AskedBy,
    ) -> Result<(RefreshedToken, Vec<NewEvent>), UpstreamError> {
        let Refreshed { access, refresh, expires_in, scopes } = refreshed;
        let now = self.clock.now();
        let token_expires_at = end_of_life(now, expires_in.as_secs());
        let is_lasting = self.rules.is_lasting();
        // A later end, and not another text, tells that it was refreshed (`instagram-api.md` §4).
        if is_lasting && token_expires_at <= stored.token_expires_at {
            return Err(UpstreamError::unintelligible("the refreshed token ends no later than the old one"));
        }
        let lost = scopes.iter().flat_map(|granted| {
            stored
                .scopes
                .iter()
                .filter(|scope| !granted.contains(scope))
                .map(|scope| self.permission_lost(scope))
        });
        let mut events: Vec<_> = lost.collect();
        // An access token that is made every hour is nothing to tell of.
        if is_lasting || asked_by == AskedBy::Owner {
            events.push(self.event(EventKind::Refreshed, self.rules.refreshed()));
        }
        let sealed = self.seal(&stored.provider_account_id, Some(&access), refresh.as_ref());
        let refreshed = RefreshedToken {
            access_token: sealed.access_token,
            refresh_token: sealed.refresh_token,
            token_issued_at: now,
            token_expires_at,
            expires_at: if is_lasting { token_expires_at } else { stored.expires_at },
            refresh_at: (self.rules.refresh_at)(now, token_expires_at, self.refresh_window),
            scopes,
        };
        Ok((refreshed, events))
    }

    /// Puts a refreshed token into the place of the one that it was made from. It exists nowhere else, so that an outage of the
    /// store is waited out.
    async fn replace_token(
        &self,
        stored: &Connection,
        credentials: &Credentials,
        refreshed: RefreshedToken,
        events: Vec<NewEvent>,
    ) -> Kept {
        let replaced = persist(|| self.try_to_replace_token(stored, credentials, &refreshed, &events)).await;
        replaced.map_err(|error| {
            // The lease ends by itself, and most providers still take the old token.
            let error = Error::from(error);
            error.log();
            error
        })
    }

    /// Replaces the token once. One that was only re-encrypted meanwhile is still the one that was refreshed.
    async fn try_to_replace_token(
        &self,
        stored: &Connection,
        credentials: &Credentials,
        refreshed: &RefreshedToken,
        events: &[NewEvent],
    ) -> StoreResult<Option<Connection>> {
        let (id, now) = (&stored.id, self.clock.now());
        let (old, new) = (&stored.access_token, refreshed.clone());
        if let Some(kept) = self.kept().replace_token(id, old, new, events.to_vec(), now).await? {
            return Ok(Some(kept));
        }
        match self.kept().connection(id).await? {
            // An earlier attempt was stored, and its answer was lost.
            Some(present) if present.access_token == refreshed.access_token => Ok(Some(present)),
            Some(present) if self.is_still(stored, credentials, &present) => {
                let Some(refreshed) = self.sealed_for(&present, stored, refreshed) else { return Ok(None) };
                let (old, events) = (&present.access_token, events.to_vec());
                self.kept().replace_token(id, old, refreshed, events, now).await
            }
            _ => Ok(None),
        }
    }

    /// Returns a refreshed token as the present connection is to keep it: it may have been moved to its account's other id meanwhile.
    fn sealed_for(
        &self,
        present: &Connection,
        before: &Connection,
        refreshed: &RefreshedToken,
    ) -> Option<RefreshedToken> {
        if present.provider_account_id == before.provider_account_id {
            return Some(refreshed.clone());
        }
        let RefreshedToken { access_token, refresh_token, .. } = refreshed;
        let refresh_token = refresh_token.as_deref().or(before.refresh_token.as_deref());
        let account_id = &before.provider_account_id;
        let Credentials { access, refresh } =
            open(&self.vault, self.rules, account_id, access_token, refresh_token)?;
        let sealed = self.seal(&present.provider_account_id, access.as_ref(), refresh.as_ref());
        Some(RefreshedToken {
            access_token: sealed.access_token,
            refresh_token: sealed.refresh_token,
            ..refreshed.clone()
        })
    }

    /// Tells whether a connection has the same token as before, however it is sealed, and was not refreshed
    /// meanwhile: the provider may give the same text again.
    fn is_still(&self, before: &Connection, credentials: &Credentials, present: &Connection) -> bool {
        present.is_active
            && present.token_issued_at == before.token_issued_at
            && self.open(present).is_some_and(|opened| opened.lasting() == credentials.lasting())
    }

    /// Returns one of the user's connections and its tokens, unless it is known that the provider will not take them.
    pub(super) async fn usable(&self, which: ConnectionOf<'_>) -> Result<(Connection, Credentials), Error> {
        let stored = self.stored(which).await?;
        let dead = || Error::NeedsReauthorization(self.rules.provider, None);
        let credentials = self.open(&stored).ok_or_else(dead)?;
        if view::dead_since(&stored, self.rules, true, self.clock.now()).is_some() {
            return Err(dead());
        }
        Ok((stored, credentials))
    }

    /// Returns what a failed call with a stored token means for its owner. Only the provider's word that the token is
    /// dead is recorded, and its wish that it be left alone; whatever else fails leaves the connection as it
    /// is. The call is one of this service's own: what somebody else made up does not tell whether a token is
    /// dead.
    pub(super) async fn refused(&self, stored: &Connection, error: UpstreamError) -> Error {
        let provider = self.rules.provider;
        match error {
            UpstreamError::NeedsReauthorization { .. } if self.heard_again_at(stored).is_some() => {
                return Error::AccessRefusedOnce(provider, error);
            }
            UpstreamError::NeedsReauthorization { subcode } => {
                let has_ended = !self.rules.is_lasting() && stored.expires_at <= self.clock.now();
                let why = if has_ended { self.rules.expired } else { (self.rules.why_refused)(subcode) };
                match self.mark_dead(stored, why).await {
                    Ok(_) => return Error::NeedsReauthorization(provider, Some(error)),
                    Err(error) => return error.into(),
                }
            }
            UpstreamError::RateLimited { retry_after, of: LimitOf::App } => self.pause(retry_after).await,
            // No reason to leave the others alone.
            UpstreamError::RateLimited { retry_after, of: LimitOf::Account } => {
                self.pause_account(stored, retry_after).await;
            }
            _ => {}
        }
        match self.client() {
            Ok(client) => Error::provider(provider, error, client.redirect_uri()),
            Err(not_configured) => not_configured,
        }
    }

    /// Records that the token is dead; `false` when it was known, or has been replaced. When that cannot be done now, the
    /// next call finds out again.
    pub(super) async fn mark_dead(&self, stored: &Connection, why: &'static str) -> StoreResult<bool> {
        let event = self.event(EventKind::NeedsReauthorization, why);
        let now = self.clock.now();
        self.kept().mark_needs_reauthorization(&stored.id, &stored.access_token, why, event, now).await
    }
}

/// The work of refreshing tokens whose time has come.
struct DueRefreshes<'a>(&'a Connections);

impl Work for DueRefreshes<'_> {
    type Row = Connection;

    async fn claim(&self) -> Result<Vec<Connection>, Error> {
        let Some((now, lease_until)) = self.0.next_claim().await? else { return Ok(Vec::new()) };
        Ok(self.0.kept().claim_due_for_refresh(lease_until, BATCH, now).await?)
    }

    fn may_begin(&self, claimed: &Connection) -> bool {
        self.0.may_begin(claimed.refresh_lease_until)
    }

    async fn run(&self, claimed: &Connection) {
        if let Some(outcome) = self.0.refresh_claimed(claimed).await {
            self.0.observer.refreshed(self.0.rules.provider, outcome);
            let provider = claimed.provider.as_str();
            tracing::info!(provider, connection = claimed.id, outcome = outcome.name("refreshed"), "refresh");
        }
    }

    async fn release(&self, claimed: &[Connection]) -> Result<(), Error> {
        let Some(lease_until) = claimed.first().and_then(|first| first.refresh_lease_until) else {
            return Ok(());
        };
        Ok(self.0.kept().release_refreshes(&ids(claimed), lease_until, self.0.clock.now()).await?)
    }
}

/// Lists the ids of connections.
pub(super) fn ids(connections: &[Connection]) -> Vec<&str> {
    connections.iter().map(|connection| connection.id.as_str()).collect()
}

/// Tells for whom a token is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// The schedule.
    Job,
    /// Somebody who waits for the answer.
    Owner,
    /// A program that wants a token, whatever becomes of the refresh.
    Program,
}
