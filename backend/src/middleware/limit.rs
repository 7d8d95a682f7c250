//! Counts requests, each for its caller or its address, and refuses those that are too many.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use crate::caller::{Caller, Identified, state_of};
use crate::error::ApiError;
use crate::limits::Quota;
use crate::request_body;

/// The middleware. Who asks is found out here already, so that a key that is none counts for its address.
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
            request_body::drain(&mut request.take_payload()).await;
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

/// Whoever has proved nothing is counted by address. Where nothing was shown, that takes no look at the database.
async fn count(request: &ServiceRequest) -> Result<Option<Quota>, ApiError> {
    let request = request.request();
    let limits = &state_of(request)?.limits;
    let found = Caller::find(request).await;
    let counted = match &found {
        Ok(caller) => limits.count_caller(&caller.subject(), request),
        Err(_) => limits.count_address(request),
    };
    request.extensions_mut().insert(Identified(found));
    counted
}
