//! Answers of an endpoint, before they become bytes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

/// A status, headers and a body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body's media type.
    pub content_type: &'static str,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Makes an answer in JSON.
    pub fn json(status: StatusCode, body: &Value) -> Self {
        Self { status, content_type: "application/json", headers: Vec::new(), body: body.to_string() }
    }

    /// Makes an answer in JSON with status 200.
    pub fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// Makes an answer in plain text.
    pub fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", headers: Vec::new(), body: body.into() }
    }

    /// Makes an answer of one HTML page.
    pub fn html(status: StatusCode, body: impl Into<String>) -> Self {
        Self { content_type: "text/html; charset=utf-8", ..Self::text(status, body) }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl<E: Into<Self>> From<Result<Self, E>> for Answer {
    fn from(result: Result<Self, E>) -> Self {
        result.unwrap_or_else(Into::into)
    }
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        let mut response = Self::build(answer.status);
        response.content_type(answer.content_type);
        for header in answer.headers {
            response.insert_header(header);
        }
        response.body(answer.body)
    }
}
