//! A failure of the domain as a client hears of it: its code and its sentence.

use std::time::Duration;

use connection_store::StoreError;
use domain::{Error, Invalid};
use instagram_client::InstagramError;
use shared::{ErrorCode, ErrorReason};

use super::{ApiError, instagram, rounded_up};

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidState => Self::invalid_state(),
            Error::AccessDenied => Self::new(ErrorCode::AccessDenied, instagram::ACCESS_DENIED),
            Error::PersonalAccount => {
                let mut this = Self::new(ErrorCode::AccessDenied, instagram::PERSONAL_ACCOUNT);
                this.details.reason = Some(ErrorReason::PersonalAccount);
                this
            }
            Error::AccountInUse => Self::new(ErrorCode::AccountInUse, instagram::ACCOUNT_IN_USE),
            Error::NotConnected => Self::new(ErrorCode::NotConnected, instagram::NOT_CONNECTED),
            Error::NoSuchConnection => Self::new(ErrorCode::NotFound, "This user has no such connection."),
            Error::NeedsReauthorization(cause) => {
                let this = Self::new(ErrorCode::NeedsReauthorization, instagram::NEEDS_REAUTHORIZATION);
                match cause {
                    Some(cause) => this.caused_by(cause),
                    None => this,
                }
            }
            Error::Invalid(values) => Self::validation(values.into_iter().map(field)),
            Error::InvalidCursor => Self::invalid_request("The cursor is not one that this route gave."),
            Error::NotForwarded => Self::new(ErrorCode::NotFound, instagram::NOT_FORWARDED),
            Error::MethodNotForwarded(methods) => Self::method_not_allowed(&methods),
            Error::RefusedParameter => Self::invalid_request(instagram::REFUSED_PARAMETER),
            Error::TokenTooYoung(wait) => Self::rate_limited(instagram::TOKEN_TOO_YOUNG, rounded_up(wait)),
            Error::Paused(wait) => Self::rate_limited(instagram::PAUSED, rounded_up(wait)),
            Error::BeingRefreshed => {
                Self::rate_limited("This access is being renewed at this moment.", Duration::from_secs(10))
            }
            Error::NotConfigured(missing) => Self::not_configured(&missing),
            Error::Provider { error, redirect_uri } => from_instagram(error, &redirect_uri),
            Error::Forwarded(error) => from_forwarded(error),
            Error::AccessRefusedOnce(error) => {
                Self::new(ErrorCode::UpstreamError, instagram::ACCESS_REFUSED_ONCE).caused_by(error)
            }
            Error::Store(error) => error.into(),
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::database_away().caused_by(error),
            StoreError::Failed(_) => Self::internal(error),
        }
    }
}

/// Names the field of a value that is wrong, and says what would be right.
fn field(invalid: Invalid) -> (&'static str, &'static str) {
    match invalid {
        Invalid::ReturnTo => ("returnTo", "Give a path of the web app, such as /integrations"),
        Invalid::Handle => {
            ("access_token", "This is too old, was used already, or belongs to someone else. Start again")
        }
        Invalid::OtherAccount => ("user_id", "This is not the account that was connected"),
        Invalid::OtherLife => ("expires_in", "This is not what Instagram answered"),
        Invalid::OtherProfile => ("user", "This is not the profile that Instagram answered"),
        Invalid::TokenForm => ("access_token", "This is not an Instagram access token"),
        Invalid::TokenRefused => ("access_token", "Instagram does not accept this token"),
        Invalid::TokenLife => ("expires_in", "Give the seconds that Instagram answered with the token"),
        Invalid::Range => ("to", "Give a time that is not before from"),
    }
}

/// Answers for a call to Instagram that failed. Nothing has been stored.
fn from_instagram(error: InstagramError, redirect_uri: &str) -> ApiError {
    let this = match &error {
        InstagramError::Timeout => ApiError::new(ErrorCode::UpstreamTimeout, instagram::TIMEOUT),
        InstagramError::RateLimited { retry_after, .. } => {
            ApiError::rate_limited(instagram::RATE_LIMITED, *retry_after)
        }
        InstagramError::InvalidCode => ApiError::new(ErrorCode::InvalidCode, instagram::INVALID_CODE),
        InstagramError::AppAccess { .. } => ApiError::new(ErrorCode::AppAccess, instagram::APP_ACCESS),
        InstagramError::MissingPermission { .. } => {
            ApiError::new(ErrorCode::AccessDenied, instagram::PROFILE_PERMISSION)
        }
        InstagramError::Misconfigured { .. } => {
            ApiError::new(ErrorCode::UpstreamError, instagram::misconfigured(redirect_uri))
        }
        InstagramError::NeedsReauthorization { .. }
        | InstagramError::AccessTokenRefused
        | InstagramError::Rejected { .. } => {
            ApiError::new(ErrorCode::UpstreamError, instagram::REFUSED)
        }
        InstagramError::Retryable { .. } | InstagramError::Unintelligible { .. } => {
            ApiError::new(ErrorCode::UpstreamError, instagram::NOT_ANSWERING)
        }
    };
    this.caused_by(error)
}

/// Answers for a call that a program made up, and that failed. Here alone Instagram's own words are shown.
fn from_forwarded(error: InstagramError) -> ApiError {
    let may_be_done = error.may_be_done();
    let mut this = match &error {
        InstagramError::Timeout => ApiError::new(ErrorCode::UpstreamTimeout, instagram::FORWARDED_TIMEOUT),
        InstagramError::Rejected { message, .. } => {
            ApiError::invalid_request(instagram::refused_because(message, may_be_done))
        }
        InstagramError::MissingPermission { .. } => {
            ApiError::new(ErrorCode::AccessDenied, instagram::FORWARDED_PERMISSION)
        }
        InstagramError::AppAccess { .. } => ApiError::new(ErrorCode::AppAccess, instagram::FORWARDED_APP_ACCESS),
        _ if may_be_done => ApiError::new(ErrorCode::UpstreamError, instagram::FORWARDED_UNINTELLIGIBLE),
        _ => ApiError::new(ErrorCode::UpstreamError, instagram::FORWARDED_UNREACHABLE),
    };
    this.details.may_be_done = may_be_done;
    this.caused_by(error)
}
