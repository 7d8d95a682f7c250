//! Failures of calls to a provider, sorted by what to do next.

use std::time::Duration;

/// Names the calls that a rate limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitOf {
    /// All of the app's, whatever account they are for: whatever does not say, too.
    App,
    /// Those for the one account alone.
    Account,
}

/// Names what an app has no access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTo {
    /// This account: the app is not approved for everybody, and the account is none of its testers.
    Account,
    /// Any account: the whole app is refused until its owner has done something, such as paying for Spotify's Premium.
    Anything,
    /// This call: it is not open to apps of this kind.
    Call,
}

/// A call to a provider that failed, typed by what should happen next.
///
/// **Only [`NeedsReauthorization`](Self::NeedsReauthorization) means that the token is dead.** Every other variant
/// leaves a stored token as it is. Neither `Debug` nor `Display` holds a token, a secret, a code or a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// No whole answer came within the configured timeout. Next: try again later. A code that was being exchanged may
    /// be used up: the person has to start again.
    #[error("the provider did not answer in time")]
    Timeout,

    /// A temporary failure: the connection, an outage (HTTP 5xx), or an error that the provider calls transient. Next:
    /// try again with growing pauses.
    #[error("the provider failed for the moment: {reason}")]
    Retryable {
        /// Account of what happened, for the log.
        reason: String,
        /// Tells whether the request may have reached the provider; else no connection came about.
        sent: bool,
    },

    /// Too many calls. Next: make no call before `retry_after` is over; going on lengthens the block.
    #[error("the provider limits the rate of calls{}; wait {} s", of_limit(*of), retry_after.as_secs())]
    RateLimited {
        /// Time to wait: the provider's word, else the client's default; at most
        /// [`MAX_RETRY_AFTER`](crate::MAX_RETRY_AFTER).
        retry_after: Duration,
        /// The calls that are too many.
        of: LimitOf,
    },

    /// The token is dead. Next: never retry; ask the person to connect again.
    #[error("the provider no longer accepts the token{}", of_subcode(*subcode))]
    NeedsReauthorization {
        /// Instagram's reason: 458 app removed, 459 checkpoint, 460 password changed, 463 or 0 expired, 464
        /// unconfirmed, 467 invalid.
        subcode: Option<i64>,
    },

    /// A permission was not granted or is withdrawn. Next: keep the token and go on refreshing it; offer to grant the
    /// permission.
    #[error("a permission is missing (code {code})")]
    MissingPermission {
        /// The provider's code.
        code: i64,
    },

    /// The provider refuses the access token, which a refresh token may replace (Spotify's 401). Next: refresh once and
    /// repeat once. It says nothing of the refresh token.
    #[error("the provider no longer accepts the access token")]
    AccessTokenRefused,

    /// The app lacks an access that its owner has to get, or the provider has an outage. Next: on connecting, tell the
    /// operator the causes; on a refresh, keep the token and try again much later.
    #[error("the app has no access to {}", of_access(*to))]
    AppAccess {
        /// The thing that the app has no access to.
        to: AccessTo,
    },

    /// The authorization code is wrong, used or too old, or the redirect URI is another one than the code was made for.
    /// Next: the person starts again.
    #[error("the authorization code is wrong, expired or already used")]
    InvalidCode,

    /// The app's id, secret or redirect URI is wrong. Next: the operator compares the settings with the provider's dashboard.
    #[error("the provider refuses the app's settings: {message}")]
    Misconfigured {
        /// The provider's message, sanitised.
        message: String,
    },

    /// The provider refuses this request for a reason of its own. Next: tell the caller; the same request fails again.
    #[error("the provider refused the request: {message} (code {code}{})", of_subcode(*subcode))]
    Rejected {
        /// The provider's code.
        code: i64,
        /// Instagram's subcode, which names the reason of most publishing and messaging failures.
        subcode: Option<i64>,
        /// The provider's message, sanitised.
        message: String,
        /// Tells whether the request may have been carried out all the same: the code is no plain refusal.
        may_be_done: bool,
    },

    /// The answer is not what the provider promises: HTML, nothing, an error without a code, a missing field, an
    /// impossible expiry. Next: use none of it, keep what is stored, and try again later.
    #[error("the provider answered nonsense: {reason}")]
    Unintelligible {
        /// The fault in the answer. Holds nothing of the answer itself.
        reason: String,
    },
}

impl UpstreamError {
    /// The variant's name in `snake_case`, for metrics: `timeout`, `rate_limited`, `needs_reauthorization`…
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Retryable { .. } => "retryable",
            Self::RateLimited { .. } => "rate_limited",
            Self::NeedsReauthorization { .. } => "needs_reauthorization",
            Self::MissingPermission { .. } => "missing_permission",
            Self::AccessTokenRefused => "access_token_refused",
            Self::AppAccess { .. } => "app_access",
            Self::InvalidCode => "invalid_code",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Rejected { .. } => "rejected",
            Self::Unintelligible { .. } => "unintelligible",
        }
    }

    /// Returns whether a call that was to change something may have done so all the same. Only a call that
    /// was never sent, and one that the provider plainly refused, has certainly changed nothing: failures of
    /// its own come from calls that were carried out, too, and so do answers that were lost or cannot
    /// be read.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Retryable { sent, .. } => *sent,
            Self::Rejected { may_be_done, .. } => *may_be_done,
            Self::RateLimited { .. }
            | Self::NeedsReauthorization { .. }
            | Self::MissingPermission { .. }
            | Self::AccessTokenRefused
            | Self::AppAccess { .. } => false,
            // The two that only a text tells come with any code.
            Self::InvalidCode | Self::Misconfigured { .. } | Self::Timeout | Self::Unintelligible { .. } => {
                true
            }
        }
    }

    /// Makes the error for something that failed after the request may have been sent.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Retryable { reason: reason.into(), sent: true }
    }

    /// Makes the error for a connection that did not come about.
    pub(crate) fn not_sent(reason: impl Into<String>) -> Self {
        Self::Retryable { reason: reason.into(), sent: false }
    }

    /// Makes the error for an answer that is not what was promised. `reason` holds nothing of the answer itself.
    #[must_use]
    pub fn unintelligible(reason: impl Into<String>) -> Self {
        Self::Unintelligible { reason: reason.into() }
    }
}

fn of_limit(of: LimitOf) -> &'static str {
    match of {
        LimitOf::App => "",
        LimitOf::Account => " for this account",
    }
}

fn of_access(to: AccessTo) -> &'static str {
    match to {
        AccessTo::Account => {
            "this account: app not approved for it, or the account is not one of its testers"
        }
        AccessTo::Anything => "anything for the moment: its owner has to look at it",
        AccessTo::Call => "this call: it is not open to apps of this kind",
    }
}

fn of_subcode(subcode: Option<i64>) -> String {
    subcode.map(|subcode| format!(", subcode {subcode}")).unwrap_or_default()
}
