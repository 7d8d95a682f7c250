//! The time to wait after a rate limit.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use upstream::{from_retry_after, longest_wait, readable_json};

/// Time to wait after a rate limit when Instagram does not say.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Says per account and per use case when calls are possible again. The other usage header, `X-App-Usage`, holds
/// percentages only.
const BUSINESS_USAGE: &str = "x-business-use-case-usage";

/// One use case in [`BUSINESS_USAGE`].
#[derive(Deserialize)]
struct UseCase {
    /// Minutes.
    #[serde(default)]
    estimated_time_to_regain_access: u64,
}

/// The longest wait that the headers ask for, [`DEFAULT_RETRY_AFTER`] where they ask for none.
pub(crate) fn retry_after(headers: &HeaderMap) -> Duration {
    longest_wait([from_retry_after(headers), from_business_usage(headers)], DEFAULT_RETRY_AFTER)
}

fn from_business_usage(headers: &HeaderMap) -> Option<Duration> {
    let header = readable_json(headers.get(BUSINESS_USAGE)?.as_bytes().to_vec());
    let usage: HashMap<String, Vec<UseCase>> = serde_json::from_slice(&header).ok()?;
    let minutes = usage.values().flatten().map(|case| case.estimated_time_to_regain_access).max()?;
    Some(Duration::from_secs(minutes.saturating_mul(60)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    #[test]
    fn takes_the_longest_wait_that_is_asked_for() {
        let usage = r#"{"17841400000000000":[{"type":"instagram","call_count":100,"estimated_time_to_regain_access":7},
            {"type":"messenger","call_count":1}]}"#
            .replace('\n', "");
        let cases: [(&[(&str, &str)], u64); 11] = [
            (&[], 60),
            (&[("x-app-usage", r#"{"call_count":100,"total_time":25,"total_cputime":25}"#)], 60),
            (&[("retry-after", "120")], 120),
            (&[("retry-after", "0")], 60),
            (&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], 60),
            (&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], 24 * 60 * 60),
            (&[("x-business-use-case-usage", &usage)], 7 * 60),
            (&[("x-business-use-case-usage", &usage), ("retry-after", "3600")], 3600),
            (&[("x-business-use-case-usage", "nonsense")], 60),
            (
                &[("x-business-use-case-usage", r#"{"\ud83d":[{"estimated_time_to_regain_access":7}]}"#)],
                7 * 60,
            ),
            (&[("retry-after", "18446744073709551615")], 24 * 60 * 60),
        ];
        for (given, seconds) in cases {
            let headers = given
                .iter()
                .map(|(name, value)| {
                    (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
                })
                .collect();
            assert_eq!(retry_after(&headers), Duration::from_secs(seconds), "{given:?}");
        }
    }
}
