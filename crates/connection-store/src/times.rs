//! Arithmetic on times. Those that databases hold can be at either end of the calendar, where a sum would overflow.

use jiff::{SignedDuration, Timestamp};

/// The finest step of time that both stores keep.
pub(crate) const TICK: SignedDuration = SignedDuration::from_millis(1);

/// The last time that can be read again: the milliseconds after it are in no calendar.
const LATEST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// Milliseconds since 1970, as both stores keep a time.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.min(LATEST).as_millisecond()
}

/// Returns the time that much later, or the last one there is.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns the time that much earlier, or the first one there is.
pub(crate) fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_can_be_read_again() {
        for time in [Timestamp::MIN, Timestamp::UNIX_EPOCH, LATEST, Timestamp::MAX] {
            assert_eq!(Timestamp::from_millisecond(millis(time)).unwrap(), time.min(LATEST));
        }
    }

    #[test]
    fn the_calendar_ends_and_nothing_breaks() {
        let day = SignedDuration::from_hours(24);
        assert_eq!(later(Timestamp::MAX, day), Timestamp::MAX);
        assert_eq!(earlier(Timestamp::MIN, day), Timestamp::MIN);
        assert_eq!(later(Timestamp::MIN, SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(earlier(Timestamp::MAX, SignedDuration::MAX), Timestamp::MIN);
        assert_eq!(later(Timestamp::UNIX_EPOCH, day).as_second(), 86_400);
    }
}
