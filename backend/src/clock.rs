//! Where the time comes from.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// The service's only source of time, so that tests move it instead of waiting.
pub trait Clock: Send + Sync {
    /// Now, in whole milliseconds: the finest that MongoDB's dates and the API's times keep.
    fn now(&self) -> Timestamp;
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
