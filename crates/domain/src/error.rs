//! Failures of the domain: one type, each variant named by what should happen next.
//!
//! Knows no status and no sentence: whoever speaks to a client turns a failure into both.

use std::fmt;

use connection_store::StoreError;
use jiff::SignedDuration;
use shared::Provider;
use upstream::UpstreamError;

/// Names a failure by what should happen next.
#[derive(Debug)]
pub enum Error {
    /// The OAuth state is unknown, expired, used, or another user's: authorize again.
    InvalidState,
    /// The person did not give access: authorize again, if they want to.
    AccessDenied(Provider),
    /// The person chose a personal account: they have to switch it to a professional one first.
    PersonalAccount,
    /// Another user has the account actively connected: disconnect it there first.
    AccountInUse(Provider),
    /// The user has no active connection: connect.
    NotConnected(Provider),
    /// The id names no active connection of the user.
    NoSuchConnection,
    /// The provider no longer accepts the stored token, by its own word where there is one: connect again.
    NeedsReauthorization(Provider, Option<UpstreamError>),
    /// Values of the request are wrong: mend them.
    Invalid(Vec<Invalid>),
    /// A cursor that none of these lists gave.
    InvalidCursor,
    /// No path that is forwarded.
    NotForwarded(Provider),
    /// A path that is forwarded with these methods only.
    MethodNotForwarded(Vec<&'static str>),
    /// A parameter that would change whose call is forwarded, or what it is.
    RefusedParameter,
    /// The provider refreshes no token as young as this one: wait so long.
    TokenTooYoung(Provider, SignedDuration),
    /// The provider wants no calls for so long: wait.
    Paused(Provider, SignedDuration),
    /// A worker refreshes the token at this moment, and takes long: wait.
    BeingRefreshed,
    /// These variables are missing: the operator has to set them.
    NotConfigured(Provider, Vec<&'static str>),
    /// A call of the service's own failed at the provider; nothing was stored. The redirect URI is what an operator has to
    /// compare where the provider does not accept the app.
    Provider {
        /// The provider.
        provider: Provider,
        /// The provider's answer.
        error: UpstreamError,
        /// The address to which the app sends people back.
        redirect_uri: String,
    },
    /// A call that a program made up failed at the provider.
    Forwarded(Provider, UpstreamError),
    /// The provider refused the token, and has not said for good that it is dead: the connection is as it was.
    AccessRefusedOnce(Provider, UpstreamError),
    /// The store failed, or does not answer now.
    Store(StoreError),
    /// A fault of this service, with its cause for the log.
    Internal(&'static str),
}

/// A value of a request that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The path to return to could leave the web app.
    ReturnTo,
    /// The sealed handle is expired, used, forged or another user's.
    Handle,
    /// The body names another account than the handle, or than the provider does.
    OtherAccount,
    /// The body names another life than the provider did.
    OtherLife,
    /// The body has another profile than the provider's.
    OtherProfile,
    /// The raw token has not the form of one.
    TokenForm,
    /// The provider does not accept the raw token.
    TokenRefused,
    /// The life of the raw token is missing, or longer than any.
    TokenLife,
    /// The range ends before it begins.
    Range,
}

impl Error {
    /// Tells of a call of the service's own that failed at the provider.
    pub fn provider(provider: Provider, error: UpstreamError, redirect_uri: &str) -> Self {
        Self::Provider { provider, error, redirect_uri: redirect_uri.to_owned() }
    }

    /// Tells whether the fault is this service's or its database's, and not the request's.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Internal(_))
    }

    /// Writes the cause to the log, where there is one and no caller does: a fault of ours as an error, of the provider's as
    /// a warning.
    pub fn log(&self) {
        match self {
            Self::Store(error) => tracing::error!(cause = %CauseChain(error), "the store failed"),
            Self::Internal(cause) => tracing::error!(cause, "a fault of ours"),
            Self::Provider { error, .. }
            | Self::Forwarded(_, error)
            | Self::AccessRefusedOnce(_, error)
            | Self::NeedsReauthorization(_, Some(error)) => {
                tracing::warn!(cause = %CauseChain(error), "the provider refused or failed");
            }
            _ => {}
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(vec![invalid])
    }
}

impl fmt::Display for Error {
    /// Writes the variant's name, for logs. A client is told by whoever speaks to it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidState => "invalid state",
            Self::AccessDenied(_) => "access denied",
            Self::PersonalAccount => "personal account",
            Self::AccountInUse(_) => "account in use",
            Self::NotConnected(_) => "not connected",
            Self::NoSuchConnection => "no such connection",
            Self::NeedsReauthorization(..) => "needs reauthorization",
            Self::Invalid(_) => "invalid values",
            Self::InvalidCursor => "invalid cursor",
            Self::NotForwarded(_) => "not forwarded",
            Self::MethodNotForwarded(_) => "method not forwarded",
            Self::RefusedParameter => "refused parameter",
            Self::TokenTooYoung(..) => "token too young",
            Self::Paused(..) => "paused",
            Self::BeingRefreshed => "being refreshed",
            Self::NotConfigured(..) => "not configured",
            Self::Provider { .. } => "the provider failed",
            Self::Forwarded(..) => "a forwarded call failed",
            Self::AccessRefusedOnce(..) => "access refused once",
            Self::Store(_) => "the store failed",
            Self::Internal(_) => "a fault of ours",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Provider { error, .. }
            | Self::Forwarded(_, error)
            | Self::AccessRefusedOnce(_, error)
            | Self::NeedsReauthorization(_, Some(error)) => Some(error),
            _ => None,
        }
    }
}

/// Writes an error and its sources on one line.
pub struct CauseChain<'a>(pub &'a (dyn std::error::Error + 'static));

impl fmt::Display for CauseChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
