//! Bad weather: a part of all requests fails, each in a way that chance picks.

use serde::{Deserialize, Serialize};

use crate::faults::{Endpoint, Fault};

/// Failures at random, for long runs. No failure kills a token or says that one is dead: never code 190 or 102.
///
/// Every kind of [`Fault`] is as likely as every other; within a kind, every status or error is as likely as every
/// other. The same seed and the same order of requests give the same failures. A planned fault goes first.
///
/// ```
/// use instagram_simulator::RandomFailures;
///
/// let failures = RandomFailures { rate: 0.2, seed: 7, delay_ms: 300, ..RandomFailures::default() };
/// assert_eq!(failures.endpoints.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomFailures {
    /// The part of the requests that fail, from 0.0 to 1.0. Default: none.
    pub rate: f64,
    /// The seed that chance starts from. Default: 0.
    pub seed: u64,
    /// Endpoints at which requests fail. Default: the refresh and the profile.
    pub endpoints: Vec<Endpoint>,
    /// Time by which a delayed answer is late, in milliseconds of real time. Longer than the client's
    /// timeout, it is a lost answer. Default: 500.
    pub delay_ms: u64,
}

impl Default for RandomFailures {
    fn default() -> Self {
        Self { rate: 0.0, seed: 0, endpoints: vec![Endpoint::Refresh, Endpoint::Profile], delay_ms: 500 }
    }
}

/// Chance, with its settings.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    failures: RandomFailures,
    dice: Dice,
}

/// A generator that starts the same way each time, unlike the crate's own default.
#[derive(Debug)]
struct Dice(fastrand::Rng);

impl Default for Dice {
    fn default() -> Self {
        Self(fastrand::Rng::with_seed(0))
    }
}

impl Weather {
    /// New settings, and chance from the start.
    ///
    /// # Errors
    /// Where the rate is no part of a whole.
    pub(crate) fn new(failures: RandomFailures) -> Result<Self, &'static str> {
        // Not a number is in no range.
        if !(0.0..=1.0).contains(&failures.rate) {
            return Err("rate is a number from 0.0 to 1.0");
        }
        let dice = Dice(fastrand::Rng::with_seed(failures.seed));
        Ok(Self { failures, dice })
    }

    pub(crate) fn failures(&self) -> &RandomFailures {
        &self.failures
    }

    /// Draws what chance does to a request.
    pub(crate) fn strike(&mut self, endpoint: Endpoint) -> Option<Fault> {
        if !self.failures.endpoints.iter().any(|hit| hit.includes(endpoint)) {
            return None;
        }
        let dice = &mut self.dice.0;
        // `f64` is below 1.0, so a rate of 1.0 hits always and one of 0.0 never.
        (dice.f64() < self.failures.rate).then(|| any_fault(dice, self.failures.delay_ms))
    }
}

const SERVER_ERRORS: [u16; 4] = [500, 502, 503, 504];

fn any_fault(dice: &mut fastrand::Rng, delay_ms: u64) -> Fault {
    match dice.u8(0..10) {
        0 => Fault::Delay { ms: delay_ms },
        1 => Fault::RateLimited,
        2 => Fault::RateLimited400,
        3 => Fault::ServerError { status: SERVER_ERRORS[dice.usize(0..SERVER_ERRORS.len())] },
        4 => Fault::Html,
        5 => Fault::Truncated,
        6 => Fault::Empty,
        7 => Fault::Reset,
        8 => Fault::WrongJson,
        _ => {
            let errors = harmless_errors();
            errors[dice.usize(0..errors.len())].clone()
        }
    }
}

/// The Graph errors of `instagram-api.md` §6 that any call can meet and that leave a token alive.
fn harmless_errors() -> Vec<Fault> {
    let codes = [1, 2, 4, 17, 32, 613, 80_002, 10, 200, 368];
    let mut errors = codes.map(|code| Fault::graph_error(code, None)).to_vec();
    let of_type = |code, subcode, error_type: &str, message: &str, is_transient| Fault::GraphError {
        code,
        subcode,
        error_type: error_type.to_owned(),
        message: message.to_owned(),
        is_transient,
    };
    errors.extend([
        // A missing permission, an outage that looks like missing access, an object that is said not to exist, and an
        // error of no known meaning that calls itself transient: all seen with tokens that went on working.
        of_type(100, None, "IGApiException", "Unsupported request - method type: get", false),
        of_type(
            100,
            Some(33),
            "GraphMethodException",
            "Unsupported get request. Object does not exist",
            false,
        ),
        of_type(100, None, "IGApiException", "Invalid parameter", false),
        of_type(24, None, "OAuthException", "Please try again", true),
    ]);
    errors
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    fn weather(rate: f64, seed: u64) -> Weather {
        Weather::new(RandomFailures { rate, seed, ..RandomFailures::default() }).unwrap()
    }

    #[test]
    fn the_rate_is_kept_and_every_kind_comes_equally_often() {
        let mut weather = weather(0.2, 1);
        let mut kinds = BTreeMap::<String, u32>::new();
        let mut codes = HashSet::new();
        for _ in 0..100_000 {
            let Some(fault) = weather.strike(Endpoint::Refresh) else { continue };
            let json = serde_json::to_value(&fault).unwrap();
            *kinds.entry(json["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            codes.extend(json["code"].as_i64());
        }
        let failed: u32 = kinds.values().sum();
        assert!((19_000..21_000).contains(&failed), "{failed} of 100 000");
        assert_eq!(kinds.len(), 10, "{kinds:?}");
        assert!(kinds.values().all(|count| (1_750..2_250).contains(count)), "{kinds:?}");
        let expected = [1, 2, 4, 10, 17, 24, 32, 100, 200, 368, 613, 80_002];
        assert_eq!(codes, expected.into());
    }

    #[test]
    fn a_seed_repeats_itself() {
        let run = |seed| {
            let mut weather = weather(0.5, seed);
            (0..200).map(|_| weather.strike(Endpoint::Profile)).collect::<Vec<_>>()
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }

    #[test]
    fn only_the_chosen_endpoints_are_hit() {
        let mut all = weather(1.0, 0);
        assert!(all.strike(Endpoint::Refresh).is_some() && all.strike(Endpoint::Profile).is_some());
        assert_eq!(all.strike(Endpoint::CodeExchange), None);
        let any = RandomFailures { rate: 1.0, endpoints: vec![Endpoint::Any], ..RandomFailures::default() };
        assert!(Weather::new(any).unwrap().strike(Endpoint::CodeExchange).is_some());
        assert_eq!(Weather::default().strike(Endpoint::Refresh), None);
        for rate in [-0.1, 1.1, f64::NAN] {
            assert!(Weather::new(RandomFailures { rate, ..RandomFailures::default() }).is_err(), "{rate}");
        }
    }
}
