//! A failure of the domain as a client hears of it: its code and its sentence.

use std::time::Duration;

use connection_store::StoreError;
use domain::{Error, Invalid};
use shared::{ErrorCode, ErrorReason, Provider};
use upstream::UpstreamError;

use super::{ApiError, provider, rounded_up};

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidState => Self::invalid_state(),
            Error::AccessDenied(_) => Self::new(ErrorCode::AccessDenied, provider::ACCESS_DENIED),
            Error::PersonalAccount => {
                let mut this = Self::new(ErrorCode::AccessDenied, provider::PERSONAL_ACCOUNT);
                this.details.reason = Some(ErrorReason::PersonalAccount);
                this
            }
            Error::AccountInUse(of) => Self::new(ErrorCode::AccountInUse, provider::account_in_use(of)),
            Error::NotConnected(of) => Self::new(ErrorCode::NotConnected, provider::not_connected(of)),
            Error::NoSuchConnection => Self::new(ErrorCode::NotFound, "This user has no such connection."),
            Error::NeedsReauthorization(of, cause) => {
                let this = Self::new(ErrorCode::NeedsReauthorization, provider::needs_reauthorization(of));
                match cause {
                    Some(cause) => this.caused_by(cause),
                    None => this,
                }
            }
            Error::Invalid(values) => Self::validation(values.into_iter().map(field)),
            Error::InvalidCursor => Self::invalid_request("The cursor is not one that this route gave."),
            Error::NotForwarded(of) => Self::new(ErrorCode::NotFound, provider::not_forwarded(of)),
            Error::MethodNotForwarded(methods) => Self::method_not_allowed(&methods),
            Error::RefusedParameter => Self::invalid_request(provider::REFUSED_PARAMETER),
            Error::TokenTooYoung(of, wait) => {
                Self::rate_limited(provider::token_too_young(of), rounded_up(wait))
            }
            Error::Paused(of, wait) => Self::rate_limited(provider::paused(of), rounded_up(wait)),
            Error::BeingRefreshed => {
                Self::rate_limited("This access is being renewed at this moment.", Duration::from_secs(10))
            }
            Error::NotConfigured(of, missing) => Self::not_configured(of, &missing),
            Error::Provider { provider, error, redirect_uri } => refused(provider, error, &redirect_uri),
            Error::Forwarded(of, error) => forwarded(of, error),
            Error::AccessRefusedOnce(of, error) => {
                Self::new(ErrorCode::UpstreamError, provider::access_refused_once(of)).caused_by(error)
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
        Invalid::OtherLife => ("expires_in", "This is not what was answered before"),
        Invalid::OtherProfile => ("user", "This is not the profile that was answered before"),
        Invalid::TokenForm => ("access_token", "This is not an Instagram access token"),
        Invalid::TokenRefused => ("access_token", "Instagram does not accept this token"),
        Invalid::TokenLife => ("expires_in", "Give the seconds that Instagram answered with the token"),
        Invalid::Range => ("to", "Give a time that is not before from"),
    }
}

/// Answers for a call to a provider that failed. Nothing has been stored.
fn refused(of: Provider, error: UpstreamError, redirect_uri: &str) -> ApiError {
    let this = match &error {
        UpstreamError::Timeout => ApiError::new(ErrorCode::UpstreamTimeout, provider::timeout(of)),
        UpstreamError::RateLimited { retry_after, .. } => {
            ApiError::rate_limited(provider::rate_limited(of), *retry_after)
        }
        UpstreamError::InvalidCode => ApiError::new(ErrorCode::InvalidCode, provider::invalid_code(of)),
        UpstreamError::AppAccess { to } => ApiError::new(ErrorCode::AppAccess, provider::app_access(of, *to)),
        UpstreamError::MissingPermission { .. } => {
            ApiError::new(ErrorCode::AccessDenied, provider::PROFILE_PERMISSION)
        }
        UpstreamError::Misconfigured { .. } => {
            // The same trouble has this code at Spotify (`providers.md` §1).
            let code = match of {
                Provider::Instagram => ErrorCode::UpstreamError,
                Provider::Spotify => ErrorCode::AppAccess,
            };
            ApiError::new(code, provider::misconfigured(of, redirect_uri))
        }
        UpstreamError::NeedsReauthorization { .. }
        | UpstreamError::AccessTokenRefused
        | UpstreamError::Rejected { .. } => ApiError::new(ErrorCode::UpstreamError, provider::refused(of)),
        UpstreamError::Retryable { .. } | UpstreamError::Unintelligible { .. } => {
            ApiError::new(ErrorCode::UpstreamError, provider::not_answering(of))
        }
    };
    this.caused_by(error)
}

/// Answers for a call that a program made up, and that failed. Here alone the provider's own words are shown.
fn forwarded(of: Provider, error: UpstreamError) -> ApiError {
    let may_be_done = error.may_be_done();
    let mut this = match &error {
        UpstreamError::Timeout => ApiError::new(ErrorCode::UpstreamTimeout, provider::forwarded_timeout(of)),
        UpstreamError::Rejected { message, .. } => {
            ApiError::invalid_request(provider::refused_because(of, message, may_be_done))
        }
        UpstreamError::AccessTokenRefused => {
            ApiError::new(ErrorCode::UpstreamError, provider::access_refused_once(of))
        }
        UpstreamError::MissingPermission { .. } => {
            ApiError::new(ErrorCode::AccessDenied, provider::forwarded_permission(of))
        }
        UpstreamError::AppAccess { .. } => {
            ApiError::new(ErrorCode::AppAccess, provider::forwarded_app_access(of))
        }
        _ if may_be_done => ApiError::new(ErrorCode::UpstreamError, provider::forwarded_unintelligible(of)),
        _ => ApiError::new(ErrorCode::UpstreamError, provider::forwarded_unreachable(of)),
    };
    this.details.may_be_done = may_be_done;
    this.caused_by(error)
}
