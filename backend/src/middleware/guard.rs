//! Refuses, before any route sees it, what no route may serve: too large a body, another site's request.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use url::Url;

use crate::api_error::ApiError;
use crate::caller::has_bearer_key;
use crate::request::body;
use crate::state::state_of;

/// Bytes of the longest origin that is shown: a scheme, a name of 253 and a port.
const LONGEST_ORIGIN: usize = 270;

/// The middleware.
pub(crate) async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match check(&request) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Err(refused) => {
            body::drain(&mut request.take_payload()).await;
            Ok(request.error_response(refused))
        }
    }
}

fn check(request: &ServiceRequest) -> Result<(), ApiError> {
    let headers = request.headers();
    if declared_length(headers).is_some_and(|length| length > body::LIMIT) {
        return Err(ApiError::payload_too_large());
    }
    // A bearer key is not sent by a browser on its own, so no other site can ride on it.
    if request.method().is_safe() || has_bearer_key(headers) {
        return Ok(());
    }
    let state = state_of(request.request())?;
    if is_own_site(headers, &state.origins) {
        return Ok(());
    }
    let sender = sender(headers);
    if state.cross_site_lines.check().is_ok() {
        let came_from = sender.as_deref().unwrap_or("a page without an address");
        tracing::warn!(
            came_from,
            public_url = state.origins[0],
            frontend_url = state.origins[1],
            "refused a request of another site; if that is this service's own address, set PUBLIC_URL and FRONTEND_URL"
        );
    }
    Err(ApiError::cross_site(sender.as_deref(), &state.origins))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Tells whether a state-changing request comes from one of our own origins, or from no browser at all.
///
/// `Origin` names the sender exactly, and browsers put it on every such request. `Sec-Fetch-Site` decides where it is
/// absent: `same-site` is not enough then, since a neighbouring subdomain is not ours.
fn is_own_site(headers: &HeaderMap, origins: &[String]) -> bool {
    if let Some(origin) = headers.get(header::ORIGIN) {
        return origins.iter().any(|own| own.as_bytes() == origin.as_bytes());
    }
    headers.get("sec-fetch-site").is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"))
}

/// Returns the origin that a refused request names, to be shown to people: written anew from its parts, and
/// only where it is short and consists of nothing but what names of hosts do.
fn sender(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::ORIGIN)?.to_str().ok().filter(|text| text.len() <= LONGEST_ORIGIN)?;
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte);
    Some(origin).filter(|origin| origin.len() <= LONGEST_ORIGIN && origin.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn allows(pairs: &[(&'static str, &'static str)]) -> bool {
        let origins = ["http://localhost:4002".to_owned(), "http://localhost:5176".to_owned()];
        is_own_site(&headers(pairs), &origins)
    }

    #[test]
    fn an_origin_is_shown_as_its_parts_or_not_at_all() {
        let shown = |origin: &[u8]| {
            let value = HeaderValue::from_bytes(origin).unwrap();
            sender(&HeaderMap::from_iter([(header::ORIGIN, value)]))
        };
        for (origin, expected) in [
            ("http://192.168.1.20:4002", "http://192.168.1.20:4002"),
            ("http://[fd00::1]:4002", "http://[fd00::1]:4002"),
            ("HTTPS://Connect.Example:443", "https://connect.example"),
            // Neither a password nor a path goes on.
            ("https://ann:hunter2@evil.example/hunter2?hunter2#hunter2", "https://evil.example"),
            ("http://xn--bcher-kva.example", "http://xn--bcher-kva.example"),
        ] {
            assert_eq!(shown(origin.as_bytes()).as_deref(), Some(expected), "{origin}");
        }
        let long = format!("https://{}.example", "a".repeat(300));
        for origin in [
            "null",
            "",
            "nonsense",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "chrome-extension://abcdef",
            "https://evil.example;x=\"y\"",
            "https://'evil'.example",
            "https://{evil}.example",
            "https://evil`id`.example",
            "http://b\u{fc}cher.example",
            long.as_str(),
        ] {
            assert_eq!(shown(origin.as_bytes()), None, "{origin}");
        }
        assert_eq!(shown(b"https://evil\xff.example"), None);
        assert_eq!(sender(&headers(&[("sec-fetch-site", "cross-site")])), None);
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
