//! Sorting Spotify's failures by what to do next.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};
use upstream::{AccessTo, LimitOf, UpstreamError, from_retry_after, longest_wait, readable_json, sanitise};

/// Time to wait after a rate limit when Spotify does not say (`spotify-api.md` §6).
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The words of an answer that is no success.
enum Words {
    /// Those of the token endpoint: `{"error": "invalid_grant", "error_description": "…"}`; the description may be missing.
    Token { error: String, description: String },
    /// Those of the API: `{"error": {"status": 403, "message": "…"}}`.
    Api(String),
    /// Plain text, or nothing.
    Text(String),
    /// Anything else, such as a page of HTML, which is not of Spotify's API.
    Other,
}

impl Words {
    /// Reads the body of an answer.
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Map<String, Value>>(body) {
            Ok(body) => match body.get("error") {
                Some(Value::String(error)) => {
                    Self::Token { error: error.clone(), description: text(&body, "error_description") }
                }
                Some(Value::Object(error)) => Self::Api(text(error, "message")),
                _ => Self::Other,
            },
            Err(_) => match String::from_utf8_lossy(body).trim() {
                markup if markup.starts_with(['<', '{', '[']) => Self::Other,
                text => Self::Text(text.to_owned()),
            },
        }
    }

    /// Returns all words in one line, fit for a log.
    fn sanitised(&self) -> String {
        sanitise(&match self {
            Self::Token { error, description } if description.is_empty() => error.clone(),
            Self::Token { error, description } => format!("{error}: {description}"),
            Self::Api(text) | Self::Text(text) => text.clone(),
            Self::Other => String::new(),
        })
    }

    fn say_any(&self, phrases: &[&str]) -> bool {
        let (Self::Api(text) | Self::Text(text) | Self::Token { description: text, .. }) = self else {
            return false;
        };
        let text = text.to_lowercase();
        phrases.iter().any(|phrase| text.contains(phrase))
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Judges an answer to a code (`spotify-api.md` §3).
pub(crate) fn judge_code(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Vec<u8>, UpstreamError> {
    judge(status, headers, body, |status, words| {
        classify_token(status, words, |words| match words.say_any(&["redirect uri", "redirect_uri"]) {
            true => UpstreamError::Misconfigured { message: words.sanitised() },
            false => UpstreamError::InvalidCode,
        })
    })
}

/// Judges an answer to a refresh token (`spotify-api.md` §3). **Only `invalid_grant` means that it is dead.**
pub(crate) fn judge_refresh(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Vec<u8>, UpstreamError> {
    judge(status, headers, body, |status, words| {
        classify_token(status, words, |_| UpstreamError::NeedsReauthorization { subcode: None })
    })
}

/// Judges an answer with a profile. The profile is open to every app, so a 403 that says nothing else is about the account:
/// it has many words, and often none (`spotify-api.md` §6 and §9).
pub(crate) fn judge_profile(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Vec<u8>, UpstreamError> {
    judge_api(status, headers, body).map_err(|error| match error {
        UpstreamError::AppAccess { to: AccessTo::Call } | UpstreamError::Rejected { code: 403, .. } => {
            UpstreamError::AppAccess { to: AccessTo::Account }
        }
        other => other,
    })
}

/// Judges any other answer of the API.
pub(crate) fn judge_api(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<Vec<u8>, UpstreamError> {
    judge(status, headers, body, classify_api)
}

/// Decides what has the same meaning everywhere, before `classify` looks at the words of a refusal. A throttle or an outage
/// can carry any words, and must cost nobody a connection.
fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    body: Vec<u8>,
    classify: impl FnOnce(StatusCode, &Words) -> UpstreamError,
) -> Result<Vec<u8>, UpstreamError> {
    let body = readable_json(body);
    if status == StatusCode::OK {
        return Ok(body);
    }
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS => UpstreamError::RateLimited {
            retry_after: longest_wait([from_retry_after(headers)], DEFAULT_RETRY_AFTER),
            of: LimitOf::App,
        },
        _ if status.is_server_error() => {
            let words = Words::read(&body).sanitised();
            UpstreamError::failed(format!("HTTP {} {words}", status.as_u16()).trim_end())
        }
        _ if status.is_client_error() => classify(status, &Words::read(&body)),
        _ => without_error(status),
    })
}

/// The table of `spotify-api.md` §3: the description may be missing, so the error decides.
fn classify_token(
    status: StatusCode,
    words: &Words,
    invalid_grant: impl FnOnce(&Words) -> UpstreamError,
) -> UpstreamError {
    let Words::Token { error, .. } = words else { return without_error(status) };
    match error.as_str() {
        "invalid_grant" => invalid_grant(words),
        "invalid_client" | "unauthorized_client" => {
            UpstreamError::Misconfigured { message: words.sanitised() }
        }
        "server_error" | "temporarily_unavailable" => UpstreamError::failed(words.sanitised()),
        _ => rejected(status, words),
    }
}

/// The table of `spotify-api.md` §6.
fn classify_api(status: StatusCode, words: &Words) -> UpstreamError {
    match (status, words) {
        (_, Words::Other) => without_error(status),
        (StatusCode::UNAUTHORIZED, _) if !words.say_any(&["no token provided"]) => {
            UpstreamError::AccessTokenRefused
        }
        (StatusCode::FORBIDDEN, _) => classify_forbidden(status, words),
        (_, Words::Text(_)) => without_error(status),
        _ => rejected(status, words),
    }
}

fn classify_forbidden(status: StatusCode, words: &Words) -> UpstreamError {
    if words.say_any(&["insufficient client scope"]) {
        return UpstreamError::MissingPermission { code: i64::from(status.as_u16()) };
    }
    if words.say_any(&["not registered", "not be registered", "not approved for app"]) {
        return UpstreamError::AppAccess { to: AccessTo::Account };
    }
    if words.say_any(&["premium subscription required"]) {
        return UpstreamError::AppAccess { to: AccessTo::Anything };
    }
    match words {
        Words::Api(message) if !message.is_empty() && !message.eq_ignore_ascii_case("forbidden") => {
            rejected(status, words)
        }
        _ => UpstreamError::AppAccess { to: AccessTo::Call },
    }
}

/// The error for a plain refusal: nothing was done.
fn rejected(status: StatusCode, words: &Words) -> UpstreamError {
    let code = i64::from(status.as_u16());
    UpstreamError::Rejected { code, subcode: None, message: words.sanitised(), may_be_done: false }
}

fn without_error(status: StatusCode) -> UpstreamError {
    UpstreamError::unintelligible(format!("HTTP {} without an error of Spotify's", status.as_u16()))
}
