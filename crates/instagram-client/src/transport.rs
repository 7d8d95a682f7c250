//! One way for every request to go out and every answer to come in.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Request, Response, StatusCode, redirect};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::config::{Config, ConfigError};
use crate::error::InstagramError;
use crate::failure;
use crate::graph::MAX_GRAPH_ANSWER;
use crate::observer::{Call, CallObserver};
use crate::redact::sanitise;
use crate::tls;

/// Largest body that is read of an answer whose size is known to be a few kilobytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Time that a connection may take to come about; a whole call may take `Config::timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Names the endpoint of a call in traces, in place of the URL, which can hold a token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Code,
    LongLived,
    Refresh,
    Profile,
    Graph,
}

impl Endpoint {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "code_exchange",
            Self::LongLived => "long_lived_exchange",
            Self::Refresh => "refresh",
            Self::Profile => "profile",
            Self::Graph => "graph",
        }
    }

    /// The largest body that is read.
    fn max_body(self) -> usize {
        match self {
            Self::Graph => MAX_GRAPH_ANSWER,
            Self::Code | Self::LongLived | Self::Refresh | Self::Profile => MAX_BODY_BYTES,
        }
    }
}

/// A pool of connections, with a timeout on every call.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    observer: Option<Arc<dyn CallObserver>>,
    /// The runtime in which requests are sent. A connection lives no longer than the runtime that opened it,
    /// and other calls wait on it: were it opened wherever a call comes from, the end of one thread would
    /// break the calls of others.
    runtime: Option<Handle>,
}

impl Transport {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let timeout = config.timeout;
        let tls = tls::client_config(config.uses_https()).map_err(ConfigError::Tls)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .build()
            .map_err(|error| ConfigError::HttpClient(error.without_url()))?;
        Ok(Self { http, observer: config.observer.clone(), runtime: Handle::try_current().ok() })
    }

    /// Sees one call through, from sending to reading what came, and tells the observer of it.
    pub(crate) async fn observed<T>(
        &self,
        endpoint: Endpoint,
        call: impl Future<Output = Result<T, InstagramError>>,
    ) -> Result<T, InstagramError> {
        let started = Instant::now();
        let outcome = call.await;
        if let Some(observer) = &self.observer {
            observer.called(&Call {
                endpoint: endpoint.name(),
                outcome: outcome.as_ref().err().map_or("ok", InstagramError::kind),
                elapsed: started.elapsed(),
            });
        }
        outcome
    }

    /// Sends a request and gives a successful answer's body, or the error that the answer or its absence means.
    pub(crate) async fn call(&self, endpoint: Endpoint, request: Request) -> Result<Vec<u8>, InstagramError> {
        let started = Instant::now();
        let (status, outcome) = self.exchange(request, endpoint.max_body()).await;
        tracing::debug!(
            endpoint = endpoint.name(),
            status = status.map(|status| status.as_u16()),
            elapsed_ms = started.elapsed().as_millis(),
            error = outcome.as_ref().err().map(tracing::field::display),
            "called Instagram"
        );
        outcome
    }

    async fn exchange(
        &self,
        request: Request,
        max_body: usize,
    ) -> (Option<StatusCode>, Result<Vec<u8>, InstagramError>) {
        match self.send(request).await {
            Ok(mut response) => {
                let status = response.status();
                let body = read_body(&mut response, max_body).await;
                (Some(status), body.and_then(|body| failure::judge(status, response.headers(), body)))
            }
            Err(error) => (None, Err(error)),
        }
    }

    /// Sends a request; it is given up when this is.
    async fn send(&self, request: Request) -> Result<Response, InstagramError> {
        let Some(runtime) = &self.runtime else {
            return self.http.execute(request).await.map_err(not_answered);
        };
        let http = self.http.clone();
        let mut sending = JoinSet::new();
        sending.spawn_on(async move { http.execute(request).await }, runtime);
        match sending.join_next().await {
            Some(Ok(answered)) => answered.map_err(not_answered),
            _ => Err(InstagramError::failed("the program stops")),
        }
    }
}

async fn read_body(response: &mut Response, max: usize) -> Result<Vec<u8>, InstagramError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(not_answered)? {
        if body.len() + chunk.len() > max {
            let mebibytes = max / (1024 * 1024);
            return Err(InstagramError::unintelligible(format!("a body above {mebibytes} MiB")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error for an answer that did not come, or not whole: refused, reset, cut, too slow.
fn not_answered(error: reqwest::Error) -> InstagramError {
    if error.is_timeout() {
        return InstagramError::Timeout;
    }
    // The last cause is the telling one ("Connection refused"); reqwest's own text would name the URL.
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let reason = sanitise(&cause.to_string());
    if error.is_connect() { InstagramError::not_sent(reason) } else { InstagramError::failed(reason) }
}
