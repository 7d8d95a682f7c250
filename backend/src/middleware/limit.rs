//! Counts requests, each for its caller or its address, and refuses those that are too many.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use shared::ErrorCode;

use crate::api_error::ApiError;
use crate::api_error::Quota;
use crate::caller::Identified;
use crate::request::body;
use crate::state::state_of;

/// The middleware. Finds out here already who asks, so that a key that is none counts for its address.
pub(crate) async fn limit(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !is_limited(&request) || !state_of(request.request())?.limits.is_on() {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    match count(&request).await {
        Ok(quota) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            // An answer that tells of another limit has met that one.
            if let Some(quota) = quota.filter(|_| !Quota::is_told(response.headers())) {
                quota.write(response.headers_mut());
            }
            Ok(response)
        }
        Err(refused) => {
            body::drain(&mut request.take_payload()).await;
            Ok(request.error_response(refused))
        }
    }
}

/// The API, however its address is written: `match_info` has what routes are found by. Neither the web app's files, which cost
/// nothing, nor what tells an orchestrator that the process lives.
fn is_limited(request: &ServiceRequest) -> bool {
    let path = request.match_info().unprocessed();
    !request.method().is_safe() || ["/api/", "/auth/"].iter().any(|family| path.starts_with(family))
}

/// Counts before it looks anything up: a request that is refused costs no look at the database. Only for a key or session that
/// was not good lately, the look decides for whom to count; how often an address gets one has a limit of its own.
async fn count(request: &ServiceRequest) -> Result<Option<Quota>, ApiError> {
    let request = request.request();
    let state = state_of(request)?;
    let Some(shown) = state.callers.shown(request.headers()) else {
        return state.limits.count_address(request);
    };
    let counted = state.limits.count_shown(&shown, request)?;
    let found = state.callers.find(request).await;
    let quota = match &found {
        Ok(_) => state.limits.proved(shown, counted, request)?,
        Err(error) if error.code() == ErrorCode::Unauthenticated => {
            state.limits.disproved(&shown, request)?
        }
        // Nothing was found out.
        Err(_) => None,
    };
    request.extensions_mut().insert(Identified(found));
    Ok(quota)
}
