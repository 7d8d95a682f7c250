//! One way for every request to go out and every answer to come in.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Request, Response, StatusCode, redirect};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use url::Url;

use crate::config::{ConfigError, check_http};
use crate::error::UpstreamError;
use crate::observer::{Call, CallObserver};
use crate::redact::sanitise;
use crate::tls;

/// Time that one call may take where nothing else is configured.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest body that is read of an answer whose size is known to be a few kilobytes.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Time that a connection may take to come about; a whole call may take the configured timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Decides whether an answer is a success: its body, made readable, or the error that it means.
pub type Judge = fn(StatusCode, &HeaderMap, Vec<u8>) -> Result<Vec<u8>, UpstreamError>;

/// A kind of call that a client makes.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The name in traces and metrics, in place of the URL, which can hold a token.
    pub name: &'static str,
    /// The largest body that is read, in bytes.
    pub max_body: usize,
    /// Decides what an answer means.
    pub judge: Judge,
}

/// Returns an address below another. Each element of `path` is one segment, whatever is in it, so none leaves `base`.
///
/// # Panics
/// Where `base` is not http or https, which [`Transport::new`] refuses.
#[must_use]
pub fn below(base: &Url, path: impl IntoIterator<Item: AsRef<str>>) -> Url {
    let mut url = base.clone();
    url.path_segments_mut().expect("http and https URLs have a path").pop_if_empty().extend(path);
    url
}

/// A pool of connections, with a timeout on every call. Redirects are not followed.
#[derive(Debug)]
pub struct Transport {
    provider: &'static str,
    http: reqwest::Client,
    observer: Option<Arc<dyn CallObserver>>,
    /// The runtime in which requests are sent. A connection lives no longer than the runtime that opened it,
    /// and other calls wait on it: were it opened wherever a call comes from, the end of one thread would
    /// break the calls of others.
    runtime: Option<Handle>,
}

impl Transport {
    /// Makes the way out to a provider. Makes no call. Its connections live as long as the Tokio runtime that it is made in.
    ///
    /// `called` are the addresses that calls go to, each with the name of its setting. Where all of them are http, TLS is not
    /// needed, and no certificates have to be installed.
    ///
    /// # Errors
    /// What can never work: an address that is not http or https, no time, no certificates.
    pub fn new(
        provider: &'static str,
        timeout: Duration,
        observer: Option<Arc<dyn CallObserver>>,
        called: &[(&'static str, &Url)],
    ) -> Result<Self, ConfigError> {
        called.iter().try_for_each(|(field, url)| check_http(field, url))?;
        if timeout.is_zero() {
            return Err(ConfigError::setting("timeout", "is zero"));
        }
        let uses_https = called.iter().any(|(_, url)| url.scheme() == "https");
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(uses_https).map_err(ConfigError::Tls)?)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .build()
            .map_err(|error| ConfigError::HttpClient(error.without_url()))?;
        Ok(Self { provider, http, observer, runtime: Handle::try_current().ok() })
    }

    /// Makes a call and reads its answer, and tells the observer of it.
    ///
    /// # Errors
    /// Those of [`Transport::call`] and of `read`.
    pub async fn read<T>(
        &self,
        endpoint: &Endpoint,
        request: Request,
        read: impl FnOnce(&[u8]) -> Result<T, UpstreamError>,
    ) -> Result<T, UpstreamError> {
        self.observed(endpoint, async { read(&self.call(endpoint, request).await?) }).await
    }

    /// Sees one call through, from sending to reading what came, and tells the observer of it.
    ///
    /// # Errors
    /// Those of `call`.
    pub async fn observed<T>(
        &self,
        endpoint: &Endpoint,
        call: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        let started = Instant::now();
        let outcome = call.await;
        if let Some(observer) = &self.observer {
            observer.called(&Call {
                provider: self.provider,
                endpoint: endpoint.name,
                outcome: outcome.as_ref().err().map_or("ok", UpstreamError::kind),
                elapsed: started.elapsed(),
            });
        }
        outcome
    }

    /// Sends a request and gives a successful answer's body.
    ///
    /// # Errors
    /// The error that the answer or its absence means.
    pub async fn call(&self, endpoint: &Endpoint, request: Request) -> Result<Vec<u8>, UpstreamError> {
        let started = Instant::now();
        let (status, outcome) = self.exchange(endpoint, request).await;
        tracing::debug!(
            provider = self.provider,
            endpoint = endpoint.name,
            status = status.map(|status| status.as_u16()),
            elapsed_ms = started.elapsed().as_millis(),
            error = outcome.as_ref().err().map(tracing::field::display),
            "called the provider"
        );
        outcome
    }

    async fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Request,
    ) -> (Option<StatusCode>, Result<Vec<u8>, UpstreamError>) {
        match self.send(request).await {
            Ok(mut response) => {
                let status = response.status();
                let body = read_body(&mut response, endpoint.max_body).await;
                (Some(status), body.and_then(|body| (endpoint.judge)(status, response.headers(), body)))
            }
            Err(error) => (None, Err(error)),
        }
    }

    /// Sends a request; it is given up when this is.
    async fn send(&self, request: Request) -> Result<Response, UpstreamError> {
        let Some(runtime) = &self.runtime else {
            return self.http.execute(request).await.map_err(not_answered);
        };
        let http = self.http.clone();
        let mut sending = JoinSet::new();
        sending.spawn_on(async move { http.execute(request).await }, runtime);
        match sending.join_next().await {
            Some(Ok(answered)) => answered.map_err(not_answered),
            _ => Err(UpstreamError::failed("the program stops")),
        }
    }
}

async fn read_body(response: &mut Response, max: usize) -> Result<Vec<u8>, UpstreamError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(not_answered)? {
        if body.len() + chunk.len() > max {
            let mebibytes = max / (1024 * 1024);
            return Err(UpstreamError::unintelligible(format!("a body above {mebibytes} MiB")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error for an answer that did not come, or not whole: refused, reset, cut, too slow.
fn not_answered(error: reqwest::Error) -> UpstreamError {
    if error.is_timeout() {
        return UpstreamError::Timeout;
    }
    // The last cause is the telling one ("Connection refused"); reqwest's own text would name the URL.
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let reason = sanitise(&cause.to_string());
    if error.is_connect() { UpstreamError::not_sent(reason) } else { UpstreamError::failed(reason) }
}
