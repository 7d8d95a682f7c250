//! The source of the time.

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

/// The service's only source of time, so that tests move it instead of waiting.
pub trait Clock: Send + Sync {
    /// Now, in whole milliseconds: the finest that MongoDB's dates and the API's times keep.
    fn now(&self) -> Timestamp;
}

/// Returns the time that much later, or the last one there is. For times that come from outside: what a
/// client, a provider or the database says can be at either end of the calendar, where a sum would overflow.
pub fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns the time that much earlier, or the first one there is.
pub fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let whole = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Trunc);
        now.round(whole).unwrap_or(now)
    }
}
