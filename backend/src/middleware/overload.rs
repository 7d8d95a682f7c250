//! Lets in as many requests as can be answered soon, and refuses the rest at once.
//!
//! A worker is one thread. Left to the runtime, requests would wait in the kernel's buffers, where nothing counts them, and
//! `/healthz` would wait behind them. So a worker takes in each request as soon as it arrives, before anything is done for it:
//! the request is counted and waits here for its turn, or it is refused. A worker begins a few at a time and looks between two
//! turns at what has arrived.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, rt};
use futures_util::Stream;
use tokio::sync::Semaphore;

use super::finish;
use super::request_id::RequestId;
use crate::app::AppState;
use crate::caller::state_of;
use crate::error::ApiError;
use crate::request_body;

/// Time in the line after which a request is refused: the database is given up after as long.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Requests that a worker begins in one turn.
const BEGUN_IN_A_TURN: usize = 8;

/// Time for what has arrived of a refused request's body to be taken from the connection, which is kept then. Nobody is waited for.
const REFUSED_BODY_TIME: Duration = Duration::from_millis(50);

/// Time from the first refusal to the log line that counts it and those after it. A line for each would be the next overload.
const TELL_AFTER: Duration = Duration::from_secs(5);

/// The requests in flight in this process, over all workers: begun, or waiting for their turn.
pub(crate) struct Load {
    most: usize,
    longest_wait: Duration,
    in_flight: AtomicUsize,
    /// Refusals that the log has not told of.
    refused: AtomicU64,
}

impl Load {
    /// None yet, and so many at most.
    pub(crate) fn new(most: usize) -> Self {
        let (in_flight, refused) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { most, longest_wait: LONGEST_WAIT, in_flight, refused }
    }

    /// Counts a request in, unless there are too many.
    fn admit(self: &Arc<Self>) -> Option<Admitted> {
        let is_counted = Cell::new(self.take_place());
        is_counted.get().then(|| Admitted { load: Arc::clone(self), arrived: Instant::now(), is_counted })
    }

    fn take_place(&self) -> bool {
        let room = |count| (count < self.most).then_some(count + 1);
        self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// Waits until no request is in flight.
    pub(crate) async fn is_idle(&self) {
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        while self.in_flight.load(Ordering::Relaxed) > 0 {
            rt::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Counts a refusal, and has the log tell of it soon.
    fn refuse(self: &Arc<Self>) {
        if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            let load = Arc::clone(self);
            rt::spawn(async move {
                rt::time::sleep(TELL_AFTER).await;
                let refused = load.refused.swap(0, Ordering::Relaxed);
                tracing::warn!(refused, "more is asked than can be answered in time");
            });
        }
    }
}

/// A request that is counted. It travels with the request, so that work which goes on after its client has hung up counts, too.
struct Admitted {
    load: Arc<Load>,
    arrived: Instant,
    /// While it waits for its client it is not.
    is_counted: Cell<bool>,
}

impl Admitted {
    /// Gives its place to others.
    fn leave(&self) {
        if self.is_counted.replace(false) {
            self.load.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Takes a place again. False where there is none.
    fn come_back(&self) -> bool {
        if !self.is_counted.get() {
            self.is_counted.set(self.load.take_place());
        }
        self.is_counted.get()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A worker's turns: a permit for each request that it may begin in one.
#[derive(Clone)]
pub(crate) struct Turns(Rc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Rc::new(Semaphore::new(BEGUN_IN_A_TURN)))
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
    let Some(admitted) = state.load.admit() else {
        return Ok(refuse(request, &state).await.map_into_right_body());
    };
    let Some(Turns(turns)) = request.app_data::<Turns>().cloned() else {
        return Err(ApiError::internal("the worker takes no turns").into());
    };
    let turn = turns.acquire().await.map_err(ApiError::internal)?;
    if admitted.arrived.elapsed() > state.load.longest_wait {
        drop((turn, admitted));
        return Ok(refuse(request, &state).await.map_into_right_body());
    }
    // The runtime looks for what has arrived before it comes back here, and all of that is taken in first.
    tokio::task::yield_now().await;
    count(&mut request, Rc::new(admitted));
    let mut call = pin!(next.call(request));
    // A turn is over when the request waits for something, or has been answered.
    let begun = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
    drop(turn);
    let outcome = match begun {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => call.await,
    };
    outcome.map(ServiceResponse::map_into_left_body)
}

/// Returns when a request arrived: its time in the line is a part of what it took.
pub(super) fn arrival(request: &ServiceRequest) -> Instant {
    request.extensions().get::<Rc<Admitted>>().map_or_else(Instant::now, |admitted| admitted.arrived)
}

/// Answers a request for which nothing has been done. The answer passes no other middleware.
async fn refuse(mut request: ServiceRequest, state: &AppState) -> ServiceResponse<BoxBody> {
    state.load.refuse();
    state.metrics.answered(request.method(), None, 503, Duration::ZERO);
    if !matches!(request.parts().1, Payload::None) {
        // The framework closes the connection where there is more to come.
        request_body::drain_within(&mut request.take_payload(), request_body::LIMIT, REFUSED_BODY_TIME).await;
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
                self.admitted.load.refuse();
                return Poll::Ready(Some(Err(request_body::no_room())));
            }
            Poll::Ready(_) => {}
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::middleware::from_fn;
    use actix_web::web::{self, Data};
    use actix_web::{App, HttpResponse, test};

    use super::*;
    use crate::config::{Config, Variables};
    use domain::clock::SystemClock;

    #[actix_web::test]
    async fn a_request_that_has_waited_too_long_is_refused_at_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let config = Config::from_env(&Variables::from_iter([("DATABASE_URL", url.as_str())])).unwrap();
        let keyring = config.encryption.keyring().unwrap();
        let store = connection_store::connect(&config.database.url).await.unwrap();
        let mut state = AppState::new(&config, keyring, store, Arc::new(SystemClock)).unwrap();
        state.load = Arc::new(Load { longest_wait: Duration::from_millis(500), ..Load::new(2) });
        let state = Data::new(state);
        let turns = Turns(Rc::new(Semaphore::new(0)));
        let app = App::new()
            .app_data(Data::clone(&state))
            .app_data(turns.clone())
            .default_service(web::to(HttpResponse::Ok))
            .wrap(from_fn(admit));
        let service = test::init_service(app).await;
        let ask = || test::call_service(&service, test::TestRequest::get().uri("/").to_request());
        let give_turn_after = async |wait| {
            rt::time::sleep(Duration::from_millis(wait)).await;
            turns.0.add_permits(1);
        };
        let (answer, ()) = futures_util::future::join(ask(), give_turn_after(600)).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().get("retry-after").unwrap(), "1");
        drop(answer);
        assert_eq!(ask().await.status(), StatusCode::OK, "its turn is the next one's");
        assert_eq!(state.load.in_flight.load(Ordering::Relaxed), 0);
    }
}
