//! Faults on demand: what can go wrong, where, and how often.

use serde::{Deserialize, Serialize};
use simulator_kit::faults;

/// An endpoint whose requests are counted and can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /oauth/access_token`: a code becomes a short-lived token.
    CodeExchange,
    /// `GET /access_token`: a short-lived token becomes a long-lived one.
    LongLived,
    /// `GET /refresh_access_token`: a long-lived token lives longer.
    Refresh,
    /// `GET /{version}/me`.
    Profile,
    /// Every other Graph call: posts, comments, messages.
    Graph,
    /// All of the above together.
    Any,
}

impl simulator_kit::Endpoint for Endpoint {
    const SINGLE: &[Self] = &[Self::CodeExchange, Self::LongLived, Self::Refresh, Self::Profile, Self::Graph];
    const ANY: Self = Self::Any;
    const FAILING: &[Self] = &[Self::Refresh, Self::Profile];
}

faults! {
    /// Something that goes wrong with one answer.
    ///
    /// [`Delay`](Fault::Delay), [`Truncated`](Fault::Truncated) and [`HalfEmoji`](Fault::HalfEmoji) do what
    /// was asked, so a code is used up and a token refreshed. All others answer before anything has been
    /// done. Errors come in the Graph envelope on every endpoint.
    pub enum Fault {
        /// HTTP 429, Graph code 4, with usage headers.
        RateLimited,
        /// HTTP 400, type `OAuthException`, Graph code 4, with usage headers: how a rate limit often looks.
        #[serde(rename = "rate_limited_400")]
        RateLimited400,
        /// An HTTP status of Meta's side, with Graph code 2, `is_transient`.
        ServerError {
            /// The HTTP status: 500, 502, 503…
            status: u16,
        },
        /// A Graph error of choice.
        GraphError {
            /// The error's `code`. It also decides the HTTP status: 500 for 1 and 2, 403 for 10 and 200–299, else 400.
            code: i64,
            /// The error's `error_subcode`.
            #[serde(default)]
            subcode: Option<i64>,
            /// The error's `type`.
            #[serde(default = "oauth_exception", rename = "type")]
            error_type: String,
            /// The error's `message`.
            #[serde(default = "injected")]
            message: String,
            /// The error's `is_transient`.
            #[serde(default)]
            is_transient: bool,
        },
    }
}

impl Fault {
    /// A Graph error of type `OAuthException`, not transient.
    pub fn graph_error(code: i64, subcode: impl Into<Option<i64>>) -> Self {
        Self::GraphError {
            code,
            subcode: subcode.into(),
            error_type: oauth_exception(),
            message: injected(),
            is_transient: false,
        }
    }
}

fn oauth_exception() -> String {
    "OAuthException".to_owned()
}

fn injected() -> String {
    "An error that a test asked for".to_owned()
}

/// A fault that waits for its requests: what the admin route reads and lists.
pub type PlannedFault = simulator_kit::PlannedFault<Endpoint, Fault>;

#[cfg(test)]
mod tests {
    use simulator_kit::Times;

    use super::*;

    #[test]
    fn planned_faults_are_read_as_the_readme_writes_them() {
        let read = |json| serde_json::from_str::<PlannedFault>(json).unwrap();
        let once = read(r#"{"endpoint":"profile","kind":"delay","ms":500}"#);
        assert_eq!(once.fault, Fault::Delay { ms: 500 });
        assert_eq!(once.times, Times::ONCE);
        let forever = read(r#"{"endpoint":"any","kind":"rate_limited_400","times":"forever"}"#);
        assert_eq!(forever.fault, Fault::RateLimited400);
        assert_eq!(forever.times, Times::Forever);
        let error = read(r#"{"endpoint":"refresh","kind":"graph_error","code":190,"subcode":460,"times":2}"#);
        assert_eq!(error.fault, Fault::graph_error(190, 460));
        let back = serde_json::to_value(&error).unwrap();
        assert_eq!(back["times"], 2);
        assert_eq!(back["type"], "OAuthException");
        assert!(serde_json::from_str::<Times>(r#""often""#).is_err());
    }
}
