//! One way for every call to go out and every answer to come in.

use std::time::{Duration, SystemTime};

use backon::Retryable;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::ErrorBody;
use url::Url;
use uuid::Uuid;

use crate::error::{ConfigError, Error};
use crate::retries::{Repeating, Retries};
use crate::tls;

/// Time that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time that a whole call may take: longer than the service waits for a provider.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A pool of connections to one service, with one key.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    pub(crate) retries: Retries,
}

impl Transport {
    /// # Errors
    /// When the address or the key is none, or there is no TLS to be had.
    pub(crate) fn new(base_url: &str, key: &str) -> Result<Self, ConfigError> {
        let base = Url::parse(base_url).ok().filter(is_address).ok_or(ConfigError::Address)?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| ConfigError::Key)?;
        // Keeps it from whatever prints headers.
        bearer.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        let tls = tls::client_config(base.scheme() == "https").map_err(ConfigError::Tls)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer), (ACCEPT, json)]))
            // The key is for this service and for nobody that it may point to.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("instagram-connect-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| ConfigError::Http(error.without_url()))?;
        Ok(Self { http, base, retries: Retries::default() })
    }

    /// A call to the path of these segments, each of which may hold any text.
    ///
    /// # Errors
    /// For segments that would lead somewhere else.
    pub(crate) fn call<'a>(
        &self,
        method: Method,
        segments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Call, Error> {
        let mut url = self.base.clone();
        let mut path = url.path_segments_mut().map_err(|()| Error::Unaddressable)?;
        path.pop_if_empty();
        for segment in segments {
            if matches!(segment, "" | "." | "..") {
                return Err(Error::Unaddressable);
            }
            path.push(segment);
        }
        drop(path);
        let is_harmless = method == Method::GET || method == Method::DELETE;
        let repeating = if is_harmless { Repeating::Harmless } else { Repeating::Harmful };
        Ok(Call { request: self.http.request(method, url), repeating, retries: self.retries })
    }
}

fn is_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// A call that is about to be made.
pub(crate) struct Call {
    request: RequestBuilder,
    repeating: Repeating,
    retries: Retries,
}

impl Call {
    /// With a query.
    pub(crate) fn query(mut self, query: &(impl Serialize + ?Sized)) -> Self {
        self.request = self.request.query(query);
        self
    }

    /// With a body that makes something, and with a name: however often it is sent, it is made once.
    pub(crate) fn creating(mut self, body: &impl Serialize) -> Self {
        let name = Uuid::new_v4().simple().to_string();
        self.request = self.request.json(body).header("Idempotency-Key", name);
        self.repeating = Repeating::Harmless;
        self
    }

    /// For what works once only, though it reads.
    pub(crate) fn only_once(mut self) -> Self {
        self.repeating = Repeating::Harmful;
        self
    }

    /// Makes the call, again where that is harmless and promises something.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let Self { request, repeating, retries } = self;
        // No body here is a stream, so each can be sent any number of times.
        let attempt = || {
            let request = request.try_clone();
            async { answer(request.ok_or(Error::Unaddressable)?).await }
        };
        attempt
            .retry(retries.pauses())
            .when(|error| repeating.helps(error))
            .adjust(|error, own| retries.pause_after(error, own))
            .await
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Error> {
    let response = request.send().await.map_err(Error::of_transport)?;
    let is_success = response.status().is_success();
    let unintelligible = unintelligible(&response);
    let body = response.bytes().await.map_err(Error::of_transport)?;
    if is_success {
        return serde_json::from_slice(&body).map_err(|_| unintelligible);
    }
    let refusal: ErrorBody = serde_json::from_slice(&body).map_err(|_| unintelligible)?;
    Err(Error::Refused(Box::new(refusal)))
}

/// Returns the error for an answer whose body turns out to be none of this API.
fn unintelligible(response: &Response) -> Error {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    Error::Unintelligible {
        status: response.status().as_u16(),
        request_id: header("x-request-id").map(str::to_owned),
        retry_after: header(RETRY_AFTER.as_str()).and_then(retry_after),
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3): the service gives seconds, and a proxy before it may give either.
fn retry_after(text: &str) -> Option<Duration> {
    let from_date = || httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok();
    text.parse().ok().map(Duration::from_secs).or_else(from_date)
}
