//! Failures as answers: one type, one place that decides code and sentence.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use domain::CauseChain;
use jiff::SignedDuration;
use shared::{ErrorBody, ErrorCode, ErrorReason, Provider, sentence};

mod domain_error;
mod provider;
mod quota;

pub(crate) use quota::Quota;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure that a client hears about.
///
/// The sentence is for a person and never quotes input, but for an origin that was refused and was written
/// anew from its parts, nor upstream text but in one place; the cause goes to the log, once, with the request
/// id ([`crate::middleware`] renders and logs).
#[derive(Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    sentence: Cow<'static, str>,
    /// Boxed, so that the results that carry an error stay small.
    details: Box<Details>,
}

/// Details that only some failures have.
#[derive(Debug, Default)]
struct Details {
    fields: Option<BTreeMap<String, String>>,
    reason: Option<ErrorReason>,
    missing: Option<Vec<String>>,
    retry_after: Option<u64>,
    allow: Option<String>,
    quota: Option<Quota>,
    may_be_done: bool,
    cause: Option<Cause>,
}

impl ApiError {
    /// A failure that needs no more than its code and a sentence.
    pub(crate) fn new(code: ErrorCode, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { code, sentence: sentence.into(), details: Box::default() }
    }

    /// Worth another try after so many seconds.
    fn retry_after_seconds(mut self, seconds: u64) -> Self {
        self.details.retry_after = Some(seconds);
        self
    }

    fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.details.cause = Some(cause.into());
        self
    }

    /// 400: the request cannot be understood.
    pub(crate) fn invalid_request(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, sentence)
    }

    /// 400: a sign-in link, to a provider or from a host, is unknown, expired, used or another user's.
    pub(crate) fn invalid_state() -> Self {
        Self::new(ErrorCode::InvalidState, format!("{} Start again.", sentence::STALE_LINK))
    }

    /// 401: nobody is signed in.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "Sign in first.")
    }

    /// 401: wrong email or password.
    pub(crate) fn invalid_credentials() -> Self {
        Self::new(ErrorCode::InvalidCredentials, "The email address or the password is wrong.")
    }

    /// 403: not theirs, whether or not it exists.
    pub(crate) fn forbidden() -> Self {
        Self::new(ErrorCode::Forbidden, "You may not do this for that user.")
    }

    /// 403: a key asks for what only a person who is signed in may do.
    pub(crate) fn not_for_keys() -> Self {
        Self::new(ErrorCode::Forbidden, "This needs somebody who is signed in: a key may not do it.")
    }

    /// 403: a host application's user asks for what needs a password.
    pub(crate) fn no_password() -> Self {
        let sentence =
            "This is for accounts that were made here: users of another application have no password.";
        Self::new(ErrorCode::Forbidden, sentence)
    }

    /// 403: a host application's user, who has no password to show, has not come by a link just now.
    pub(crate) fn not_just_signed_in() -> Self {
        let sentence = "For this you have to have signed in within the last five minutes. Open this page from the \
                        application that you came from again.";
        Self::new(ErrorCode::Forbidden, sentence)
    }

    /// 403: another site's page sent this, or a page of our own that was opened by an address which is not
    /// configured. `sender` is an origin that is fit to be shown.
    pub(crate) fn cross_site(sender: Option<&str>, origins: &[String; 2]) -> Self {
        let sender = sender.map_or_else(|| "another site".to_owned(), |origin| format!("a page of {origin}"));
        let [backend, web_app] = origins;
        let ours = if backend == web_app { backend.clone() } else { format!("{backend} and {web_app}") };
        let sentence = format!(
            "This request came from {sender} and was refused: this service is set up for {ours}. If that page is its own, \
             PUBLIC_URL and FRONTEND_URL have to name the address that browsers use."
        );
        Self::new(ErrorCode::CrossSiteRequest, sentence)
    }

    /// 404: no such route or object.
    pub(crate) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, sentence::NOTHING_HERE)
    }

    /// 405, with what would be allowed.
    pub(crate) fn method_not_allowed(allowed: &[impl AsRef<str>]) -> Self {
        let allow = allowed.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
        let mut error = Self::new(ErrorCode::MethodNotAllowed, format!("Use one of these methods: {allow}."));
        error.details.allow = Some(allow);
        error
    }

    /// 409: the address has an account.
    pub(crate) fn email_taken() -> Self {
        Self::new(
            ErrorCode::EmailTaken,
            "There is an account with this email address already. Sign in instead.",
        )
    }

    /// 413: over 64 KiB.
    pub(crate) fn payload_too_large() -> Self {
        Self::new(ErrorCode::PayloadTooLarge, "The request is larger than 64 KiB.")
    }

    /// 415: not JSON.
    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(
            ErrorCode::UnsupportedMediaType,
            "Send JSON, with the header Content-Type: application/json.",
        )
    }

    /// 415: not a form, where Meta sends one.
    pub(crate) fn not_a_form() -> Self {
        let sentence = "Send a form, with the header Content-Type: application/x-www-form-urlencoded.";
        Self::new(ErrorCode::UnsupportedMediaType, sentence)
    }

    /// 403: not signed with the app's secret.
    pub(crate) fn bad_signature() -> Self {
        let sentence = "The signature does not fit: this was not signed with the app's secret.";
        Self::new(ErrorCode::Forbidden, sentence)
    }

    /// 422: what is wrong with which field.
    pub(crate) fn validation<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut error = Self::new(ErrorCode::ValidationFailed, "Some values cannot be accepted.");
        let fields = fields.into_iter().map(|(field, why)| (field.to_owned(), why.to_owned()));
        error.details.fields = Some(fields.collect());
        error
    }

    /// 503: the variables of a provider's app that are not set.
    pub(crate) fn not_configured(of: Provider, missing: &[&str]) -> Self {
        let sentence = provider::not_configured(of, missing);
        let mut error = Self::new(ErrorCode::NotConfigured, sentence);
        error.details.missing = Some(missing.iter().map(|&name| name.to_owned()).collect());
        error
    }

    /// 503: more is asked than can be answered in time.
    pub(crate) fn overloaded() -> Self {
        let sentence = "Too much is asked of this server at the moment. Try again in a second.";
        Self::new(ErrorCode::Unavailable, sentence).retry_after_seconds(1)
    }

    /// 503: the database does not answer.
    pub(crate) fn database_away() -> Self {
        let sentence = "The database is not answering right now. Try again soon.";
        Self::new(ErrorCode::Unavailable, sentence).retry_after_seconds(5)
    }

    /// 500: a fault of ours.
    pub(crate) fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(ErrorCode::Internal, sentence::OUR_SIDE).caused_by(cause)
    }

    /// Returns the failure that stands for a failing answer of some library, from its status alone.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::payload_too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_media_type(),
            status if status.is_client_error() => Self::invalid_request("This request cannot be understood."),
            status => Self::internal(format!("a library answered {status}")),
        }
    }

    /// 503: the same request is being carried out at this moment.
    pub(crate) fn still_running() -> Self {
        let sentence = "The same request is being carried out at this moment, or was cut off at it. Ask again for its answer; if \
                        there is none after minutes, look whether it was done.";
        Self::new(ErrorCode::Unavailable, sentence).retry_after_seconds(1)
    }

    /// 429: more people sign in at once than passwords can be checked.
    pub(crate) fn too_many_sign_ins() -> Self {
        let sentence = "Too many people are signing in at this moment. Try again in a few seconds.";
        Self::rate_limited(sentence, Duration::from_secs(2))
    }

    /// 429: one of our own limits.
    pub(crate) fn limited(quota: Quota) -> Self {
        let sentence = "That was too often in a short time. Wait a little, then try again.";
        let mut error = Self::rate_limited(sentence, Duration::from_secs(quota.retry_after()));
        error.details.quota = Some(quota);
        error
    }

    /// 429: the password of this account was wrong too often.
    pub(crate) fn too_many_passwords(wait: SignedDuration) -> Self {
        let sentence = "The password was wrong too often. Wait before you try again.";
        Self::rate_limited(sentence, rounded_up(wait))
    }

    fn rate_limited(sentence: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        Self::new(ErrorCode::RateLimited, sentence).retry_after_seconds(wait.as_secs().max(1))
    }

    /// The contract's code.
    pub(crate) fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns the sentence for a person.
    pub(crate) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Tells whether the request may have been carried out all the same.
    pub(crate) fn may_be_done(&self) -> bool {
        self.details.may_be_done
    }

    /// The value of `Allow`, where there is one.
    pub(crate) fn allow(&self) -> Option<&str> {
        self.details.allow.as_deref()
    }

    /// Seconds for `Retry-After`, where there is one.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.details.retry_after
    }

    /// The limit that is used up, where it is one of ours.
    pub(crate) fn quota(&self) -> Option<&Quota> {
        self.details.quota.as_ref()
    }

    /// The body that goes out.
    pub(crate) fn body(&self, request_id: &str) -> ErrorBody {
        ErrorBody {
            ok: false,
            error: self.sentence.clone().into_owned(),
            code: self.code,
            request_id: request_id.to_owned(),
            fields: self.details.fields.clone(),
            reason: self.details.reason,
            missing: self.details.missing.clone(),
            retry_after: self.details.retry_after,
        }
    }

    /// Writes the cause to the log: a fault of ours as an error, of a provider's as a warning.
    pub(crate) fn log(&self) {
        let Some(cause) = &self.details.cause else { return };
        let cause = CauseChain(cause.as_ref());
        if matches!(self.code, ErrorCode::Internal | ErrorCode::Unavailable) {
            tracing::error!(code = self.code.as_str(), %cause, "request failed");
        } else {
            tracing::warn!(code = self.code.as_str(), %cause, "request refused");
        }
    }
}

/// For whole seconds: a client that waits as long as it is told must not come too early.
fn rounded_up(wait: SignedDuration) -> Duration {
    Duration::try_from(wait).unwrap_or_default().saturating_add(Duration::from_millis(999))
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status alone: the body needs the request's id, which the middleware knows.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.status_code())
    }
}
