//! Faults on demand: what can go wrong, where, and how often.

use serde::{Deserialize, Serialize};
use simulator_kit::faults;

/// An endpoint whose requests are counted and can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /api/token` with anything but a refresh token: a code becomes tokens.
    CodeExchange,
    /// `POST /api/token` with a refresh token.
    Refresh,
    /// `GET /v1/me`.
    Profile,
    /// Every other call of the Web API.
    Api,
    /// All of the above together.
    Any,
}

impl simulator_kit::Endpoint for Endpoint {
    const SINGLE: &[Self] = &[Self::CodeExchange, Self::Refresh, Self::Profile, Self::Api];
    const ANY: Self = Self::Any;
    const FAILING: &[Self] = &[Self::Refresh, Self::Profile];
}

faults! {
    /// Something that goes wrong with one answer.
    ///
    /// [`Delay`](Fault::Delay), [`Truncated`](Fault::Truncated) and [`HalfEmoji`](Fault::HalfEmoji) do what
    /// was asked, so a code is used up and a token refreshed. All others answer before anything has been
    /// done.
    pub enum Fault {
        /// HTTP 429. Its body is as [`Options::error_body`](crate::Options::error_body) says.
        RateLimited {
            /// The seconds in `Retry-After`. `None`: without the header, which happens, as does 0.
            #[serde(default)]
            retry_after: Option<u64>,
        },
        /// HTTP 429 in JSON with the reason `QUOTA_EXCEEDED`: the quota of development mode.
        QuotaExceeded {
            /// The seconds in `Retry-After`: hours of them. Default: 48 925.
            #[serde(default = "hours")]
            retry_after: u64,
        },
        /// An HTTP status of Spotify's side, with the plain text of its proxy.
        ServerError {
            /// The HTTP status: 500, 502, 503…
            status: u16,
        },
        /// An error of the token endpoint: HTTP 400 in the form of RFC 6749.
        TokenError {
            /// The `error`: `invalid_grant`, `invalid_client`, `invalid_request`…
            error: String,
            /// The `error_description`, which may be missing.
            #[serde(default)]
            description: Option<String>,
        },
        /// An error of the Web API, in JSON.
        ApiError {
            /// The HTTP status.
            status: u16,
            /// The `message`.
            message: String,
            /// The `reason`, which most lack.
            #[serde(default)]
            reason: Option<String>,
        },
        /// An error as plain text, as 403 and 429 often are.
        PlainError {
            /// The HTTP status.
            status: u16,
            /// The whole body.
            text: String,
        },
    }
}

fn hours() -> u64 {
    48_925
}

impl Fault {
    /// Returns what an outage once answered for valid refresh tokens (a service lost most users' by it). With
    /// [`Times::Forever`](crate::Times::Forever) it is so for everybody.
    pub fn invalid_grant() -> Self {
        Self::TokenError {
            error: "invalid_grant".to_owned(),
            description: Some("Invalid refresh token".to_owned()),
        }
    }

    /// Returns the development quota's refusal, for more than 13 hours.
    pub fn quota_exceeded() -> Self {
        Self::QuotaExceeded { retry_after: hours() }
    }

    /// Returns the kinds of fault that chance picks from, each with its forms.
    pub(crate) fn chances(delay_ms: u64) -> Vec<Vec<Self>> {
        vec![
            vec![Self::Delay { ms: delay_ms }],
            [None, Some(0), Some(30)].map(|retry_after| Self::RateLimited { retry_after }).to_vec(),
            [500, 502, 503, 504].map(|status| Self::ServerError { status }).to_vec(),
            vec![Self::Html],
            vec![Self::Truncated],
            vec![Self::Empty],
            vec![Self::Reset],
            vec![Self::WrongJson],
        ]
    }
}

/// A fault that waits for its requests: what the admin route reads and lists.
pub type PlannedFault = simulator_kit::PlannedFault<Endpoint, Fault>;

/// Failures at random, for long runs. No failure kills a token or says that one is dead.
///
/// They are delays, rate limits of minutes, errors of servers, and those of the wire; each kind is as likely
/// as every other. The same seed and the same order of requests give the same failures. A planned fault goes
/// first.
///
/// ```
/// use spotify_simulator::RandomFailures;
///
/// let failures = RandomFailures { rate: 0.2, seed: 7, delay_ms: 300, ..RandomFailures::default() };
/// assert_eq!(failures.endpoints.len(), 2);
/// ```
pub type RandomFailures = simulator_kit::RandomFailures<Endpoint>;

#[cfg(test)]
mod tests {
    use simulator_kit::Times;

    use super::*;

    #[test]
    fn planned_faults_are_read_as_the_readme_writes_them() {
        let read = |json| serde_json::from_str::<PlannedFault>(json).unwrap();
        let dead = read(
            r#"{"endpoint":"refresh","kind":"token_error","error":"invalid_grant",
                "description":"Invalid refresh token","times":"forever"}"#,
        );
        assert_eq!((dead.fault, dead.times), (Fault::invalid_grant(), Times::Forever));
        let quota = read(r#"{"endpoint":"any","kind":"quota_exceeded"}"#);
        assert_eq!((quota.fault, quota.times), (Fault::quota_exceeded(), Times::ONCE));
        let limited = read(r#"{"endpoint":"api","kind":"rate_limited","times":2}"#);
        assert_eq!(limited.fault, Fault::RateLimited { retry_after: None });
        let delay = read(r#"{"endpoint":"profile","kind":"delay","ms":3000}"#);
        assert_eq!(delay.fault, Fault::Delay { ms: 3_000 });
    }
}
