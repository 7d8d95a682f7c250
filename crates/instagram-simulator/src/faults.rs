//! Faults on demand: what can go wrong, where, and how often.

use serde::{Deserialize, Serialize};

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

impl Endpoint {
    /// The endpoints that a request can be for: all but [`Endpoint::Any`].
    pub(crate) const SINGLE: [Self; 5] =
        [Self::CodeExchange, Self::LongLived, Self::Refresh, Self::Profile, Self::Graph];

    pub(crate) fn includes(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

/// Something that goes wrong with one answer.
///
/// [`Delay`](Fault::Delay), [`Truncated`](Fault::Truncated) and [`HalfEmoji`](Fault::HalfEmoji) do what was
/// asked, so a code is used up and a token renewed. All others answer before anything has been done. Errors
/// come in the Graph envelope on every endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The right answer, late. The work is done at once, so a client that stops waiting loses an answer.
    Delay {
        /// The delay, in milliseconds of real time.
        ms: u64,
    },
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
    /// HTTP 200 with a page of HTML, as an edge proxy sends it.
    Html,
    /// The right answer, cut in the middle: `Content-Length` promises more than comes.
    Truncated,
    /// The right answer, in which each emoji is cut to half of its surrogate pair: what remains of a text
    /// that a program cut by UTF-16 units, and what many JSON readers refuse.
    HalfEmoji,
    /// HTTP 200 with nothing in it.
    Empty,
    /// The connection is reset without an answer.
    Reset,
    /// HTTP 200 with valid JSON of another shape.
    WrongJson,
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

impl Fault {
    /// Tells whether the request's work is done, and only its answer suffers.
    pub(crate) fn does_the_work(&self) -> bool {
        matches!(self, Self::Delay { .. } | Self::Truncated | Self::HalfEmoji)
    }

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

/// Number of times that a fault happens. In JSON a number, or `"forever"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TimesJson", into = "TimesJson")]
pub enum Times {
    /// For this many requests. 0 does nothing.
    Count(u64),
    /// Until the faults are cleared.
    Forever,
}

impl Times {
    /// For the next request only.
    pub const ONCE: Self = Self::Count(1);
}

impl Default for Times {
    fn default() -> Self {
        Self::ONCE
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum TimesJson {
    Number(u64),
    Word(String),
}

impl TryFrom<TimesJson> for Times {
    type Error = &'static str;

    fn try_from(json: TimesJson) -> Result<Self, Self::Error> {
        match json {
            TimesJson::Number(count) => Ok(Self::Count(count)),
            TimesJson::Word(word) if word == "forever" => Ok(Self::Forever),
            TimesJson::Word(_) => Err("times is a number or \"forever\""),
        }
    }
}

impl From<Times> for TimesJson {
    fn from(times: Times) -> Self {
        match times {
            Times::Count(count) => Self::Number(count),
            Times::Forever => Self::Word("forever".to_owned()),
        }
    }
}

/// A fault that waits for its requests: what the admin route reads and lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// The endpoint at which it happens.
    pub endpoint: Endpoint,
    /// The fault that happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// Number of times that it still happens. Default: once.
    #[serde(default)]
    pub times: Times,
}

/// The faults that wait, oldest first. A request meets at most one of them.
#[derive(Debug, Default)]
pub(crate) struct FaultQueue(Vec<PlannedFault>);

impl FaultQueue {
    pub(crate) fn add(&mut self, planned: PlannedFault) {
        if planned.times != Times::Count(0) {
            self.0.push(planned);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn planned(&self) -> &[PlannedFault] {
        &self.0
    }

    /// The oldest fault that waits for this endpoint, counted down.
    pub(crate) fn take(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let position = self.0.iter().position(|planned| planned.endpoint.includes(endpoint))?;
        let planned = &mut self.0[position];
        match &mut planned.times {
            Times::Count(count) if *count > 1 => *count -= 1,
            Times::Count(_) => return Some(self.0.remove(position).fault),
            Times::Forever => {}
        }
        Some(planned.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_taken_oldest_first_and_only_where_they_belong() {
        let mut queue = FaultQueue::default();
        queue.add(PlannedFault { endpoint: Endpoint::Profile, fault: Fault::Html, times: Times::Count(2) });
        queue.add(PlannedFault { endpoint: Endpoint::Any, fault: Fault::Empty, times: Times::Forever });
        assert_eq!(queue.take(Endpoint::Refresh), Some(Fault::Empty));
        assert_eq!(queue.take(Endpoint::Profile), Some(Fault::Html));
        assert_eq!(queue.take(Endpoint::Profile), Some(Fault::Html));
        assert_eq!(queue.take(Endpoint::Profile), Some(Fault::Empty));
        queue.clear();
        assert_eq!(queue.take(Endpoint::Profile), None);
    }

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
