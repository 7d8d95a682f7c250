//! Keeping a connection alive: its token refreshed, by itself or when its owner asks.

use std::time::Duration;

use connection_store::{Connection, NewEvent, RefreshedToken, StoreResult};
use instagram_client::{AccessToken, InstagramError, LimitOf, LongLivedToken};
use jiff::{SignedDuration, Timestamp};
use shared::{EventKind, permission};

use super::outcome::{Kept, LONGEST_WAIT, Learnt, Outcome, wait_after};
use super::pending::end_of_life;
use super::{Connections, token_context, view};
use crate::clock::later;
use crate::error::Error;
use crate::persist::persist;
use crate::providers::instagram;
use crate::work::{BATCH, Progress, Work, work_off};

/// Number of attempts at an owner's refresh while a worker is at the same token, and the pause between two of
/// them: 15 seconds in all, which is longer than one call to Instagram takes.
const TURN_ATTEMPTS: u32 = 100;
const TURN_PAUSE: Duration = Duration::from_millis(150);

impl Connections {
    /// Refreshes the token of the user's connection now. Where a worker is at it already, its refresh counts.
    ///
    /// # Errors
    /// `not_connected`; `rate_limited` while the token is younger than a day; `needs_reauthorization` when Instagram no
    /// longer accepts it; Instagram's other failures, which leave it as it is.
    pub async fn refresh(&self, user_id: &str, asked_by: AskedBy) -> Result<shared::Connection, Error> {
        let (stored, token) = self.usable(user_id).await?;
        let age = self.clock.now().duration_since(stored.token_issued_at);
        if age < instagram::YOUNGEST {
            return Err(Error::TokenTooYoung(instagram::YOUNGEST - age));
        }
        self.refuse_while_paused(&stored).await?;
        let Some(stored) = self.take_turn(stored, &token).await? else {
            return self.read(user_id).await;
        };
        let kept = self.refresh_stored(&stored, &token, asked_by).await;
        self.observer.refreshed(Outcome::of(&kept));
        self.answer(user_id, kept).await
    }

    /// Waits until nobody else refreshes this token, and claims its connection. `None`: it was replaced or refreshed meanwhile. A
    /// token that was only re-encrypted is still this one.
    async fn take_turn(
        &self,
        mut stored: Connection,
        token: &AccessToken,
    ) -> Result<Option<Connection>, Error> {
        for _ in 0..TURN_ATTEMPTS {
            let now = self.clock.now();
            let lease_until = now + self.lease.whole;
            if self.store.claim_for_refresh(&stored.id, &stored.access_token, lease_until, now).await? {
                let refresh_failures = stored.refresh_failures.saturating_add(1);
                return Ok(Some(Connection {
                    refresh_lease_until: Some(lease_until),
                    refresh_failures,
                    ..stored
                }));
            }
            match self.store.connection(&stored.id).await? {
                Some(present) if self.is_still(&stored, token, &present) => stored = present,
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
        let first = self.store.first_due_for_refresh(now).await?;
        Ok(first.map(|refresh_at| now.duration_since(refresh_at)))
    }

    /// Refreshes the token of one claimed connection. What fails is tried again later, each time after a longer wait, and costs the
    /// connection nothing. `None`: it was only decided when the token is due, and a later claim finds it then.
    async fn refresh_claimed(&self, stored: &Connection) -> Option<Outcome> {
        if let Some(lease) = stored.refresh_lease_until
            && !Self::is_decided(stored)
        {
            let (id, token) = (&stored.id, &stored.access_token);
            let (issued_at, expires_at) = (stored.token_issued_at, stored.token_expires_at);
            let refresh_at = instagram::refresh_at(issued_at, expires_at, self.refresh_window);
            if let Err(error) = self.store.decide_refresh(id, token, refresh_at, lease).await {
                // The lease is the wait then.
                Error::from(error).log();
            }
            return None;
        }
        let Some(token) = self.open(stored) else { return Some(self.give_up_unreadable(stored).await) };
        Some(Outcome::of(&self.refresh_stored(stored, &token, AskedBy::Job).await))
    }

    /// Tells whether the stored time of a refresh is of this token. A version that decided it with each search writes none, or
    /// leaves the time of the token before.
    fn is_decided(stored: &Connection) -> bool {
        let earliest = instagram::earliest_refresh(stored.token_issued_at, stored.token_expires_at);
        stored.refresh_at.is_some_and(|at| at >= earliest)
    }

    /// Reschedules a token that does not open: the key may come back. One that has expired can never be refreshed.
    async fn give_up_unreadable(&self, stored: &Connection) -> Outcome {
        if stored.token_expires_at <= self.clock.now() {
            if let Err(error) = self.mark_dead(stored, instagram::EXPIRED).await {
                Error::from(error).log();
            }
            return Outcome::Dead;
        }
        let why = "This server can no longer read the stored access.";
        self.reschedule_failed(stored, why, LONGEST_WAIT).await;
        Outcome::Rescheduled
    }

    /// Returns the present and the end of a claim that is made now; `None` while Instagram wants a pause.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to ask with.
    pub(super) async fn next_claim(&self) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        self.instagram()?;
        let now = self.clock.now();
        Ok(self.paused().await?.is_none().then_some((now, now + self.lease.whole)))
    }

    /// Tells whether work may begin on a connection that was claimed until then: Instagram wants no pause,
    /// and a call and a write are done before another worker may have it.
    pub(super) fn may_begin(&self, lease_until: Option<Timestamp>) -> bool {
        let now = self.clock.now();
        let is_nearly_over = lease_until.is_some_and(|until| until.duration_since(now) < self.lease.one);
        self.paused_here(now).is_none() && !is_nearly_over
    }

    /// Has Instagram refresh the token of a claimed connection, and stores what came of it.
    async fn refresh_stored(&self, stored: &Connection, token: &AccessToken, asked_by: AskedBy) -> Kept {
        let answer = self.instagram()?.refresh(token).await;
        match answer.and_then(|token| self.refreshed(stored, &token)) {
            Ok((refreshed, events)) => self.replace_token(stored, token, refreshed, events).await,
            Err(error) => {
                self.reschedule_refused(stored, &error, asked_by).await;
                Err(self.refused(stored, error).await)
            }
        }
    }

    /// Reschedules what Instagram refused. A dead token is not tried again.
    async fn reschedule_refused(&self, stored: &Connection, error: &InstagramError, asked_by: AskedBy) {
        let wait = wait_after(error, stored.refresh_failures);
        match error {
            InstagramError::NeedsReauthorization { .. } => return,
            InstagramError::RateLimited { .. } => {
                return self
                    .reschedule_refresh(stored, wait, Learnt { is_no_failure: true, ..Learnt::default() })
                    .await;
            }
            _ => tracing::warn!(connection = stored.id, %error, "a token was not refreshed"),
        }
        let why = instagram::why_not_refreshed(error);
        match (error, asked_by) {
            (InstagramError::MissingPermission { .. }, _) => {
                let event = self.basic_lost(stored);
                let missing_scope = Some(permission::BASIC.to_owned());
                let error = Some(why.to_owned());
                self.reschedule_refresh(
                    stored,
                    wait,
                    Learnt { error, missing_scope, event, ..Learnt::default() },
                )
                .await;
            }
            (_, AskedBy::Job | AskedBy::Program) => self.reschedule_failed(stored, why, wait).await,
            // They are told at once. Nothing is wrong with the connection, and the job will see for itself.
            (_, AskedBy::Owner) => {
                let event = Some(self.event(EventKind::RefreshFailed, why));
                self.reschedule_refresh(stored, wait, Learnt { event, ..Learnt::default() }).await;
            }
        }
    }

    /// Reschedules the refresh and says why. A failure that goes on is an event once, when it begins.
    async fn reschedule_failed(&self, stored: &Connection, why: &'static str, wait: SignedDuration) {
        let begins = stored.last_error.is_none();
        let event = begins.then(|| self.event(EventKind::RefreshFailed, why));
        self.reschedule_refresh(
            stored,
            wait,
            Learnt { error: Some(why.to_owned()), event, ..Learnt::default() },
        )
        .await;
    }

    pub(super) async fn reschedule_refresh(&self, stored: &Connection, wait: SignedDuration, learnt: Learnt) {
        let now = self.clock.now();
        let next_attempt =
            learnt.next_attempt(later(now, wait), stored.refresh_lease_until, stored.refresh_failures);
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.store.reschedule_refresh(id, token, next_attempt, now).await {
            // The lease is the wait then.
            Error::from(error).log();
        }
    }

    /// Returns what is to be stored of a refreshed token, and the events of it.
    fn refreshed(
        &self,
        stored: &Connection,
        token: &LongLivedToken,
    ) -> Result<(RefreshedToken, Vec<NewEvent>), InstagramError> {
        let now = self.clock.now();
        let token_expires_at = end_of_life(now, token.expires_in.as_secs());
        // A later end, and not another text, tells that it was refreshed (`instagram-api.md` §4).
        if token_expires_at <= stored.token_expires_at {
            let reason = "the refreshed token ends no later than the old one".to_owned();
            return Err(InstagramError::Unintelligible { reason });
        }
        let lost = token.permissions.iter().flat_map(|granted| {
            stored
                .scopes
                .iter()
                .filter(|scope| !granted.contains(scope))
                .map(|scope| self.permission_lost(scope))
        });
        let mut events: Vec<_> = lost.collect();
        events.push(self.event(EventKind::Refreshed, instagram::REFRESHED));
        let context = token_context(&stored.instagram_user_id);
        let refreshed = RefreshedToken {
            access_token: self.vault.seal(token.access_token.expose().as_bytes(), &context),
            token_issued_at: now,
            token_expires_at,
            refresh_at: instagram::refresh_at(now, token_expires_at, self.refresh_window),
            scopes: token.permissions.clone(),
        };
        Ok((refreshed, events))
    }

    /// Puts a refreshed token into the place of the one that it was made from. It exists nowhere else, so that an outage of the
    /// store is waited out.
    async fn replace_token(
        &self,
        stored: &Connection,
        token: &AccessToken,
        refreshed: RefreshedToken,
        events: Vec<NewEvent>,
    ) -> Kept {
        let replaced = persist(|| self.try_to_replace_token(stored, token, &refreshed, &events)).await;
        replaced.map_err(|error| {
            // The lease ends by itself, and Instagram still takes the old token.
            let error = Error::from(error);
            error.log();
            error
        })
    }

    /// Replaces the token once. One that was only re-encrypted meanwhile is still the one that was refreshed.
    async fn try_to_replace_token(
        &self,
        stored: &Connection,
        token: &AccessToken,
        refreshed: &RefreshedToken,
        events: &[NewEvent],
    ) -> StoreResult<Option<Connection>> {
        let (id, now) = (&stored.id, self.clock.now());
        let replace = |old: String| async move {
            self.store.replace_token(id, &old, refreshed.clone(), events.to_vec(), now).await
        };
        if let Some(kept) = replace(stored.access_token.clone()).await? {
            return Ok(Some(kept));
        }
        match self.store.connection(id).await? {
            // An earlier attempt was stored, and its answer was lost.
            Some(present) if present.access_token == refreshed.access_token => Ok(Some(present)),
            Some(present) if self.is_still(stored, token, &present) => replace(present.access_token).await,
            _ => Ok(None),
        }
    }

    /// Tells whether a connection has the same token as before, however it is sealed, and was not refreshed
    /// meanwhile: Instagram may give the same text again.
    fn is_still(&self, before: &Connection, token: &AccessToken, present: &Connection) -> bool {
        present.is_active
            && present.token_issued_at == before.token_issued_at
            && self.open(present).is_some_and(|opened| opened.expose() == token.expose())
    }

    /// The user's connection and its token, unless it is known that Instagram will not take the token.
    pub(super) async fn usable(&self, user_id: &str) -> Result<(Connection, AccessToken), Error> {
        let stored = self.stored(user_id).await?;
        let token = self.open(&stored).ok_or_else(|| Error::NeedsReauthorization(None))?;
        if view::dead_since(&stored, true, self.clock.now()).is_some() {
            return Err(Error::NeedsReauthorization(None));
        }
        Ok((stored, token))
    }

    /// The stored token; `None` when it cannot be opened.
    pub(super) fn open(&self, stored: &Connection) -> Option<AccessToken> {
        let opened = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).ok()?;
        std::str::from_utf8(&opened).ok().map(|token| AccessToken::from(token.to_owned()))
    }

    /// Returns what a failed call with a stored token means for its owner. Only Instagram's word that the token is
    /// dead is recorded, and its wish that it be left alone; whatever else fails leaves the connection as it
    /// is. The call is one of this service's own: what somebody else made up does not tell whether a token is
    /// dead.
    pub(super) async fn refused(&self, stored: &Connection, error: InstagramError) -> Error {
        match error {
            InstagramError::NeedsReauthorization { subcode } => {
                match self.mark_dead(stored, instagram::why_refused(subcode)).await {
                    Ok(_) => return Error::NeedsReauthorization(Some(error)),
                    Err(error) => return error.into(),
                }
            }
            InstagramError::RateLimited { retry_after, of: LimitOf::App } => self.pause(retry_after).await,
            // No reason to leave the others alone.
            InstagramError::RateLimited { retry_after, of: LimitOf::Account } => {
                self.pause_account(stored, retry_after).await;
            }
            _ => {}
        }
        match self.instagram() {
            Ok(instagram) => Error::provider(error, instagram.redirect_uri()),
            Err(not_configured) => not_configured,
        }
    }

    /// Records that the token is dead; `false` when it was known, or has been replaced. When that cannot be done now, the
    /// next call finds out again.
    pub(super) async fn mark_dead(&self, stored: &Connection, why: &'static str) -> StoreResult<bool> {
        let event = self.event(EventKind::NeedsReauthorization, why);
        let now = self.clock.now();
        self.store.mark_needs_reauthorization(&stored.id, &stored.access_token, why, event, now).await
    }
}

/// The work of refreshing tokens whose time has come.
struct DueRefreshes<'a>(&'a Connections);

impl Work for DueRefreshes<'_> {
    type Row = Connection;

    async fn claim(&self) -> Result<Vec<Connection>, Error> {
        let Some((now, lease_until)) = self.0.next_claim().await? else { return Ok(Vec::new()) };
        Ok(self.0.store.claim_due_for_refresh(lease_until, BATCH, now).await?)
    }

    fn may_begin(&self, claimed: &Connection) -> bool {
        self.0.may_begin(claimed.refresh_lease_until)
    }

    async fn run(&self, claimed: &Connection) {
        if let Some(outcome) = self.0.refresh_claimed(claimed).await {
            self.0.observer.refreshed(outcome);
            tracing::info!(connection = claimed.id, outcome = outcome.name("refreshed"), "refresh");
        }
    }

    async fn release(&self, claimed: &[Connection]) -> Result<(), Error> {
        let Some(lease_until) = claimed.first().and_then(|first| first.refresh_lease_until) else {
            return Ok(());
        };
        Ok(self.0.store.release_refreshes(&ids(claimed), lease_until, self.0.clock.now()).await?)
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
