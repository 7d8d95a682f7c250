//! Retries: which calls are made again, how often and after how long.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use shared::ErrorCode;

use crate::error::Error;

/// Limits how often a call is made again, and sets the pauses in between. They double each time, and chance
/// makes each up to as much longer again, so that many clients do not come back at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Most attempts after the first one.
    pub times: usize,
    /// The first pause, unless the service asks for a longer one.
    pub first_pause: Duration,
    /// The longest `Retry-After` that is waited for. Where the service asks for more, the error comes back at once.
    pub longest_pause: Duration,
}

impl Retries {
    /// Every call is made once.
    pub const NONE: Self = Self { times: 0, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };

    pub(crate) fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_max_times(self.times)
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_jitter()
            .build()
    }

    /// The pause before the next time; `None` when there is none to be. Never shorter than what the service asked for, and
    /// longer by the pause of our own, which chance has a part in.
    pub(crate) fn pause_after(&self, error: &Error, own: Option<Duration>) -> Option<Duration> {
        let own = own?;
        match error.retry_after() {
            Some(asked) if asked > self.longest_pause => None,
            Some(asked) => Some(asked.saturating_add(own)),
            None => Some(own),
        }
    }
}

impl Default for Retries {
    /// Three times, first after a quarter to half a second; `Retry-After` up to half a minute.
    fn default() -> Self {
        Self { times: 3, first_pause: Duration::from_millis(250), longest_pause: Duration::from_secs(30) }
    }
}

/// Effect of making a call twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeating {
    /// The same as of one: it reads, it ends something, or it has an `Idempotency-Key`.
    Harmless,
    /// Something else.
    Harmful,
}

impl Repeating {
    /// Tells whether a call that failed like this should be made again.
    pub(crate) fn helps(self, error: &Error) -> bool {
        match error {
            // The call was never made.
            Error::NotReached(_) => true,
            Error::Unaddressable => false,
            _ if self == Self::Harmful => false,
            Error::NoAnswer(_) => true,
            Error::Refused(body) => matches!(body.code, ErrorCode::RateLimited | ErrorCode::Unavailable),
            Error::Unintelligible { status, .. } => matches!(status, 429 | 503),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_between(status: u16, seconds: Option<u64>) -> Error {
        let retry_after = seconds.map(Duration::from_secs);
        Error::Unintelligible { status, request_id: None, retry_after }
    }

    #[test]
    fn pauses_double_and_are_bounded() {
        let retries = Retries { times: 9, ..Retries::default() };
        let pauses: Vec<_> = retries.pauses().collect();
        assert_eq!(pauses.len(), 9);
        for (place, pause) in pauses.into_iter().enumerate() {
            let shortest = retries.longest_pause.min(retries.first_pause * 2_u32.pow(place as u32));
            assert!((shortest..=shortest * 2).contains(&pause), "{place}: {pause:?}");
        }
        assert_eq!(Retries::NONE.pauses().next(), None);
    }

    #[test]
    fn what_the_service_asks_for_is_the_least() {
        let (retries, own) = (Retries::default(), Duration::from_millis(300));
        let pause = |seconds, own| retries.pause_after(&in_between(429, seconds), own);
        assert_eq!(pause(Some(7), Some(own)), Some(Duration::from_millis(7_300)));
        assert_eq!(pause(None, Some(own)), Some(own));
        assert_eq!(pause(Some(31), Some(own)), None, "nobody waits that long");
        assert_eq!(pause(Some(7), None), None, "that was the last time");
        let endless = Retries { longest_pause: Duration::MAX, ..retries };
        assert!(
            endless.pause_after(&in_between(429, Some(u64::MAX)), Some(own)).is_some(),
            "for ever, and no panic"
        );
    }

    #[test]
    fn only_what_passes_is_waited_for() {
        for (status, helps) in [(429, true), (503, true), (500, false), (502, false), (404, false)] {
            assert_eq!(Repeating::Harmless.helps(&in_between(status, None)), helps, "{status}");
            assert!(!Repeating::Harmful.helps(&in_between(status, None)), "{status}");
        }
    }

    /// A failure that may have been done is kept under its `Idempotency-Key`: to send it again brings it
    /// again.
    #[test]
    fn what_may_have_been_done_is_not_asked_for_again() {
        for &code in ErrorCode::ALL {
            let body = serde_json::json!({"ok": false, "error": "No.", "code": code, "requestId": "r"});
            let refused = Error::Refused(serde_json::from_value(body).unwrap());
            let waits = matches!(code, ErrorCode::RateLimited | ErrorCode::Unavailable);
            assert_eq!(Repeating::Harmless.helps(&refused), waits, "{code:?}");
            assert!(!Repeating::Harmful.helps(&refused), "{code:?}");
        }
    }
}
