//! The error contract: one body on every path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What every failure looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// Always `false`.
    pub ok: bool,
    /// A sentence for a person.
    pub error: String,
    /// The code for a program.
    pub code: ErrorCode,
    /// Also in the `X-Request-Id` header; leads to the log line that names the cause.
    pub request_id: String,
    /// Of `validation_failed`: what is wrong with which field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub fields: Option<BTreeMap<String, String>>,
    /// Tells apart causes that share a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub reason: Option<ErrorReason>,
    /// Of `not_configured`: the variables that are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub missing: Option<Vec<String>>,
    /// Seconds to wait before trying again; the same number as the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub retry_after: Option<u64>,
}

/// A finer cause within a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorReason {
    /// `access_denied`: the Instagram account is a personal one, which cannot grant the permissions.
    PersonalAccount,
}

/// Writes the code list once: enum, name and status cannot drift apart.
macro_rules! error_codes {
    ($(#[doc = $meaning:literal] $variant:ident = $status:literal $name:tt,)+) => {
        /// The machine codes of the API's failures, each with its one status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
        pub enum ErrorCode {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)+
        }

        impl ErrorCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The HTTP status that always goes with the code.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// Returns the code's meaning, as a sentence for a programmer.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning.trim_ascii_start(),)+ }
            }

            /// The code as it stands in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

error_codes! {
    /// Malformed JSON or query; a missing `code` or `state`.
    InvalidRequest = 400 "invalid_request",
    /// The `state` is unknown, expired or was used already.
    InvalidState = 400 "invalid_state",
    /// The person refused, or the provider returned `error=…`.
    AccessDenied = 400 "access_denied",
    /// The provider says that the code is wrong or used.
    InvalidCode = 400 "invalid_code",
    /// No valid session or key.
    Unauthenticated = 401 "unauthenticated",
    /// Wrong email or wrong password; which of them is not said.
    InvalidCredentials = 401 "invalid_credentials",
    /// The caller is not that user, or lacks the scope.
    Forbidden = 403 "forbidden",
    /// A state-changing request of a foreign origin with cookie credentials.
    CrossSiteRequest = 403 "cross_site_request",
    /// Unknown route or object.
    NotFound = 404 "not_found",
    /// The user has no active connection.
    NotConnected = 404 "not_connected",
    /// The route exists, but not for this method; see `Allow`.
    MethodNotAllowed = 405 "method_not_allowed",
    /// The account is actively connected to another user.
    AccountInUse = 409 "account_in_use",
    /// Another account has this email address.
    EmailTaken = 409 "email_taken",
    /// The provider no longer accepts the stored token.
    NeedsReauthorization = 409 "needs_reauthorization",
    /// The body is over 64 KiB.
    PayloadTooLarge = 413 "payload_too_large",
    /// The body is not JSON.
    UnsupportedMediaType = 415 "unsupported_media_type",
    /// JSON of the right shape with wrong values.
    ValidationFailed = 422 "validation_failed",
    /// Ours or the provider's limit; see `Retry-After`.
    RateLimited = 429 "rate_limited",
    /// A fault of the service.
    Internal = 500 "internal",
    /// The provider let the person in, but not this app for that account, or for none at the moment.
    AppAccess = 502 "app_access",
    /// The provider failed or answered nonsense.
    UpstreamError = 502 "upstream_error",
    /// The variables of the provider's app are not set.
    NotConfigured = 503 "not_configured",
    /// The database does not answer.
    Unavailable = 503 "unavailable",
    /// The provider did not answer in time.
    UpstreamTimeout = 504 "upstream_timeout",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_from_its_name() {
        for code in ErrorCode::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<ErrorCode>(&json).unwrap(), *code);
            assert!((400..600).contains(&code.status()));
        }
    }
}
