//! The last touch on every answer: the error contract, the request id, security headers, a renewed cookie.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError};

use super::request_id::{self, RequestId};
use crate::api_error::ApiError;
use crate::caller::RenewedSession;
use crate::pages::PageForPeople;
use crate::state::state_of;

/// Content security policy of the API's answers: in a browser that opens one, they may do nothing.
const API_CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The middleware.
pub(crate) async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let known = request.extensions().get::<RequestId>().cloned();
    let id = known.unwrap_or_else(|| RequestId::of(&request));
    let is_https = state_of(request.request()).is_ok_and(|state| state.is_https);
    let mut response = next.call(request).await?.map_into_boxed_body();
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    if is_failure && !response.response().extensions().contains::<PageForPeople>() {
        response = render_error(response, &id);
    }
    let renewed = response.request().extensions_mut().remove::<RenewedSession>();
    if let Some(RenewedSession(cookie)) = renewed
        && response.response().cookies().all(|set| set.name() != cookie.name())
    {
        response.response_mut().add_cookie(&cookie)?;
    }
    add_headers(response.headers_mut(), &id, is_https);
    Ok(response)
}

/// A failure as the contract has it, for one that passes no other middleware.
pub(super) fn contract(
    response: ServiceResponse<BoxBody>,
    id: &RequestId,
    is_https: bool,
) -> ServiceResponse<BoxBody> {
    let mut response = render_error(response, id);
    add_headers(response.headers_mut(), id, is_https);
    response
}

/// Gives every failure, whoever made it, the contract's body.
fn render_error(response: ServiceResponse<BoxBody>, id: &RequestId) -> ServiceResponse<BoxBody> {
    let foreign;
    let ours = response.response().error().and_then(|error| error.as_error::<ApiError>());
    let error = match ours {
        Some(error) => error,
        None => {
            foreign = ApiError::from_status(response.status());
            &foreign
        }
    };
    error.log();
    let status = error.status_code();
    let body = serde_json::to_vec(&error.body(&id.0)).unwrap_or_default();
    let allow = error.allow().and_then(|allow| HeaderValue::from_str(allow).ok());
    let retry_after = error.retry_after().map(HeaderValue::from);
    let quota = error.quota().copied();
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    *response.response_mut().status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for stale in [
        header::CONTENT_DISPOSITION,
        header::CONTENT_ENCODING,
        header::CONTENT_RANGE,
        header::ETAG,
        header::LAST_MODIFIED,
    ] {
        headers.remove(stale);
    }
    for (name, value) in [(header::ALLOW, allow), (header::RETRY_AFTER, retry_after)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    if let Some(quota) = quota {
        quota.write(headers);
    }
    response
}

fn add_headers(headers: &mut HeaderMap, id: &RequestId, is_https: bool) {
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(HeaderName::from_static(request_id::HEADER), id);
    }
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // The callback's address holds a code: it must not travel on as a referrer.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    let unless_set =
        [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, API_CONTENT_SECURITY_POLICY)];
    for (name, value) in unless_set {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
