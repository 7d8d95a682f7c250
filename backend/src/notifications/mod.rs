//! Outbound webhooks: telling the host application what happens to connections.

mod addresses;
mod message;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use connection_store::Delivery;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use url::Url;

use self::addresses::PublicAddresses;

pub(crate) use addresses::is_public;

/// Time that a receiver may take for one message.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Characters of a receiver's name: enough that no two URLs share one.
const NAME_LENGTH: usize = 32;

/// Sends messages to the receivers of the configuration.
pub(crate) struct Notifications {
    receivers: Vec<Receiver>,
    signer: Webhook,
    client: Client,
}

struct Receiver {
    /// Name of the receiver in deliveries: nothing of the URL is in the database, since a URL can be a
    /// secret.
    name: String,
    url: Url,
}

/// Outcome of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The receiver has it.
    Accepted,
    /// The receiver wants no more of them (410).
    Gone,
    /// It has not arrived, as far as one can know.
    Failed {
        /// Describes the failure, for the log. Holds neither the URL nor anything of the answer's body.
        reason: String,
        /// For how long the receiver wants no other try.
        retry_after: Option<Duration>,
    },
    /// There is no receiver of this name any more.
    NoReceiver,
}

impl Sent {
    /// The receiver has not answered in time.
    pub(crate) fn silence() -> Self {
        Self::Failed { reason: "it did not answer in time".to_owned(), retry_after: None }
    }
}

impl Notifications {
    /// For these receivers, of which those that are not on the public internet are for `allow_private`. Without receivers there
    /// need be no secret. Sends nothing.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(
        urls: &[Url],
        secret: Option<&SecretSlice<u8>>,
        allow_private: bool,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let receivers = urls.iter().map(|url| Receiver { name: name(url), url: url.clone() });
        let uses_https = urls.iter().any(|url| url.scheme() == "https");
        let key = secret.map_or_else(Vec::new, |key| key.expose_secret().to_vec());
        Ok(Self {
            receivers: receivers.collect(),
            signer: Webhook::from_bytes(key)?,
            client: client(uses_https, allow_private)?,
        })
    }

    /// Writes to the log who is told, and under which names.
    pub(crate) fn announce(&self) {
        for Receiver { name, url } in &self.receivers {
            // A path can be a secret, too.
            let origin = url.origin().ascii_serialization();
            tracing::info!(receiver = name, origin, "webhooks are sent");
        }
    }

    /// Tells whether there are any receivers.
    pub(crate) fn has_receivers(&self) -> bool {
        !self.receivers.is_empty()
    }

    /// The names of the receivers, for the deliveries that an event makes.
    pub(crate) fn receivers(&self) -> Vec<String> {
        self.receivers.iter().map(|receiver| receiver.name.clone()).collect()
    }

    /// Tries to hand a message over.
    pub(crate) async fn send(&self, delivery: &Delivery, now: Timestamp) -> Sent {
        let Some(receiver) = self.receivers.iter().find(|receiver| receiver.name == delivery.receiver) else {
            return Sent::NoReceiver;
        };
        let failed = |reason| Sent::Failed { reason, retry_after: None };
        let body = match message::body(delivery) {
            Ok(body) => body,
            Err(error) => return failed(error.to_string()),
        };
        // The time of this try, not of the event: receivers refuse what was signed long ago.
        let timestamp = now.as_second();
        let signature = match self.signer.sign(&delivery.event_id, timestamp, &body) {
            Ok(signature) => signature,
            Err(error) => return failed(error.to_string()),
        };
        let request = self
            .client
            .post(receiver.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &delivery.event_id)
            .header(HEADER_WEBHOOK_TIMESTAMP, timestamp)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        match request.send().await {
            // The status says it all: the answer's body is never read.
            Ok(response) => judge(response.status(), response.headers(), now),
            Err(error) if error.is_timeout() => Sent::silence(),
            Err(error) => failed(reason(error)),
        }
    }
}

/// The receiver's name: the beginning of the SHA-256 of its URL, in hexadecimal digits.
fn name(url: &Url) -> String {
    let hash = Sha256::digest(url.as_str());
    hash.iter().take(NAME_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// A client that goes straight to the URL and nowhere else: no proxy of the environment, no redirect, and only to public
/// addresses unless others are allowed.
fn client(uses_https: bool, allow_private: bool) -> Result<Client, Box<dyn Error + Send + Sync>> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls(uses_https)?)
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("instagram-connect/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT);
    let builder = if allow_private { builder } else { builder.dns_resolver(PublicAddresses) };
    Ok(builder.build().map_err(reqwest::Error::without_url)?)
}

/// TLS that trusts what the operating system trusts; nobody where no URL is https, so that no certificates are needed then.
fn tls(uses_https: bool) -> Result<ClientConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = ring::default_provider().into();
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = if uses_https {
        builder.with_platform_verifier()?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn judge(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Sent {
    match status {
        status if status.is_success() => Sent::Accepted,
        StatusCode::GONE => Sent::Gone,
        status => Sent::Failed {
            reason: format!("it answered {}", status.as_u16()),
            retry_after: headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now)),
        },
    }
}

/// `Retry-After`: seconds or a date (RFC 9110 §10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::from(now)).ok()
}

/// Why nothing came back. The last cause is the telling one ("Connection refused"); reqwest's own text would name the URL.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::config::{Variables, WebhooksConfig};

    #[test]
    fn receivers_have_names_that_tell_nothing() {
        let url = |text: &str| Url::parse(text).unwrap();
        let first = name(&url("https://hooks.example.com/a"));
        assert_eq!(first.len(), NAME_LENGTH);
        assert_eq!(first, name(&url("https://hooks.example.com/a")));
        assert_ne!(first, name(&url("https://hooks.example.com/b")));
    }

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let variables = Variables::from_iter([("OUTBOUND_WEBHOOK_SECRET", secret)]);
        let config = WebhooksConfig::from_env(&variables).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let notifications = Notifications::new(&[], config.secret.as_ref(), false).unwrap();
        let signed = notifications.signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn answers_are_judged_by_their_status() {
        let now = Timestamp::from_second(1_762_788_600).unwrap();
        let judged = |status: u16, after: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(after.map(|after| (RETRY_AFTER, after.parse().unwrap())));
            judge(StatusCode::from_u16(status).unwrap(), &headers, now)
        };
        assert_eq!(judged(200, None), Sent::Accepted);
        assert_eq!(judged(204, None), Sent::Accepted);
        assert_eq!(judged(410, None), Sent::Gone);
        let wait = |status, after| match judged(status, Some(after)) {
            Sent::Failed { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(429, "120"), Some(120));
        assert_eq!(wait(503, "Mon, 10 Nov 2025 15:32:00 GMT"), Some(120));
        assert_eq!(wait(503, "Mon, 10 Nov 2025 15:00:00 GMT"), None, "it is over");
        // The older forms, which a recipient has to understand.
        assert_eq!(wait(503, "Monday, 10-Nov-25 15:32:00 GMT"), Some(120));
        assert_eq!(wait(503, "Mon Nov 10 15:32:00 2025"), Some(120));
        assert_eq!(wait(302, "soon"), None);
        assert_eq!(wait(500, "-1"), None);
    }

    #[actix_web::test]
    async fn nothing_goes_to_a_private_address_behind_a_name_unless_allowed() {
        let listener = TcpListener::bind("localhost:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let refused = client(false, false).unwrap().post(&url).send().await.unwrap_err();
        assert!(reason(refused).contains("no public address"));
        assert!(listener.accept().is_err(), "nobody called");
        // The same call does arrive where it may: what kept it away was the address.
        let allowed =
            client(false, true).unwrap().post(&url).timeout(Duration::from_millis(200)).send().await;
        assert!(allowed.unwrap_err().is_timeout());
        assert!(listener.accept().is_ok());
    }
}
