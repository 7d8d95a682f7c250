//! Answers as bytes: the right ones, and those that faults ask for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::sleep;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::answer::Answer;
use crate::faults::{Fault, Mishap};
use crate::world::{SharedWorld, World};

/// Answers one request to a counted endpoint: counts it, meets the fault that waits for it, or does what was
/// asked.
pub async fn respond<W: World>(
    world: &SharedWorld<W>,
    endpoint: W::Endpoint,
    request: &HttpRequest,
    act: impl FnOnce(&mut W) -> Answer,
) -> HttpResponse {
    respond_with(world, endpoint, request, |world, _| act(world), |_, _| {}).await
}

/// Answers as [`respond`] does. `act` is told of the fault that then happens to its answer, and `prevented`
/// of the fault that answers in its place.
pub async fn respond_with<W: World>(
    world: &SharedWorld<W>,
    endpoint: W::Endpoint,
    request: &HttpRequest,
    act: impl FnOnce(&mut W, Option<&W::Fault>) -> Answer,
    prevented: impl FnOnce(&mut W, &W::Fault),
) -> HttpResponse {
    let (answer, mishap) = {
        let mut world = world.lock();
        match world.base_mut().arrive(endpoint) {
            Some(fault) if !fault.does_the_work() => {
                prevented(&mut world, &fault);
                match fault.mishap() {
                    Some(mishap) => (in_place(mishap), Some(mishap)),
                    None => (world.instead(&fault), None),
                }
            }
            fault => (act(&mut world, fault.as_ref()), fault.and_then(|fault| fault.mishap())),
        }
    };
    match mishap {
        Some(Mishap::Truncated) => truncated(answer),
        Some(Mishap::HalfEmoji) => Answer { body: with_half_emojis(&answer.body), ..answer }.into(),
        Some(Mishap::Reset) => reset(request),
        Some(Mishap::Delay { ms }) => {
            sleep(Duration::from_millis(ms)).await;
            answer.into()
        }
        _ => answer.into(),
    }
}

/// Builds the answer that a mishap gives in place of the right one.
fn in_place(mishap: Mishap) -> Answer {
    match mishap {
        Mishap::Html => Answer::html(StatusCode::OK, EDGE_PAGE),
        Mishap::WrongJson => Answer::ok(&json!({ "status": "ok", "result": [] })),
        // A reset sends nothing, and the others have the right answer.
        _ => Answer { body: String::new(), ..Answer::ok(&json!(null)) },
    }
}

const EDGE_PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><head><title>Error</title></head>\
    <body><h1>Sorry, something went wrong.</h1><p>We're working on getting this fixed as soon as we can.</p>\
    </body></html>";

/// Writes JSON with the first half alone of every surrogate pair.
fn with_half_emojis(whole: &str) -> String {
    whole.chars().fold(String::with_capacity(whole.len()), |mut cut, character| {
        match character.encode_utf16(&mut [0; 2]) {
            [high, _] => cut.push_str(&format!("\\u{high:04x}")),
            _ => cut.push(character),
        }
        cut
    })
}

/// Sends the first half of an answer, under a `Content-Length` for all of it.
fn truncated(answer: Answer) -> HttpResponse {
    let half = Bytes::copy_from_slice(&answer.body.as_bytes()[..answer.body.len() / 2]);
    let body = CutBody { promised: answer.body.len() as u64, next: Step::Send(half) };
    HttpResponse::from(answer).map_body(|_, _| body).map_into_boxed_body()
}

/// Sends no answer: the connection is closed with a TCP reset.
fn reset(request: &HttpRequest) -> HttpResponse {
    if let Some(connection) = request.conn_data::<Connection>() {
        connection.reset_on_close();
    }
    // A body that fails at once makes actix-web drop the connection before it has written the head.
    HttpResponse::Ok().body(CutBody { promised: 1, next: Step::Cut })
}

/// A second handle on a connection's socket, through which a fault reaches the socket that actix-web owns.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<socket2::Socket>);

impl Connection {
    /// Takes a second handle. `None` where the system has no file descriptor left for the second handle.
    pub(crate) fn of(stream: &TcpStream) -> Option<Self> {
        socket2::SockRef::from(stream).try_clone().ok().map(|socket| Self(Arc::new(socket)))
    }

    /// Makes closing the socket send RST, not FIN, by a linger time of zero.
    fn reset_on_close(&self) {
        // If the system refuses, the client still sees its connection closed without an answer.
        let _ = self.0.set_linger(Some(Duration::ZERO));
    }
}

/// A body that breaks off, and takes the connection with it.
struct CutBody {
    promised: u64,
    next: Step,
}

enum Step {
    Send(Bytes),
    /// Lets the dispatcher write what it has: it drops unwritten bytes when a body fails.
    Flush,
    Cut,
}

impl MessageBody for CutBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.promised)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        match std::mem::replace(&mut self.next, Step::Cut) {
            Step::Send(bytes) => {
                self.next = Step::Flush;
                Poll::Ready(Some(Ok(bytes)))
            }
            Step::Flush => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Cut => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }
}
