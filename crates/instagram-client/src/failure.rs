//! Sorting Instagram's failures by what to do next.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};
use upstream::{AccessTo, LimitOf, UpstreamError, readable_json, sanitise};

use crate::usage;

/// The subcode of a post that is taken for spam, and may be live all the same.
const TAKEN_FOR_SPAM: i64 = 2_207_051;

/// The codes of `instagram-api.md` §6 that say what is wrong with a call, before anything is done for it.
const REFUSALS: [i64; 16] =
    [9, 10, 24, 25, 100, 341, 352, 368, 506, 551, 9004, 9007, 36_000, 36_001, 36_003, 36_004];

/// Subcodes that leave open what was done, whatever the code: spam, and failures on Meta's side.
const UNSETTLED: [i64; 6] = [TAKEN_FOR_SPAM, 2_207_001, 2_207_003, 2_207_020, 2_207_032, 2_207_053];

/// Both error forms, brought together: the Graph envelope (`instagram-api.md` §6) and the token endpoint's (§2).
#[derive(Debug, Default)]
struct Failure {
    message: String,
    /// Graph's code. The HTTP status is none, whatever number it is: 200 to 299 are missing permissions among
    /// these.
    code: Option<i64>,
    subcode: Option<i64>,
    is_transient: bool,
}

impl Failure {
    /// Returns the error that a body tells of; `None` where it tells of none. A body that calls itself an
    /// error is one, whatever is missing in it: it must not pass for a success.
    fn parse(body: &[u8]) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        match body.get("error") {
            Some(Value::Object(error)) => Some(Self::of_graph(error)),
            Some(Value::Null) | None => Self::of_token_endpoint(&body),
            Some(_) => Some(Self::default()),
        }
    }

    /// `{"error": {"message", "code", "error_subcode", "is_transient", …}}`
    fn of_graph(error: &Map<String, Value>) -> Self {
        Self {
            message: text(error, "message").unwrap_or_default().to_owned(),
            code: integer(error, "code"),
            subcode: integer(error, "error_subcode"),
            is_transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or_default(),
        }
    }

    /// `{"error_type", "code", "error_message"}`. The code is the HTTP status again in most of them, so what
    /// a status of its number would mean is not taken for what Graph's code of that number means.
    fn of_token_endpoint(body: &Map<String, Value>) -> Option<Self> {
        let message = text(body, "error_message").or(text(body, "error_type").map(|_| ""))?.to_owned();
        let code = integer(body, "code");
        let is_transient = code.is_some_and(|code| (500..=599).contains(&code));
        let code = code.filter(|code| !(200..=299).contains(code));
        Some(Self { message, code, subcode: None, is_transient })
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

fn integer(fields: &Map<String, Value>, name: &str) -> Option<i64> {
    fields.get(name)?.as_i64()
}

/// Decides whether an answer is a success: its body, made readable, or the error that it means.
pub(crate) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Vec<u8>, UpstreamError> {
    let body = readable_json(body);
    match Failure::parse(&body) {
        // Errors come with status 200 as well.
        Some(failure) => Err(classify(status, headers, &failure)),
        None if status == StatusCode::OK => Ok(body),
        None if status == StatusCode::TOO_MANY_REQUESTS => {
            Err(UpstreamError::RateLimited { retry_after: usage::retry_after(headers), of: LimitOf::App })
        }
        None if status.is_server_error() => Err(UpstreamError::failed(format!("HTTP {}", status.as_u16()))),
        None => {
            let status = status.as_u16();
            Err(UpstreamError::unintelligible(format!("HTTP {status} without an error of Instagram's")))
        }
    }
}

/// The table of `instagram-api.md` §6. The order matters: a throttle or an outage can carry any code, and only what is
/// neither may cost someone a connection.
fn classify(status: StatusCode, headers: &HeaderMap, failure: &Failure) -> UpstreamError {
    let Failure { ref message, code, subcode, is_transient } = *failure;

    if is_rate_limit(status, code, subcode) {
        let of = if matches!(code, Some(17 | 32 | 80_002)) { LimitOf::Account } else { LimitOf::App };
        return UpstreamError::RateLimited { retry_after: usage::retry_after(headers), of };
    }
    if is_transient || status.is_server_error() {
        return UpstreamError::failed(described(status, code, message));
    }
    // Before the codes, since these texts come with codes as general as 1 and 400.
    if says_any(message, &["matching code was not found", "verification code", "authorization code"]) {
        return UpstreamError::InvalidCode;
    }
    if says_any(message, &["invalid platform app", "error validating client secret", "invalid redirect_uri"])
    {
        return UpstreamError::Misconfigured { message: sanitise(message) };
    }
    let Some(code) = code else { return UpstreamError::unintelligible("an error without a code") };
    match (code, subcode) {
        (190 | 102, _) => UpstreamError::NeedsReauthorization { subcode },
        (1 | 2 | -1 | -2, _) => UpstreamError::failed(described(status, Some(code), message)),
        (100, _) if says_any(message, &["unsupported request - method type"]) => {
            UpstreamError::AppAccess { to: AccessTo::Account }
        }
        // A message outside the allowed window (10, 2534022) is the caller's error and no missing permission.
        (10, Some(2_534_022)) => rejected(code, subcode, message),
        (10 | 200..=299, _) => UpstreamError::MissingPermission { code },
        _ => rejected(code, subcode, message),
    }
}

fn is_rate_limit(status: StatusCode, code: Option<i64>, subcode: Option<i64>) -> bool {
    // A post taken for spam may be live all the same. Waiting and posting again would double it.
    subcode != Some(TAKEN_FOR_SPAM)
        && (status == StatusCode::TOO_MANY_REQUESTS || matches!(code, Some(4 | 17 | 32 | 429 | 613 | 80_002)))
}

fn says_any(message: &str, phrases: &[&str]) -> bool {
    let message = message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

/// The error for a refusal of any other kind. A code that is not known is no plain refusal.
fn rejected(code: i64, subcode: Option<i64>, message: &str) -> UpstreamError {
    let may_be_done =
        !REFUSALS.contains(&code) || subcode.is_some_and(|subcode| UNSETTLED.contains(&subcode));
    UpstreamError::Rejected { code, subcode, message: sanitise(message), may_be_done }
}

fn described(status: StatusCode, code: Option<i64>, message: &str) -> String {
    let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
    format!("HTTP {}{code}: {}", status.as_u16(), sanitise(message))
}
