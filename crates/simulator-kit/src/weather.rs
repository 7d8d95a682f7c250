//! Bad weather: a part of all requests fails, each in a way that chance picks.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::faults::Endpoint;
use crate::world::World;

/// Failures at random, for long runs. No failure kills a token or says that one is dead.
///
/// Every kind of fault is as likely as every other; within a kind, every status or error is as likely as
/// every other. The same seed and the same order of requests give the same failures. A planned fault goes
/// first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "E: Endpoint")]
pub struct RandomFailures<E> {
    /// The part of the requests that fail, from 0.0 to 1.0. Default: none.
    pub rate: f64,
    /// The seed that chance starts from. Default: 0.
    pub seed: u64,
    /// Endpoints at which requests fail. Default: the refresh and the profile.
    pub endpoints: Vec<E>,
    /// Time by which a delayed answer is late, in milliseconds of real time. Longer than the client's
    /// timeout, it is a lost answer. Default: 500.
    pub delay_ms: u64,
}

impl<E: Endpoint> Default for RandomFailures<E> {
    fn default() -> Self {
        Self { rate: 0.0, seed: 0, endpoints: E::FAILING.to_vec(), delay_ms: 500 }
    }
}

/// Chance, with its settings.
#[derive(Debug)]
pub struct Weather<W: World> {
    failures: RandomFailures<W::Endpoint>,
    /// The kinds of fault, each with its forms.
    kinds: Vec<Vec<W::Fault>>,
    dice: fastrand::Rng,
}

impl<W: World> Default for Weather<W> {
    fn default() -> Self {
        Self::of(RandomFailures::default())
    }
}

impl<W: World> Weather<W> {
    /// Takes new settings, and lets chance start from the seed.
    ///
    /// # Errors
    ///
    /// Where the rate is no part of a whole.
    pub fn new(failures: RandomFailures<W::Endpoint>) -> Result<Self, &'static str> {
        // Not a number is in no range.
        if !(0.0..=1.0).contains(&failures.rate) {
            return Err("rate is a number from 0.0 to 1.0");
        }
        Ok(Self::of(failures))
    }

    fn of(failures: RandomFailures<W::Endpoint>) -> Self {
        let kinds = W::chances(failures.delay_ms);
        let dice = fastrand::Rng::with_seed(failures.seed);
        Self { failures, kinds, dice }
    }

    /// Returns the settings.
    pub fn failures(&self) -> &RandomFailures<W::Endpoint> {
        &self.failures
    }

    /// Draws what chance does to a request.
    pub fn strike(&mut self, endpoint: W::Endpoint) -> Option<W::Fault> {
        if !self.failures.endpoints.iter().any(|hit| hit.includes(endpoint)) {
            return None;
        }
        // `f64` is below 1.0, so a rate of 1.0 hits always and one of 0.0 never.
        if self.dice.f64() >= self.failures.rate {
            return None;
        }
        let forms = &self.kinds[self.dice.usize(0..self.kinds.len())];
        let form = if forms.len() == 1 { 0 } else { self.dice.usize(0..forms.len()) };
        Some(forms[form].clone())
    }
}
