//! The time to wait after a rate limit.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is believed: the providers' windows are an hour or a day long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the longest wait that is asked for: `default` where none is or only zero, at most [`MAX_RETRY_AFTER`].
#[must_use]
pub fn longest_wait(asked: impl IntoIterator<Item = Option<Duration>>, default: Duration) -> Duration {
    let asked = asked.into_iter().flatten().filter(|wait| !wait.is_zero()).max();
    asked.unwrap_or(default).min(MAX_RETRY_AFTER)
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110 §10.2.3). `None` where it is missing, unreadable or past.
#[must_use]
pub fn from_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let from_date = || httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok();
    text.parse().ok().map(Duration::from_secs).or_else(from_date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn asked(value: &str) -> Duration {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).unwrap())]);
        longest_wait([from_retry_after(&headers)], Duration::from_secs(30))
    }

    #[test]
    fn a_wait_is_as_long_as_asked_and_at_most_a_day() {
        for (value, seconds) in [
            ("120", 120),
            ("48925", 48_925),
            ("0", 30),
            ("-1", 30),
            ("soon", 30),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 30),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 60 * 60),
            ("18446744073709551615", 24 * 60 * 60),
            ("18446744073709551616", 30),
        ] {
            assert_eq!(asked(value), Duration::from_secs(seconds), "{value}");
        }
        assert_eq!(from_retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_date_is_a_wait_until_then() {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
        assert!((590..=600).contains(&asked(&date).as_secs()), "{date}");
    }
}
