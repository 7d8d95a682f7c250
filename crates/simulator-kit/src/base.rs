//! The part of a world that each simulated provider has.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::accounts::Accounts;
use crate::faults::{Endpoint, FaultQueue};
use crate::weather::{RandomFailures, Weather};
use crate::world::World;

/// The part of a world that each simulated provider has.
#[derive(Debug)]
pub struct Base<W: World> {
    /// The people.
    pub accounts: Accounts<W::Account>,
    /// Choices between the shapes of answers.
    pub options: W::Options,
    /// The faults that wait for requests.
    pub faults: FaultQueue<W::Endpoint, W::Fault>,
    /// The log of refreshes, oldest first.
    pub refreshes: Vec<W::Refresh>,
    weather: Weather<W>,
    requests: BTreeMap<W::Endpoint, u64>,
    /// Time by which this world's clock is ahead of the machine's.
    ahead: SignedDuration,
    /// Time at which it was last cleared of what is long dead.
    swept_at: Timestamp,
}

impl<W: World> Base<W> {
    /// Begins with these people, at the machine's time.
    pub fn new(accounts: Vec<W::Account>) -> Self {
        Self {
            accounts: Accounts::new(accounts),
            options: W::Options::default(),
            faults: FaultQueue::default(),
            refreshes: Vec::new(),
            weather: Weather::default(),
            requests: BTreeMap::new(),
            ahead: SignedDuration::ZERO,
            swept_at: Timestamp::now(),
        }
    }

    /// Returns this world's time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    /// Moves the clock forward. It stops before the last time that a timestamp can hold. Returns, once a day, a
    /// time: what expired before it is to be forgotten.
    pub(crate) fn advance(&mut self, by: SignedDuration) -> Option<Timestamp> {
        let furthest = Timestamp::MAX.duration_since(Timestamp::now()) - YEAR;
        self.ahead = self.ahead.saturating_add(by).min(furthest);
        let now = self.now();
        if now.duration_since(self.swept_at) < SWEEP_PAUSE {
            return None;
        }
        self.swept_at = now;
        Some(now - KEPT_DEAD)
    }

    /// Returns the settings of random failures.
    pub(crate) fn random_failures(&self) -> &RandomFailures<W::Endpoint> {
        self.weather.failures()
    }

    /// Replaces the settings of random failures, and lets chance start anew.
    ///
    /// # Errors
    ///
    /// Where the rate is no part of a whole.
    pub(crate) fn set_random_failures(
        &mut self,
        failures: RandomFailures<W::Endpoint>,
    ) -> Result<(), &'static str> {
        self.weather = Weather::new(failures)?;
        Ok(())
    }

    /// Counts a request, and takes the fault that waits for it, else what chance does to it.
    pub(crate) fn arrive(&mut self, endpoint: W::Endpoint) -> Option<W::Fault> {
        *self.requests.entry(endpoint).or_default() += 1;
        self.faults.take(endpoint).or_else(|| self.weather.strike(endpoint))
    }

    /// Counts the requests that have come to an endpoint.
    pub(crate) fn requests(&self, endpoint: W::Endpoint) -> u64 {
        if endpoint == W::Endpoint::ANY {
            return self.requests.values().sum();
        }
        self.requests.get(&endpoint).copied().unwrap_or_default()
    }

    /// Starts counting from zero.
    pub(crate) fn reset_requests(&mut self) {
        self.requests.clear();
    }
}

/// Kept free between the clock and the end of time, so that adding a token's life cannot overflow.
const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Time after its end for which a token still says why it is dead. After that it is as unknown as one that
/// never was.
const KEPT_DEAD: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A sweep looks at every token, so a clock that moves in small steps does not sweep at each.
const SWEEP_PAUSE: SignedDuration = SignedDuration::from_hours(24);
