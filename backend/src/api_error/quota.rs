//! The rest of a limit, as clients are told.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// A limit and where somebody stands with it (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Names the limit.
    pub(crate) name: &'static str,
    /// Requests allowed in a window.
    pub(crate) limit: u32,
    /// The window, in seconds.
    pub(crate) window: u64,
    /// Requests that are left of them.
    pub(crate) remaining: u32,
    /// In how many seconds all of them are there again; of a quota that is used up, in how many the next one is.
    pub(crate) reset: u64,
}

impl Quota {
    /// Tells whether an answer carries a limit already.
    pub(crate) fn is_told(headers: &HeaderMap) -> bool {
        headers.contains_key(STATE)
    }

    /// In how many seconds it is worth another try.
    pub(crate) fn retry_after(&self) -> u64 {
        self.reset.max(1)
    }

    /// Writes `RateLimit` and `RateLimit-Policy`.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Self { name, limit, window, remaining, reset } = self;
        let policy = HeaderValue::from_str(&format!("\"{name}\";q={limit};w={window}"));
        let state = HeaderValue::from_str(&format!("\"{name}\";r={remaining};t={reset}"));
        // The names are this program's own, so both are always there.
        if let (Ok(policy), Ok(state)) = (policy, state) {
            headers.insert(POLICY, policy);
            headers.insert(STATE, state);
        }
    }
}
