//! A host application that is told what happens.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Bytes, Data, to};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::Value;
use standardwebhooks::Webhook;

use super::metrics::METRICS;

pub(crate) const SECRET: &str = "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0LTlkMWY=";
pub(crate) const ALLOWED: (&str, &str) = ("OUTBOUND_WEBHOOK_ALLOW_PRIVATE", "true");
pub(crate) const SIGNED: (&str, &str) = ("OUTBOUND_WEBHOOK_SECRET", SECRET);

/// Longer than a service takes to look for messages again, and to send them.
pub(crate) const A_LOOK: Duration = Duration::from_millis(2500);

/// A host application that gets webhooks over real HTTP.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Data<Shared>,
    server: ServerHandle,
}

#[derive(Default)]
struct Shared {
    got: Mutex<Vec<Message>>,
    /// The next answers, as status and a header; 204 after them.
    answers: Mutex<VecDeque<Scripted>>,
}

type Scripted = (u16, Option<(&'static str, String)>);

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let shared = Data::new(Shared::default());
        let state = Data::clone(&shared);
        let bound =
            HttpServer::new(move || App::new().app_data(Data::clone(&state)).default_service(to(receive)))
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
        let url = format!("http://{}/hook?token=canary-webhook-query", bound.addrs()[0]);
        let server = bound.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, shared, server: handle }
    }

    pub(crate) fn answer(&self, status: u16, header: Option<(&'static str, String)>, times: usize) {
        self.shared.answers.lock().unwrap().extend(std::iter::repeat_n((status, header), times));
    }

    pub(crate) fn got(&self) -> Vec<Message> {
        self.shared.got.lock().unwrap().clone()
    }

    /// The messages, once there are as many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Message> {
        for _ in 0..100 {
            let got = self.got();
            if got.len() >= count {
                assert_eq!(got.len(), count, "{got:?}");
                return got;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{count} messages should be here: {:?}", self.got());
    }

    /// The messages' types, when no more are on their way.
    pub(crate) async fn settled(&self) -> Vec<String> {
        tokio::time::sleep(A_LOOK).await;
        self.got().iter().map(|message| message.body["type"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn variables(&self) -> [(&str, &str); 4] {
        [("OUTBOUND_WEBHOOK_URLS", &self.url), SIGNED, ALLOWED, METRICS]
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// Takes a message in as a careful receiver does: nothing without a good signature.
async fn receive(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp").parse().unwrap());
    let signature = Webhook::new(SECRET).unwrap().sign(&id, timestamp, &body).unwrap();
    assert_eq!(header("webhook-signature"), signature);
    assert_eq!((request.method().as_str(), header("content-type").as_str()), ("POST", "application/json"));
    let text = String::from_utf8(body.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap();
    shared.got.lock().unwrap().push(Message { id, timestamp, text, body });
    let (status, header) = shared.answers.lock().unwrap().pop_front().unwrap_or((204, None));
    let mut answer = HttpResponse::build(status.try_into().unwrap());
    if let Some((name, value)) = header {
        answer.insert_header((name, value));
    }
    answer.finish()
}
