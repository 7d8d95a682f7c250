//! Requests that Meta sends to an app's own addresses (spec `instagram-api.md` §9).

use std::time::Duration;

use actix_web::rt;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::timeout;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use url::{Position, Url, form_urlencoded};

use crate::options::{UserIdForm, UserIdKind};
use crate::world::World;

/// Time that the app's service may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Names the secret that signs a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// The secret of the Instagram app that the simulator knows.
    AppSecret,
    /// Another one: that of the Meta app around it, or a wrong one.
    Secret(String),
}

impl World {
    /// `<signature>.<payload>`, both in base64url. The signature is over the encoded payload.
    pub(crate) fn signed_request(
        &self,
        account: usize,
        signed_by: SignedBy,
        kind: UserIdKind,
        issued_at: Timestamp,
    ) -> String {
        let id = self.base.accounts[account].id(kind);
        let user_id = match self.base.options.signed_request_user_id {
            UserIdForm::Number => Value::from(id),
            UserIdForm::Text => id.to_string().into(),
        };
        let payload =
            json!({ "algorithm": "HMAC-SHA256", "issued_at": issued_at.as_second(), "user_id": user_id });
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        let secret = match signed_by {
            SignedBy::AppSecret => self.config.app_secret.clone(),
            SignedBy::Secret(secret) => secret,
        };
        let mut hmac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
        hmac.update(payload.as_bytes());
        format!("{}.{payload}", URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
    }
}

/// Answer of the app's service.
pub(crate) struct ServiceAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Posts a signed request to the app's service, as Meta does: a form with one field.
///
/// # Errors
/// Why there is no answer. Only `http` URLs can be called.
pub(crate) async fn post(url: &Url, signed_request: &str) -> Result<ServiceAnswer, String> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("signed_request", signed_request)
        .finish();
    timeout(ANSWER_TIME, post_form(url, form))
        .await
        .map_err(|_| "the service did not answer in time".to_owned())?
        .map_err(|error| error.to_string())
}

async fn post_form(
    url: &Url,
    form: String,
) -> Result<ServiceAnswer, Box<dyn std::error::Error + Send + Sync>> {
    let (Some(host), Some(port), "http") = (url.host_str(), url.port_or_known_default(), url.scheme()) else {
        return Err("url is not an absolute http URL".into());
    };
    // An IPv6 address stands in brackets in a URL, and without them in an address.
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Failures of the connection show in the answer.
    rt::spawn(connection);
    let request = Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await?.to_bytes();
    Ok(ServiceAnswer { status, body: String::from_utf8_lossy(&body).into_owned() })
}
