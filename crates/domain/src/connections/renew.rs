//! Keeping a connection alive: its token renewed, by itself or when its owner asks.

use std::time::Duration;

use connection_store::{Connection, DueForRefresh, NewEvent, RenewedToken, StoreResult, TokenLife};
use futures_util::{StreamExt, stream};
use instagram_client::{AccessToken, InstagramError, LimitOf, LongLivedToken};
use jiff::{SignedDuration, Timestamp};
use shared::{EventKind, permission};

use super::outcome::{Kept, LONGEST_WAIT, Outcome, PutOff, wait_after};
use super::pending::end_of_life;
use super::{Connections, token_context, view};
use crate::clock::{earlier, later};
use crate::error::Error;
use crate::persist::persist;
use crate::work::CONCURRENCY;

/// Instagram renews no token that is younger.
pub(super) const YOUNGEST: SignedDuration = SignedDuration::from_hours(24);

/// How often Instagram is asked about a token that has ended and that it still takes.
const ASK_EVERY: SignedDuration = SignedDuration::from_hours(1);

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
    pub async fn refresh(&self, user_id: &str, asked_by: AskedBy) -> Result<shared::Connection, Error> {
        let (stored, token) = self.usable(user_id).await?;
        let age = self.clock.now().duration_since(stored.token_issued_at);
        if age < YOUNGEST {
            return Err(Error::TokenTooYoung(YOUNGEST - age));
        }
        self.refuse_while_paused(&stored).await?;
        let Some(stored) = self.take_turn(stored, &token).await? else {
            return self.read(user_id).await;
        };
        let kept = self.renew(&stored, &token, asked_by).await;
        self.observer.refreshed(Outcome::of(&kept));
        self.answer(user_id, kept).await
    }

    /// Waits until nobody else renews this token, and claims its connection. `None`: it was replaced or renewed meanwhile. One that
    /// was only sealed anew, with another key, is still this token.
    async fn take_turn(
        &self,
        mut stored: Connection,
        token: &AccessToken,
    ) -> Result<Option<Connection>, Error> {
        for _ in 0..TURN_ATTEMPTS {
            let now = self.clock.now();
            let lease_until = now + self.lease.whole;
            if self.store.claim_for_refresh(&stored.id, &stored.access_token, lease_until, now).await? {
                return Ok(Some(Connection { refresh_lease_until: Some(lease_until), ..stored }));
            }
            match self.store.connection(&stored.id).await? {
                Some(present) if self.is_still(&stored, token, &present) => stored = present,
                _ => return Ok(None),
            }
            tokio::time::sleep(TURN_PAUSE).await;
        }
        Err(Error::BeingRefreshed)
    }

    /// Takes connections whose token has less than `window` left, and which nobody else is renewing.
    ///
    /// # Errors
    /// `unavailable`, and `not_configured` where there is no app to renew with.
    pub async fn claim_due(&self, window: SignedDuration, limit: u32) -> Result<Vec<Connection>, Error> {
        self.instagram()?;
        let now = self.clock.now();
        let due = DueForRefresh {
            expires_by: now + window,
            issued_by: now - YOUNGEST,
            lease_until: now + self.lease.whole,
            limit,
        };
        Ok(self.store.claim_due_for_refresh(due, now).await?)
    }

    /// For how long the renewal that waits longest has been due; `None` when none is due.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn oldest_due(&self, window: SignedDuration) -> StoreResult<Option<SignedDuration>> {
        let now = self.clock.now();
        let first = self.store.first_due_for_refresh(now + window, now - YOUNGEST, now).await?;
        Ok(first.map(|life| now.duration_since(due_since(life, window))))
    }

    /// Renews one claimed connection. What fails is put off, longer each time, and costs the connection nothing.
    pub async fn renew_claimed(&self, stored: &Connection) -> Outcome {
        let Some(token) = self.open(stored) else {
            let why = "This server can no longer read the stored access.";
            self.postpone_failed(stored, why, LONGEST_WAIT).await;
            return Outcome::Postponed;
        };
        Outcome::of(&self.renew(stored, &token, AskedBy::Job).await)
    }

    /// Whether work may begin on what was claimed until then: Instagram wants no pause, and a call and a write are done before
    /// others may have it.
    pub fn may_begin(&self, lease_until: Option<Timestamp>) -> bool {
        let now = self.clock.now();
        let is_nearly_over = lease_until.is_some_and(|until| until.duration_since(now) < self.lease.one);
        self.paused_here(now).is_none() && !is_nearly_over
    }

    /// Gives back what was claimed until then and not tried.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn give_back_renewals(&self, ids: &[&str], lease_until: Timestamp) -> Result<(), Error> {
        Ok(self.store.give_back_refreshes(ids, lease_until, self.clock.now()).await?)
    }

    /// Has Instagram renew the token of a claimed connection, and stores what came of it.
    async fn renew(&self, stored: &Connection, token: &AccessToken, asked_by: AskedBy) -> Kept {
        let answer = self.instagram()?.refresh(token).await;
        match answer.and_then(|renewed| self.renewed(stored, &renewed)) {
            Ok((renewed, events)) => self.replace_token(stored, token, renewed, events).await,
            Err(error) => {
                self.postpone_renewal(stored, &error, asked_by).await;
                Err(self.refused(stored, error).await)
            }
        }
    }

    /// A dead token is not put off: it is tried no more.
    async fn postpone_renewal(&self, stored: &Connection, error: &InstagramError, asked_by: AskedBy) {
        let wait = wait_after(error, stored.refresh_failures);
        match error {
            InstagramError::NeedsReauthorization { .. } => return,
            InstagramError::RateLimited { .. } => {
                return self.postpone(stored, wait, PutOff { untried: true, ..PutOff::default() }).await;
            }
            _ => tracing::warn!(connection = stored.id, %error, "a token was not renewed"),
        }
        let why = why_not_renewed(error);
        match (error, asked_by) {
            (InstagramError::MissingPermission { .. }, _) => {
                let event = self.basic_lost(stored);
                let missing_scope = Some(permission::BASIC.to_owned());
                let error = Some(why.to_owned());
                self.postpone(stored, wait, PutOff { error, missing_scope, event, ..PutOff::default() })
                    .await;
            }
            (_, AskedBy::Job | AskedBy::Program) => self.postpone_failed(stored, why, wait).await,
            // They are told at once. Nothing is wrong with the connection, and the job will see for itself.
            (_, AskedBy::Owner) => {
                let event = Some(self.event(EventKind::RefreshFailed, why));
                self.postpone(stored, wait, PutOff { event, ..PutOff::default() }).await;
            }
        }
    }

    /// Puts the next try off and says why. A failure that goes on is an event once, when it begins.
    async fn postpone_failed(&self, stored: &Connection, why: &'static str, wait: SignedDuration) {
        let begins = stored.last_error.is_none();
        let event = begins.then(|| self.event(EventKind::RefreshFailed, why));
        self.postpone(stored, wait, PutOff { error: Some(why.to_owned()), event, ..PutOff::default() }).await;
    }

    pub(super) async fn postpone(&self, stored: &Connection, wait: SignedDuration, put_off: PutOff) {
        let now = self.clock.now();
        let postponement = put_off.until(later(now, wait), stored.refresh_lease_until);
        let (id, token) = (&stored.id, &stored.access_token);
        if let Err(error) = self.store.postpone_refresh(id, token, postponement, now).await {
            // The lease is the wait then.
            Error::from(error).log();
        }
    }

    /// What is to be stored of a renewed token, and what there is to tell of it.
    fn renewed(
        &self,
        stored: &Connection,
        renewed: &LongLivedToken,
    ) -> Result<(RenewedToken, Vec<NewEvent>), InstagramError> {
        let now = self.clock.now();
        let token_expires_at = end_of_life(now, renewed.expires_in.as_secs());
        // A later end, and not another text, tells that it was renewed (`instagram-api.md` §4).
        if token_expires_at <= stored.token_expires_at {
            let reason = "the renewed token ends no later than the old one".to_owned();
            return Err(InstagramError::Unintelligible { reason });
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
            scopes: renewed.permissions.clone(),
        };
        Ok((renewed, events))
    }

    /// Puts a renewed token into the place of the one that it was made from. It exists nowhere else, so that an outage of the
    /// store is waited out.
    async fn replace_token(
        &self,
        stored: &Connection,
        token: &AccessToken,
        renewed: RenewedToken,
        events: Vec<NewEvent>,
    ) -> Kept {
        let replaced = persist(|| self.try_to_replace_token(stored, token, &renewed, &events)).await;
        replaced.map_err(|error| {
            // The lease ends by itself, and Instagram still takes the old token.
            let error = Error::from(error);
            error.log();
            error
        })
    }

    /// A token that was only sealed anew meanwhile, with another key, is still the one that was renewed.
    async fn try_to_replace_token(
        &self,
        stored: &Connection,
        token: &AccessToken,
        renewed: &RenewedToken,
        events: &[NewEvent],
    ) -> StoreResult<Option<Connection>> {
        let (id, now) = (&stored.id, self.clock.now());
        let replace = |old: String| async move {
            self.store.renew_token(id, &old, renewed.clone(), events.to_vec(), now).await
        };
        if let Some(kept) = replace(stored.access_token.clone()).await? {
            return Ok(Some(kept));
        }
        match self.store.connection(id).await? {
            // An earlier try was stored, and its answer was lost.
            Some(present) if present.access_token == renewed.access_token => Ok(Some(present)),
            Some(present) if self.is_still(stored, token, &present) => replace(present.access_token).await,
            _ => Ok(None),
        }
    }

    /// Whether a connection has the same token as before, however it is sealed, and nobody has renewed it meanwhile: Instagram
    /// may give the same text again.
    fn is_still(&self, before: &Connection, token: &AccessToken, present: &Connection) -> bool {
        present.is_active
            && present.token_issued_at == before.token_issued_at
            && self.open(present).is_some_and(|opened| opened.expose() == token.expose())
    }

    /// Asks Instagram about tokens that have ended, by this machine's clock, without having been renewed, so that their owners are
    /// told. The clock alone ends nothing: it may be wrong, or a renewal's answer was lost. Returns how many were asked about:
    /// none of them is due again within the hour.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn ask_about_ended(&self, limit: u32) -> StoreResult<usize> {
        let now = self.clock.now();
        if self.paused().await?.is_some() {
            return Ok(0);
        }
        let ended = self.store.unmarked_ended(limit, now).await?;
        let ask = async |connection: &Connection| {
            if !self.may_begin(None) {
                return;
            }
            // Nothing was claimed for this: who else asks at this moment hears the same.
            let connection = Connection { sync_lease_until: None, ..connection.clone() };
            if self.sync_claimed(&connection).await == Outcome::Done {
                self.postpone_sync(&connection, ASK_EVERY, PutOff::default()).await;
            }
        };
        stream::iter(&ended).for_each_concurrent(CONCURRENCY, ask).await;
        Ok(ended.len())
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
                match self.mark_dead(stored, why_refused(subcode)).await {
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

/// Since when a token is due that is renewed so long before its end. One that lives for less is due as soon as Instagram renews it.
fn due_since(life: TokenLife, window: SignedDuration) -> Timestamp {
    earlier(life.expires_at, window).max(later(life.issued_at, YOUNGEST))
}

/// Who wanted a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// The schedule.
    Job,
    /// Somebody who waits for the answer.
    Owner,
    /// A program that wants a token, whatever becomes of the renewal.
    Program,
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
    fn a_life_at_either_end_of_the_calendar_is_due_at_some_time() {
        let window = SignedDuration::from_hours(24 * 30);
        let due = |issued_at, expires_at| due_since(TokenLife { issued_at, expires_at }, window);
        assert_eq!(due(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
        assert_eq!(due(Timestamp::MIN, Timestamp::MIN), Timestamp::MIN + YOUNGEST);
        assert_eq!(due(Timestamp::UNIX_EPOCH, Timestamp::MIN), Timestamp::UNIX_EPOCH + YOUNGEST);
    }
}
