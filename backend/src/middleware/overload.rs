//! Lets in as many requests as can be answered soon, and refuses the rest at once, before anything is done for it.
//!
//! Two things are bounded. Requests in flight: what waits for the database or for a provider. And requests that a worker begins
//! in one round: a worker is one thread, which goes round all connections on which something has arrived, and what it answers
//! without waiting is never in flight when it looks at the next. Were there no bound, a round would be as long as all
//! answers together, and `/healthz` would wait for it.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, rt};
use futures_util::Stream;

use super::finish;
use super::request_id::RequestId;
use crate::api_error::ApiError;
use crate::limits::Admitted;
use crate::request::body;
use crate::state::{AppState, state_of};

/// Requests that a worker begins in one round: at 40 microseconds for each, which is usual, 32 milliseconds. 512 clients that ask one
/// after the other are no overload, whatever a round takes.
const BEGUN_IN_A_ROUND: usize = 800;

/// Time for what has arrived of a refused request's body to be taken from the connection, which is kept then. Nobody is waited for.
const REFUSED_BODY_TIME: Duration = Duration::from_millis(50);

/// A worker's round over its connections.
#[derive(Clone, Default)]
pub(crate) struct Round(Rc<Begun>);

#[derive(Default)]
struct Begun {
    count: Cell<usize>,
    /// A task looks for the ends of rounds, for as long as requests come.
    is_watched: Cell<bool>,
}

impl Round {
    /// Counts a request that begins. False where enough have begun in this round.
    fn begin(&self) -> bool {
        let count = self.0.count.get();
        if count >= BEGUN_IN_A_ROUND {
            return false;
        }
        self.0.count.set(count + 1);
        if !self.0.is_watched.replace(true) {
            rt::spawn(Rc::clone(&self.0).watch());
        }
        true
    }
}

impl Begun {
    /// Begins a new count with each round until one had no request.
    async fn watch(self: Rc<Self>) {
        while self.count.replace(0) > 0 {
            // The runtime comes back here when it has been at everything that was ready, and has looked for what has arrived.
            tokio::task::yield_now().await;
        }
        self.is_watched.set(false);
    }
}

/// The middleware.
pub(crate) async fn admit(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // An orchestrator that looks after the process gets its answer at once. It costs no more than a refusal.
    if request.method().is_safe() && matches!(request.path(), "/healthz" | "/readyz") {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let state = state_of(request.request())?.clone();
    let Some(round) = request.app_data::<Round>() else {
        return Err(ApiError::internal("the worker counts no rounds").into());
    };
    let admitted = if round.begin() { state.load.admit() } else { None };
    let Some(admitted) = admitted else {
        return Ok(refuse(request, &state).await.map_into_right_body());
    };
    count(&mut request, Rc::new(admitted));
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// Answers a request for which nothing has been done. The answer passes no other middleware.
async fn refuse(mut request: ServiceRequest, state: &AppState) -> ServiceResponse<BoxBody> {
    state.load.refuse();
    state.metrics.answered(request.method(), None, 503, Duration::ZERO);
    if !matches!(request.parts().1, Payload::None) {
        // The framework closes the connection where there is more to come.
        body::drain_within(&mut request.take_payload(), body::LIMIT, REFUSED_BODY_TIME).await;
    }
    let id = RequestId::of(&request);
    let is_web_app = request
        .headers()
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes() == state.frontend_origin.as_bytes());
    let mut response = finish::contract(request.error_response(ApiError::overloaded()), &id, state.is_https);
    // Without these the web app, where it has an origin of its own, could not read why it was refused.
    if is_web_app && let Ok(origin) = HeaderValue::from_str(&state.frontend_origin) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after, x-request-id"),
        );
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// Has an admitted request counted for as long as anything of it is there.
fn count(request: &mut ServiceRequest, admitted: Rc<Admitted>) {
    let payload = request.take_payload();
    if !matches!(payload, Payload::None) {
        let payload = Box::pin(FromClient { payload, admitted: Rc::clone(&admitted) });
        request.set_payload(Payload::Stream { payload });
    }
    request.extensions_mut().insert(admitted);
}

/// A body that keeps its request from being counted while it waits for more of it: else a few hundred clients that send
/// nothing could keep out everybody. Once it is there, the request needs a place like any other.
struct FromClient {
    payload: Payload,
    admitted: Rc<Admitted>,
}

impl Stream for FromClient {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(context);
        match polled {
            Poll::Pending => self.admitted.leave(),
            Poll::Ready(None) if !self.admitted.come_back() => {
                return Poll::Ready(Some(Err(body::no_room())));
            }
            Poll::Ready(_) => {}
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_worker_begins_so_many_requests_in_a_round_and_as_many_in_the_next() {
        let round = Round::default();
        for _ in 0..3 {
            let begun = (0..BEGUN_IN_A_ROUND * 2).filter(|_| round.begin()).count();
            assert_eq!(begun, BEGUN_IN_A_ROUND);
            // Other tasks that were ready before belong to the same round.
            rt::spawn(async {}).await.unwrap();
            tokio::task::yield_now().await;
        }
        while round.0.is_watched.get() {
            tokio::task::yield_now().await;
        }
        assert!(round.begin(), "a worker that had nothing to do begins a round");
    }
}
