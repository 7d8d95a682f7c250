//! Answers of the service.

use std::fmt;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::{APP_SECRET, PASSWORD, SPOTIFY_SECRET};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Self { status: status.as_u16(), headers, body, text };
        answer.assert_contract(status);
        answer
    }

    /// Checks the rules that hold for every answer.
    fn assert_contract(&self, status: StatusCode) {
        let id = self.header("x-request-id");
        assert!(!id.is_empty(), "no request id: {self}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{self}");
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(self.body["ok"], false, "{self}");
            assert_eq!(self.body["requestId"], id, "{self}");
            assert!(self.body["error"].as_str().is_some_and(|error| !error.is_empty()), "{self}");
            assert_eq!(self.header("cache-control"), "no-store", "{self}");
            let code = shared::ErrorCode::ALL.iter().find(|code| code.as_str() == self.body["code"]);
            assert_eq!(code.map(|code| code.status()), Some(self.status), "{self}");
        }
        for secret in [APP_SECRET, SPOTIFY_SECRET, PASSWORD, "IGAA"] {
            assert!(!self.text.contains(secret), "a secret in {self}");
        }
    }

    pub(crate) fn header(&self, name: &'static str) -> &str {
        self.headers
            .get(HeaderName::from_static(name))
            .map_or("", |value: &HeaderValue| value.to_str().unwrap_or_default())
    }

    /// The status and code of a failure, such as `400 invalid_state`.
    pub(crate) fn failure(&self) -> String {
        format!("{} {}", self.status, self.body["code"].as_str().unwrap_or("?"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text)
    }
}
