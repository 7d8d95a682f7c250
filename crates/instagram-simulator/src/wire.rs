//! Answers as bytes: the right ones, and those that faults ask for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::sleep;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::accounts;
use crate::answer::{Answer, GraphError};
use crate::faults::{Endpoint, Fault};
use crate::world::{SharedWorld, World};

/// Answers one request to a counted endpoint: counts it, meets the fault that waits for it, or does what was asked.
pub(crate) async fn respond(
    world: &SharedWorld,
    endpoint: Endpoint,
    request: &HttpRequest,
    act: impl FnOnce(&mut World) -> Answer,
) -> HttpResponse {
    let reply = {
        let mut world = world.lock();
        match world.arrive(endpoint) {
            Some(fault) if !fault.does_the_work() => Reply::instead(fault, &world),
            fault => Reply::Done(act(&mut world), fault),
        }
    };
    reply.send(request).await
}

/// Result of a request.
pub(crate) enum Reply {
    /// The work is done and this is its answer, with what happens to it on its way.
    Done(Answer, Option<Fault>),
    /// A fault answers in its place, a rate limit with the minutes until the next call.
    Instead(Fault, u64),
}

impl Reply {
    pub(crate) fn instead(fault: Fault, world: &World) -> Self {
        Self::Instead(fault, world.options.regain_access_minutes)
    }

    pub(crate) async fn send(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Done(answer, Some(Fault::Truncated)) => truncated(&answer),
            Self::Done(answer, Some(Fault::HalfEmoji)) => with_half_emojis(&answer),
            Self::Done(answer, fault) => {
                if let Some(Fault::Delay { ms }) = fault {
                    sleep(Duration::from_millis(ms)).await;
                }
                json_response(&answer)
            }
            Self::Instead(fault, regain_minutes) => answer_of(fault, regain_minutes, request),
        }
    }
}

/// Builds the answer that a fault gives in place of the right one.
fn answer_of(fault: Fault, regain_minutes: u64, request: &HttpRequest) -> HttpResponse {
    match fault {
        Fault::RateLimited => rate_limited(StatusCode::TOO_MANY_REQUESTS, regain_minutes),
        Fault::RateLimited400 => rate_limited(StatusCode::BAD_REQUEST, regain_minutes),
        Fault::ServerError { status } => server_error(status),
        Fault::Html => HttpResponse::Ok().content_type(ContentType::html()).body(EDGE_PAGE),
        Fault::Empty => HttpResponse::Ok().content_type(ContentType::json()).finish(),
        // The faults that do the work have the right answer, and never come here.
        Fault::Reset | Fault::Delay { .. } | Fault::Truncated | Fault::HalfEmoji => reset(request),
        Fault::WrongJson => HttpResponse::Ok().json(json!({ "status": "ok", "result": [] })),
        Fault::GraphError { code, subcode, error_type, message, is_transient } => {
            let error = GraphError::new(code, subcode, message);
            json_response(&GraphError { error_type, is_transient, ..error }.into())
        }
    }
}

const EDGE_PAGE: &str = "<!DOCTYPE html><html lang=\"en\"><head><title>Error</title></head>\
    <body><h1>Sorry, something went wrong.</h1><p>We're working on getting this fixed as soon as we can.</p>\
    </body></html>";

fn json_response(answer: &Answer) -> HttpResponse {
    HttpResponse::build(answer.status).json(&answer.body)
}

fn rate_limited(status: StatusCode, regain_minutes: u64) -> HttpResponse {
    let answer = Answer::from(GraphError::rate_limited(status));
    let app = json!({ "call_count": 100, "total_time": 25, "total_cputime": 25 });
    let business = json!({ accounts::RECORD_SHOP_ID.to_string(): [{
        "type": "instagram", "call_count": 100, "total_time": 25, "total_cputime": 25,
        "estimated_time_to_regain_access": regain_minutes,
    }]});
    HttpResponse::build(status)
        .insert_header(("X-App-Usage", app.to_string()))
        .insert_header(("X-Business-Use-Case-Usage", business.to_string()))
        .json(answer.body)
}

fn server_error(status: u16) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error =
        GraphError::new(2, None, "An unexpected error has occurred. Please retry your request later.");
    json_response(&GraphError { status, is_transient: true, ..error }.into())
}

/// Writes an answer with the first half alone of every surrogate pair.
fn with_half_emojis(answer: &Answer) -> HttpResponse {
    let whole = answer.body.to_string();
    let cut = whole.chars().fold(String::with_capacity(whole.len()), |mut cut, character| {
        match character.encode_utf16(&mut [0; 2]) {
            [high, _] => cut.push_str(&format!("\\u{high:04x}")),
            _ => cut.push(character),
        }
        cut
    });
    HttpResponse::build(answer.status).content_type(ContentType::json()).body(cut)
}

/// The first half of an answer, under a `Content-Length` for all of it.
fn truncated(answer: &Answer) -> HttpResponse {
    let whole = answer.body.to_string();
    let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let body = CutBody { promised: whole.len() as u64, next: Step::Send(half) };
    HttpResponse::build(answer.status).content_type(ContentType::json()).body(body)
}

/// No answer: the connection is closed with a TCP reset.
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
    /// `None` where the system has no file descriptor left for the second handle.
    pub(crate) fn of(stream: &TcpStream) -> Option<Self> {
        socket2::SockRef::from(stream).try_clone().ok().map(|socket| Self(Arc::new(socket)))
    }

    /// With a linger time of zero, closing the socket sends RST, not FIN.
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
