//! Errors as Spotify tells them (spec `spotify-api.md` §3 and §6).

use actix_web::http::StatusCode;
use serde_json::json;
use simulator_kit::Answer;

use crate::options::ErrorBody;
use crate::world::World;

/// An error of the token endpoint. What it says is Spotify's; whether it says it, an option decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenError {
    pub(crate) error: &'static str,
    pub(crate) description: Option<&'static str>,
}

impl TokenError {
    pub(crate) fn invalid_grant(description: &'static str) -> Self {
        Self { error: "invalid_grant", description: Some(description) }
    }

    pub(crate) fn invalid_request(description: &'static str) -> Self {
        Self { error: "invalid_request", description: Some(description) }
    }

    pub(crate) fn invalid_client(description: impl Into<Option<&'static str>>) -> Self {
        Self { error: "invalid_client", description: description.into() }
    }
}

/// Returns an error in the form of RFC 6749, §5.2. Spotify's have status 400, all of them.
pub(crate) fn token_error(error: &str, description: Option<&str>) -> Answer {
    let mut body = json!({ "error": error });
    if let Some(description) = description {
        body["error_description"] = description.into();
    }
    Answer::json(StatusCode::BAD_REQUEST, &body)
}

/// Returns an error of the Web API in JSON.
pub(crate) fn api_error(status: StatusCode, message: &str, reason: Option<&str>) -> Answer {
    let mut error = json!({ "status": status.as_u16(), "message": message });
    if let Some(reason) = reason {
        error["reason"] = reason.into();
    }
    Answer::json(status, &json!({ "error": error }))
}

/// Returns a caller's mistake.
pub(crate) fn bad_request(message: &str) -> Answer {
    api_error(StatusCode::BAD_REQUEST, message, None)
}

/// Returns that there is no such thing.
pub(crate) fn not_found() -> Answer {
    api_error(StatusCode::NOT_FOUND, "Resource not found", None)
}

/// Reads a status that a test chose.
pub(crate) fn status(chosen: u16) -> StatusCode {
    StatusCode::from_u16(chosen).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl World {
    /// Returns an error of the token endpoint, with or without its description.
    pub(crate) fn refused(&self, TokenError { error, description }: TokenError) -> Answer {
        token_error(error, description.filter(|_| self.base.options.descriptions))
    }

    /// Returns an error of the Web API that comes as text, as JSON or with nothing in it.
    pub(crate) fn blunt_error(&self, status: StatusCode, message: &str) -> Answer {
        match self.base.options.error_body {
            ErrorBody::Text => Answer::text(status, message),
            ErrorBody::Json => api_error(status, message, None),
            ErrorBody::Empty => Answer::text(status, ""),
        }
    }
}
