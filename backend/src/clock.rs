//! Where the time comes from.

use jiff::{Timestamp, Unit};

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
        whole_milliseconds(Timestamp::now())
    }
}

/// Drops what is finer than a millisecond.
pub fn whole_milliseconds(time: Timestamp) -> Timestamp {
    time.round(jiff::TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Trunc))
        .unwrap_or(time)
}
