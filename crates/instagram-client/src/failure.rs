//! Sorting Instagram's failures by what to do next.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::error::{InstagramError, LimitOf};
use crate::json::readable_json;
use crate::redact::sanitise;
use crate::usage;

/// Both error forms, brought together: the Graph envelope (`instagram-api.md` §6) and the token endpoint's (§2).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Failure {
    message: String,
    code: Option<i64>,
    error_subcode: Option<i64>,
    is_transient: bool,
}

/// `{"error": {"message", "code", "error_subcode", "is_transient", …}}`
#[derive(Deserialize)]
struct GraphEnvelope {
    error: Failure,
}

/// `{"error_type", "code", "error_message"}`
#[derive(Deserialize)]
struct TokenEndpointError {
    error_message: String,
    code: Option<i64>,
}

impl Failure {
    fn parse(body: &[u8]) -> Option<Self> {
        if let Ok(envelope) = serde_json::from_slice::<GraphEnvelope>(body) {
            return Some(envelope.error);
        }
        let error: TokenEndpointError = serde_json::from_slice(body).ok()?;
        Some(Self { message: error.error_message, code: error.code, ..Self::default() })
    }
}

/// Decides whether an answer is a success: its body as it came, or the error that it means.
pub(crate) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Vec<u8>, InstagramError> {
    let body = readable_json(body);
    match Failure::parse(&body) {
        // Errors come with status 200 as well.
        Some(failure) => Err(classify(status, headers, &failure)),
        None if status == StatusCode::OK => Ok(body),
        None if status == StatusCode::TOO_MANY_REQUESTS => {
            Err(InstagramError::RateLimited { retry_after: usage::retry_after(headers), of: LimitOf::App })
        }
        None if status.is_server_error() => Err(InstagramError::lost(format!("HTTP {}", status.as_u16()))),
        None => {
            let status = status.as_u16();
            Err(InstagramError::unintelligible(format!("HTTP {status} without an error of Instagram's")))
        }
    }
}

/// The table of `instagram-api.md` §6. The order matters: a throttle or an outage can carry any code, and only what is
/// neither may cost someone a connection.
fn classify(status: StatusCode, headers: &HeaderMap, failure: &Failure) -> InstagramError {
    let Failure { ref message, code, error_subcode: subcode, is_transient } = *failure;
    // The token endpoint repeats the HTTP status as its code, so the status stands in where there is none.
    let code = code.unwrap_or_else(|| status.as_u16().into());

    if is_rate_limit(status, code, subcode) {
        let of = if matches!(code, 17 | 32 | 80_002) { LimitOf::Account } else { LimitOf::App };
        return InstagramError::RateLimited { retry_after: usage::retry_after(headers), of };
    }
    if is_transient || status.is_server_error() {
        return InstagramError::failed(described(status, code, message));
    }
    // Before the codes, since these texts come with codes as general as 1 and 400.
    if says_any(message, &["matching code was not found", "verification code", "authorization code"]) {
        return InstagramError::InvalidCode;
    }
    if says_any(message, &["invalid platform app", "error validating client secret", "invalid redirect_uri"])
    {
        return InstagramError::Misconfigured { message: sanitise(message) };
    }
    match (code, subcode) {
        (190 | 102, _) => InstagramError::NeedsReauthorization { subcode },
        (1 | 2 | -1 | -2, _) => InstagramError::failed(described(status, code, message)),
        (100, _) if says_any(message, &["unsupported request - method type"]) => InstagramError::AppAccess,
        // A message outside the allowed window (10, 2534022) is the caller's error and no missing permission.
        (10, Some(2_534_022)) => rejected(code, subcode, message),
        (10 | 200..=299, _) => InstagramError::MissingPermission { code },
        _ => rejected(code, subcode, message),
    }
}

fn is_rate_limit(status: StatusCode, code: i64, subcode: Option<i64>) -> bool {
    // 2207051: a post taken for spam, which may be live all the same. Waiting and posting again would double it.
    let taken_for_spam = (code, subcode) == (4, Some(2_207_051));
    !taken_for_spam
        && (status == StatusCode::TOO_MANY_REQUESTS || matches!(code, 4 | 17 | 32 | 429 | 613 | 80_002))
}

fn says_any(message: &str, phrases: &[&str]) -> bool {
    let message = message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

fn rejected(code: i64, subcode: Option<i64>, message: &str) -> InstagramError {
    InstagramError::Rejected { code, subcode, message: sanitise(message) }
}

fn described(status: StatusCode, code: i64, message: &str) -> String {
    format!("HTTP {}, code {code}: {}", status.as_u16(), sanitise(message))
}
