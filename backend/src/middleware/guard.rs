//! Refuses, before any route sees it, what no route may serve: too large a body, another site's request, more than can be
//! answered in time.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use crate::caller::{has_bearer_key, state_of};
use crate::error::ApiError;
use crate::middleware::overload;
use crate::request_body;

/// The middleware.
pub(crate) async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match check(&request) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Err(refused) => {
            request_body::drain(&mut request.take_payload()).await;
            Ok(request.error_response(refused))
        }
    }
}

fn check(request: &ServiceRequest) -> Result<(), ApiError> {
    if overload::has_refused(request.request()) {
        return Err(ApiError::overloaded());
    }
    let headers = request.headers();
    if declared_length(headers).is_some_and(|length| length > request_body::LIMIT) {
        return Err(ApiError::payload_too_large());
    }
    // A bearer key is not sent by a browser on its own, so no other site can ride on it.
    if request.method().is_safe() || has_bearer_key(headers) {
        return Ok(());
    }
    let state = state_of(request.request())?;
    if is_own_site(headers, &state.origins) { Ok(()) } else { Err(ApiError::cross_site()) }
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether a state-changing request comes from one of our own origins, or from no browser at all.
///
/// `Origin` names the sender exactly, and browsers put it on every such request. `Sec-Fetch-Site` decides where it is
/// absent: `same-site` is not enough then, since a neighbouring subdomain is not ours.
fn is_own_site(headers: &HeaderMap, origins: &[String]) -> bool {
    if let Some(origin) = headers.get(header::ORIGIN) {
        return origins.iter().any(|own| own.as_bytes() == origin.as_bytes());
    }
    headers.get("sec-fetch-site").is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn allows(pairs: &[(&'static str, &'static str)]) -> bool {
        let origins = ["http://localhost:4002".to_owned(), "http://localhost:5176".to_owned()];
        let headers = pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect::<HeaderMap>();
        is_own_site(&headers, &origins)
    }

    #[test]
    fn only_our_own_origins_may_change_state() {
        assert!(allows(&[]));
        assert!(allows(&[("origin", "http://localhost:5176"), ("sec-fetch-site", "same-site")]));
        assert!(allows(&[("sec-fetch-site", "same-origin")]));
        for refused in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://localhost:5176.evil.example"),
            ("origin", "https://localhost:5176"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "rubbish"),
        ] {
            assert!(!allows(&[refused]), "{refused:?}");
        }
        assert!(!allows(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]));
    }
}
