//! Background work.

use std::time::Duration;

use jiff::SignedDuration;

use super::{ConfigError, Variables};

/// Schedule of background work.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// `REFRESH_WINDOW_DAYS`: so long before its end an Instagram token is refreshed. Decided when a token is
    /// stored, so that another value holds for each from its next refresh on.
    pub refresh_window: SignedDuration,
    /// `REFRESH_POLL_SECONDS`: how often this process looks for due work.
    pub refresh_poll: Duration,
    /// Time between two looks for profiles that are to be read; as `refresh_poll`, except in simulations.
    pub sync_poll: Duration,
    /// `SYNC_INTERVAL_HOURS`: how often a profile is read anew.
    pub sync_interval: SignedDuration,
}

impl JobsConfig {
    const REFRESH_WINDOW_DAYS: u32 = 30;

    /// The usual window: half of an Instagram token's life.
    pub(crate) const REFRESH_WINDOW: SignedDuration =
        SignedDuration::from_hours(Self::REFRESH_WINDOW_DAYS as i64 * 24);

    /// Reads the variables named at the fields.
    ///
    /// # Errors
    /// On a wrong value.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let days = variables.whole_number("REFRESH_WINDOW_DAYS", Self::REFRESH_WINDOW_DAYS, 1..=59)?;
        let seconds = variables.whole_number("REFRESH_POLL_SECONDS", 60, 1..=3600)?;
        let hours = variables.whole_number("SYNC_INTERVAL_HOURS", 6, 1..=720)?;
        Ok(Self {
            refresh_window: SignedDuration::from_hours(i64::from(days) * 24),
            refresh_poll: Duration::from_secs(seconds.into()),
            sync_poll: Duration::from_secs(seconds.into()),
            sync_interval: SignedDuration::from_hours(hours.into()),
        })
    }
}
