//! Failures that chance picks from.

use crate::faults::{Endpoint, Fault};

/// Failures at random, for long runs. No failure kills a token or says that one is dead: never code 190 or 102.
///
/// Every kind of [`Fault`] is as likely as every other, but for [`Fault::HalfEmoji`], which is none of them; within a
/// kind, every status or error is as likely as every other. The same seed and the same order of requests give the same
/// failures. A planned fault goes first.
///
/// ```
/// use instagram_simulator::RandomFailures;
///
/// let failures = RandomFailures { rate: 0.2, seed: 7, delay_ms: 300, ..RandomFailures::default() };
/// assert_eq!(failures.endpoints.len(), 2);
/// ```
pub type RandomFailures = simulator_kit::RandomFailures<Endpoint>;

/// Returns the kinds of fault, each with its forms.
pub(crate) fn chances(delay_ms: u64) -> Vec<Vec<Fault>> {
    vec![
        vec![Fault::Delay { ms: delay_ms }],
        vec![Fault::RateLimited],
        vec![Fault::RateLimited400],
        [500, 502, 503, 504].map(|status| Fault::ServerError { status }).to_vec(),
        vec![Fault::Html],
        vec![Fault::Truncated],
        vec![Fault::Empty],
        vec![Fault::Reset],
        vec![Fault::WrongJson],
        harmless_errors(),
    ]
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
        of_type(100, Some(33), "ApiMethodException", "Unsupported get request. Object does not exist", false),
        of_type(100, None, "IGApiException", "Invalid parameter", false),
        of_type(24, None, "OAuthException", "Please try again", true),
    ]);
    errors
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use simulator_kit::Weather;

    use super::*;
    use crate::world::World;

    fn weather(rate: f64, seed: u64) -> Weather<World> {
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
        assert!(Weather::<World>::new(any).unwrap().strike(Endpoint::CodeExchange).is_some());
        assert_eq!(Weather::<World>::default().strike(Endpoint::Refresh), None);
        for rate in [-0.1, 1.1, f64::NAN] {
            assert!(
                Weather::<World>::new(RandomFailures { rate, ..RandomFailures::default() }).is_err(),
                "{rate}"
            );
        }
    }
}
