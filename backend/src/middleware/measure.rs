//! Measures how long each request takes to its answer.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::request::told;
use crate::state::state_of;

/// The middleware. The time is that to the answer's head; a body of ours is whole by then.
pub(crate) async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let arrived = Instant::now();
    let outcome = next.call(request).await;
    // Without an answer the client has gone, or the connection is beyond repair.
    if let Ok(response) = &outcome {
        let request = response.request();
        let route = request.match_pattern().map(|pattern| told(&pattern));
        let status = response.status().as_u16();
        state_of(request)?.metrics.answered(request.method(), route, status, arrived.elapsed());
    }
    outcome
}
