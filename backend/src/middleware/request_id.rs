//! The request's id and the span that its log lines stand in.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use tracing::{Span, field};
use tracing_actix_web::RootSpanBuilder;
use uuid::Uuid;

/// Name of the header that carries the id both ways.
pub(crate) const HEADER: &str = "x-request-id";

/// The id that ties an answer to its log lines.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// The client's own id when it is harmless text, else the fresh one that the logger has made for the request, or one of its
    /// own.
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        let given =
            request.headers().get(HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_valid(id));
        let fresh = || request.extensions().get::<tracing_actix_web::RequestId>().map(ToString::to_string);
        Self(given.map(str::to_owned).or_else(fresh).unwrap_or_else(|| Uuid::new_v4().to_string()))
    }
}

fn is_valid(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Builds the span of a request. Unlike the crate's default it leaves out the query, where codes and states travel, and
/// the headers.
pub(crate) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::of(request);
        let span = tracing::info_span!(
            "request",
            method = %request.method(),
            path = request.path(),
            request_id = id.0,
            status = field::Empty,
        );
        request.extensions_mut().insert(id);
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        let is_plain_read = matches!(outcome, Ok(response) if response.request().method().is_safe());
        if status.is_server_error() {
            tracing::warn!("answered");
        } else if is_plain_read && !status.is_client_error() {
            // Most requests by far, of which none changes anything: written only where one looks for them.
            tracing::debug!("answered");
        } else {
            tracing::info!("answered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn only_harmless_ids_are_kept() {
        assert!(is_valid("a1-B_2.c"));
        for id in ["", "a b", "a\"b", "a\nb", "ä", &"a".repeat(129)] {
            assert!(!is_valid(id), "{id:?}");
        }
    }
}
