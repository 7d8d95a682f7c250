//! Errors in Graph's envelope.

use actix_web::http::StatusCode;
use serde_json::json;
use simulator_kit::Answer;

/// An error as graph.instagram.com tells it (spec `instagram-api.md` §6).
#[derive(Clone, Debug)]
pub(crate) struct GraphError {
    pub(crate) status: StatusCode,
    pub(crate) code: i64,
    pub(crate) subcode: Option<i64>,
    pub(crate) error_type: String,
    pub(crate) message: String,
    pub(crate) is_transient: bool,
}

impl GraphError {
    /// An error of type `OAuthException`, with the status that usually goes with its code.
    pub(crate) fn new(code: i64, subcode: Option<i64>, message: impl Into<String>) -> Self {
        let status = match code {
            1 | 2 => StatusCode::INTERNAL_SERVER_ERROR,
            10 | 200..=299 => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let error_type = "OAuthException".to_owned();
        Self { status, code, subcode, error_type, message: message.into(), is_transient: false }
    }

    /// A caller's error: code 100, type `IGApiException`.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { error_type: "IGApiException".to_owned(), ..Self::new(100, None, message) }
    }

    /// Returns Graph's error where the app may not act for the account.
    pub(crate) fn app_access() -> Self {
        Self::bad_request("Unsupported request - method type: get")
    }

    /// The application's request limit is reached.
    pub(crate) fn rate_limited(status: StatusCode) -> Self {
        Self { status, ..Self::new(4, None, "Application request limit reached") }
    }
}

impl From<GraphError> for Answer {
    fn from(error: GraphError) -> Self {
        let mut body = json!({
            "message": error.message,
            "type": error.error_type,
            "code": error.code,
            "fbtrace_id": "ASimulatorTraceId0000000",
        });
        if let Some(subcode) = error.subcode {
            body["error_subcode"] = subcode.into();
        }
        if error.is_transient {
            body["is_transient"] = true.into();
        }
        Self::json(error.status, &json!({ "error": body }))
    }
}
