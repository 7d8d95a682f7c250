//! Instagram: when its tokens are refreshed, and why it refuses one, in words for their owner.

use instagram_client::InstagramError;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{earlier, later};

/// Instagram refreshes no token that is younger (`instagram-api.md` §4).
pub(crate) const YOUNGEST: SignedDuration = SignedDuration::from_hours(24);

/// The subcode of a token whose owner removed the app.
pub(crate) const APP_REMOVED: Option<i64> = Some(458);

/// Decides when a token is refreshed: `window` before its end, and as soon as Instagram does so where it lives for less. One that
/// lives for less than a day is asked about at its end, so that its owner is told.
pub(crate) fn refresh_at(issued_at: Timestamp, expires_at: Timestamp, window: SignedDuration) -> Timestamp {
    earlier(expires_at, window).max(earliest_refresh(issued_at, expires_at))
}

/// Returns the first time that [`refresh_at`] can decide for a token.
pub(crate) fn earliest_refresh(issued_at: Timestamp, expires_at: Timestamp) -> Timestamp {
    later(issued_at, YOUNGEST).min(expires_at)
}

/// Tells the owner why a token was not refreshed.
pub(crate) fn why_not_refreshed(error: &InstagramError) -> &'static str {
    match error {
        InstagramError::AppAccess { .. } => {
            "Instagram does not let this app act for the account at the moment. The app's owner has to look at it."
        }
        InstagramError::MissingPermission { .. } => "Instagram says that a permission is missing.",
        InstagramError::Misconfigured { .. } => "Instagram does not accept this server's app at the moment.",
        _ => "Instagram did not answer as expected when we last tried to renew the access.",
    }
}

/// Tells the owner why Instagram refuses a token (`instagram-api.md` §6).
pub(crate) fn why_refused(subcode: Option<i64>) -> &'static str {
    match subcode {
        APP_REMOVED => "This app was removed in Instagram's settings.",
        Some(459) => "Instagram wants to check something: sign in at Instagram once.",
        Some(460) => "The Instagram password was changed.",
        Some(0 | 463) => EXPIRED,
        Some(464) => "The Instagram account is not confirmed.",
        _ => "Instagram no longer accepts our access to this account.",
    }
}

/// Tells the owner that the token's life is over.
pub(crate) const EXPIRED: &str = "Instagram's access for this account has ended.";

/// Tells the owner that a token was refreshed.
pub(crate) const REFRESHED: &str = "Instagram renewed the access.";

/// Tells the owner that the profile was read.
pub(crate) const SYNCED: &str = "The profile was read from Instagram.";

/// Tells the owner that the profile was not read.
pub(crate) const NOT_SYNCED: &str =
    "Instagram did not answer as expected when we last asked for the profile.";

/// Tells the owner that a program was given the token.
pub(crate) fn token_given(key_name: &str) -> String {
    format!("The API key “{key_name}” was given Instagram's access.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_at_either_end_of_the_calendar_is_due_at_some_time() {
        let window = SignedDuration::from_hours(24 * 30);
        assert_eq!(refresh_at(Timestamp::MAX, Timestamp::MAX, window), Timestamp::MAX);
        assert_eq!(refresh_at(Timestamp::MIN, Timestamp::MIN, window), Timestamp::MIN);
        assert_eq!(refresh_at(Timestamp::UNIX_EPOCH, Timestamp::MIN, window), Timestamp::MIN);
    }

    #[test]
    fn a_token_is_refreshed_in_its_window_and_no_younger_than_a_day() {
        let day = SignedDuration::from_hours(24);
        let decided = |life: SignedDuration| {
            let issued_at = Timestamp::UNIX_EPOCH;
            refresh_at(issued_at, issued_at + life, day * 30).duration_since(issued_at)
        };
        assert_eq!(decided(day * 60), day * 30);
        assert_eq!(decided(day * 20), day);
        assert_eq!(decided(day / 2), day / 2, "it cannot be refreshed, and its owner is told");
    }
}
