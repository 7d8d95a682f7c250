//! Reading a request's body: JSON or a form, at most 64 KiB, and JSON of a caller only after the caller is known.

use std::io::ErrorKind;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use upstream::{ApiBody, replace_lone_surrogates};

use crate::api_error::ApiError;
use crate::caller::Caller;

/// Largest body accepted, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Time that a whole body may take to arrive. A client that sends it drop by drop holds no connection for
/// longer.
const READ_TIME: Duration = Duration::from_secs(10);

/// Bounds the part of a refused body that is read before the answer, in bytes and time. A connection that is
/// closed while the client still writes is reset, and the client never sees why.
const DRAIN_LIMIT: usize = 8 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// A JSON body from anybody.
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A caller and the JSON body they sent. Without a caller the body is not looked at.
pub(crate) struct CallerAndBody<T>(pub(crate) Caller, pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let payload = payload.take();
        Box::pin(async move { read_json(is_json, payload).await.map(Self) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for CallerAndBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let (caller, mut payload) = (Caller::from_request(request, payload), payload.take());
        Box::pin(async move {
            let caller = known(caller, &mut payload).await?;
            Ok(Self(caller, read_json(is_json, payload).await?))
        })
    }
}

/// A caller, and the parameters in the body of a call that they made up: JSON, a form, or nothing. Without a caller the body
/// is not looked at.
pub(crate) struct CallerAndParameters(pub(crate) Caller, pub(crate) Option<ApiBody>);

impl FromRequest for CallerAndParameters {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (is_json, is_form) = (is_json(request), is_form(request));
        let (caller, mut payload) = (Caller::from_request(request, payload), payload.take());
        Box::pin(async move {
            let caller = known(caller, &mut payload).await?;
            let body = read_in_time(&mut payload).await?;
            let body = match (body.is_empty(), is_json, is_form) {
                (true, ..) => None,
                (_, true, _) => Some(ApiBody::Json(Value::Object(parse_json(body)?))),
                (.., true) => Some(ApiBody::Form(url::form_urlencoded::parse(&body).into_owned().collect())),
                _ => return Err(ApiError::unsupported_media_type()),
            };
            Ok(Self(caller, body))
        })
    }
}

/// The fields of a form (`application/x-www-form-urlencoded`) from anybody.
pub(crate) struct FormBody(Vec<(String, String)>);

impl FormBody {
    /// The first field of this name, unless it is empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl FromRequest for FormBody {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = is_form(request);
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_form {
                drain(&mut payload).await;
                return Err(ApiError::not_a_form());
            }
            let body = read_in_time(&mut payload).await?;
            Ok(Self(url::form_urlencoded::parse(&body).into_owned().collect()))
        })
    }
}

/// Waits for the caller. Reads and forgets the body where there is none.
async fn known(
    caller: impl Future<Output = Result<Caller, ApiError>>,
    payload: &mut Payload,
) -> Result<Caller, ApiError> {
    let caller = caller.await;
    if caller.is_err() {
        drain(payload).await;
    }
    caller
}

fn is_json(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case("application/json")
}

fn is_form(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn read_json<T: DeserializeOwned>(is_json: bool, mut payload: Payload) -> Result<T, ApiError> {
    if !is_json {
        drain(&mut payload).await;
        return Err(ApiError::unsupported_media_type());
    }
    parse_json(read_in_time(&mut payload).await?)
}

/// Half a surrogate pair is no fault of whoever sends it, mostly: somebody cut a text by UTF-16 units, as
/// JavaScript does.
fn parse_json<T: DeserializeOwned>(mut body: BytesMut) -> Result<T, ApiError> {
    replace_lone_surrogates(&mut body);
    // Serde would take an array for an object whose fields are in order.
    if body.trim_ascii_start().first().is_some_and(|&byte| byte != b'{') {
        return Err(ApiError::invalid_request("The body is not a JSON object."));
    }
    serde_json::from_slice(&body).map_err(|error| ApiError::invalid_request(sentence(&error)))
}

async fn read_in_time(payload: &mut Payload) -> Result<BytesMut, ApiError> {
    tokio::time::timeout(READ_TIME, read(payload)).await.map_err(|_| broken_off())?
}

async fn read(payload: &mut Payload) -> Result<BytesMut, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(failed)?;
        if body.len() + chunk.len() > LIMIT {
            drain(payload).await;
            return Err(ApiError::payload_too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The error of a body that is there when there is no room for its request any more.
pub(crate) fn no_room() -> PayloadError {
    PayloadError::Io(ErrorKind::ResourceBusy.into())
}

fn failed(error: PayloadError) -> ApiError {
    match error {
        PayloadError::Io(error) if error.kind() == ErrorKind::ResourceBusy => ApiError::overloaded(),
        _ => broken_off(),
    }
}

fn broken_off() -> ApiError {
    ApiError::invalid_request("The request's body broke off.")
}

/// Says what is wrong without repeating what was sent: serde's own text may quote a password.
fn sentence(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    // These two name a field of ours, which is not quoting.
    let field = |prefix| text.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    if let Some(field) = field("missing field `") {
        format!("The field {field} is missing.")
    } else if let Some(field) = field("duplicate field `") {
        format!("The field {field} is there twice.")
    } else if error.classify() == Category::Data {
        format!("A value has the wrong type ({place}).")
    } else {
        format!("The body is not well-formed JSON ({place}).")
    }
}

/// Reads and forgets what the client still sends, within bounds.
pub(crate) async fn drain(payload: &mut Payload) {
    drain_within(payload, DRAIN_LIMIT, DRAIN_TIME).await;
}

/// The same, within these bounds.
pub(crate) async fn drain_within(payload: &mut Payload, bytes: usize, time: Duration) {
    let read = async {
        let mut seen = 0;
        while let Some(Ok(chunk)) = payload.next().await {
            seen += chunk.len();
            if seen > bytes {
                break;
            }
        }
    };
    // Running out of time is fine: the answer is sent either way.
    let _ = tokio::time::timeout(time, read).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_body_is_not_quoted() {
        let parse = |text: &str| serde_json::from_str::<shared::SignIn>(text).map(drop).unwrap_err();
        assert_eq!(sentence(&parse(r#"{"email":"a@b"}"#)), "The field password is missing.");
        for text in [r#"{"email":"hunter2","password":["hunter2"]}"#, r#"{"hunter2"#, r#""hunter2""#] {
            assert!(!sentence(&parse(text)).contains("hunter2"), "{text}");
        }
    }
}
