//! Outcomes of keeping a connection alive: of refreshing its token, and of reading its profile.

use std::time::Duration;

use connection_store::{Connection, NewEvent, NextAttempt};
use jiff::{SignedDuration, Timestamp};
use upstream::UpstreamError;

use crate::error::Error;
use crate::jitter::jittered;

/// The longest wait between two attempts: with weeks left, it leaves many.
pub(super) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// The connection as it is stored now; `None` when something newer came first: a reconnect, a disconnect,
/// another refresh.
pub(super) type Kept = Result<Option<Connection>, Error>;

/// Findings of an attempt that came to nothing.
#[derive(Default)]
pub(super) struct Learnt {
    /// A sentence for the owner; `None` leaves the one that is there.
    pub(super) error: Option<String>,
    /// A permission that turned out not to be granted.
    pub(super) missing_scope: Option<String>,
    /// The time at which the provider first refused the token.
    pub(super) refused_since: Option<Timestamp>,
    /// The event to store, where the attempt is worth one.
    pub(super) event: Option<NewEvent>,
    /// The provider was not asked, or did not look: no failure.
    pub(super) is_no_failure: bool,
}

impl Learnt {
    /// Decides the next attempt. `lease`: the one that is released; `failures`: the count with this attempt, where it was claimed.
    pub(super) fn next_attempt(self, at: Timestamp, lease: Option<Timestamp>, failures: u32) -> NextAttempt {
        let Self { error, missing_scope, refused_since, event, is_no_failure } = self;
        let failures = (is_no_failure && lease.is_some()).then(|| failures.saturating_sub(1));
        NextAttempt { lease, at, failures, error, missing_scope, refused_since, event }
    }
}

/// The outcome of one attempt, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The connection has a new token, or the profile as it is at the provider.
    Done,
    /// Something newer came first.
    Superseded,
    /// The provider says that the token is dead. Only its owner can help.
    Dead,
    /// It failed, and is tried again later.
    Rescheduled,
    /// The provider wants no calls for a while.
    RateLimited,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Done, Self::Superseded, Self::Dead, Self::Rescheduled, Self::RateLimited];

    pub(super) fn of(kept: &Kept) -> Self {
        match kept {
            Ok(Some(_)) => Self::Done,
            Ok(None) => Self::Superseded,
            Err(Error::NeedsReauthorization(..)) => Self::Dead,
            Err(Error::Provider { error: UpstreamError::RateLimited { .. }, .. } | Error::Paused(..)) => {
                Self::RateLimited
            }
            Err(_) => Self::Rescheduled,
        }
    }

    /// The name in logs and metrics, where what is done is called `done`.
    pub fn name(self, done: &'static str) -> &'static str {
        match self {
            Self::Done => done,
            Self::Superseded => "superseded",
            Self::Dead => "dead",
            Self::Rescheduled => "rescheduled",
            Self::RateLimited => "rate_limited",
        }
    }

    /// All names.
    pub fn names(done: &'static str) -> [&'static str; 5] {
        Self::ALL.map(|outcome| outcome.name(done))
    }
}

/// Returns the time to wait after this failure, which is one of so many in a row.
pub(super) fn wait_after(error: &UpstreamError, failures: u32) -> SignedDuration {
    match error {
        // Going on lengthens the block.
        UpstreamError::RateLimited { retry_after, .. } => {
            SignedDuration::try_from(*retry_after).unwrap_or(LONGEST_WAIT)
        }
        // The app's owner has to do something about it.
        UpstreamError::AppAccess { .. } => LONGEST_WAIT,
        _ => growing_wait(failures),
    }
}

/// A minute, doubled with each failure, up to six hours, give or take.
fn growing_wait(failures: u32) -> SignedDuration {
    let wait = Duration::from_mins(1 << failures.saturating_sub(1).min(9));
    SignedDuration::try_from(jittered(wait.min(LONGEST_WAIT.unsigned_abs()))).unwrap_or(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use upstream::LimitOf;

    use super::*;

    #[test]
    fn waits_grow_and_end_at_six_hours_give_or_take() {
        for (failures, minutes) in [(0, 1), (1, 1), (2, 2), (5, 16), (9, 256), (10, 360), (u32::MAX, 360)] {
            let expected = SignedDuration::from_mins(minutes);
            let wait = wait_after(&UpstreamError::Timeout, failures);
            assert!(expected * 3 / 4 <= wait && wait <= expected * 5 / 4, "{failures}: {wait}");
        }
    }

    #[test]
    fn a_rate_limit_says_how_long_it_lasts() {
        let limited = UpstreamError::RateLimited { retry_after: Duration::from_secs(420), of: LimitOf::App };
        assert_eq!(wait_after(&limited, 9), SignedDuration::from_mins(7));
    }
}
