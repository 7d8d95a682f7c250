//! What went wrong, by what to do next.

use std::time::Duration;

/// How long to wait after a rate limit when Instagram does not say.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The longest wait that is believed: Instagram's windows are an hour or a day long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The subcode of a post that is taken for spam, and may be live all the same.
pub(crate) const TAKEN_FOR_SPAM: i64 = 2_207_051;

/// Whose calls a rate limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitOf {
    /// All of the app's, whatever account they are for: codes 4 and 613, HTTP 429, and whatever does not say.
    App,
    /// Those for the one account alone: codes 17, 32 and 80002.
    Account,
}

/// A call to Instagram that failed, typed by what should happen next (`instagram-api.md` §6).
///
/// **Only [`NeedsReauthorization`](Self::NeedsReauthorization) means that the token is dead.** Every other variant
/// leaves a stored token as it is. Neither `Debug` nor `Display` holds a token, a secret, a code or a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstagramError {
    /// No whole answer came within the configured timeout. Next: try again later. A code that was being exchanged may
    /// be used up: the person has to start again.
    #[error("Instagram did not answer in time")]
    Timeout,

    /// A temporary failure: the connection, an outage (HTTP 5xx), or an error that Instagram calls transient (codes 1
    /// and 2). Next: try again with growing pauses.
    #[error("Instagram failed for the moment: {reason}")]
    Retryable {
        /// What happened, for the log.
        reason: String,
        /// Whether it was Instagram itself that said so. Without its word, what was asked for may have been done.
        answered: bool,
    },

    /// Too many calls (codes 4, 17, 32, 613, 80002, HTTP 429). Next: make no call before `retry_after` is over; going on
    /// lengthens the block.
    #[error("Instagram limits the rate of calls{}; wait {} s", of_limit(*of), retry_after.as_secs())]
    RateLimited {
        /// How long to wait: Instagram's word, else [`DEFAULT_RETRY_AFTER`]; at most [`MAX_RETRY_AFTER`].
        retry_after: Duration,
        /// Whose calls are too many.
        of: LimitOf,
    },

    /// The token is dead (codes 190 and 102). Next: never retry; ask the person to connect again.
    #[error("Instagram no longer accepts the token{}", of_subcode(*subcode))]
    NeedsReauthorization {
        /// Why: 458 app removed, 459 checkpoint, 460 password changed, 463 or 0 expired, 464 unconfirmed, 467 invalid.
        subcode: Option<i64>,
    },

    /// A permission was not granted or is withdrawn (codes 10 and 200 to 299). Next: keep the token and go on renewing
    /// it; offer to grant the permission.
    #[error("a permission is missing (code {code})")]
    MissingPermission {
        /// Instagram's code.
        code: i64,
    },

    /// The app may not act for this account (code 100, "Unsupported request - method type: get"): it has Standard Access
    /// and the account is none of its Instagram testers, or Meta has an outage. Next: on connecting, tell the operator
    /// those causes; on renewal, keep the token and try again much later.
    #[error(
        "the app has no access to this account: app not approved for it, or the account is not one of its testers"
    )]
    AppAccess,

    /// The authorization code is wrong, used or too old, or the redirect URI is another one than the code was made for.
    /// Next: the person starts again.
    #[error("the authorization code is wrong, expired or already used")]
    InvalidCode,

    /// The app's id, secret or redirect URI is wrong. Next: the operator compares the settings with Meta's dashboard.
    #[error("Instagram refuses the app's settings: {message}")]
    Misconfigured {
        /// What Instagram says, sanitised.
        message: String,
    },

    /// Instagram refuses this request for a reason of its own. Next: tell the caller; the same request fails again.
    #[error("Instagram refused the request: {message} (code {code}{})", of_subcode(*subcode))]
    Rejected {
        /// Instagram's code.
        code: i64,
        /// Instagram's subcode, which names the reason of most publishing and messaging failures.
        subcode: Option<i64>,
        /// What Instagram says, sanitised.
        message: String,
    },

    /// The answer is not what Instagram promises: HTML, nothing, an error without a code, a missing field, an
    /// impossible expiry. Next: use none of it, keep what is stored, and try again later.
    #[error("Instagram answered nonsense: {reason}")]
    Unintelligible {
        /// What is wrong with it. Holds nothing of the answer.
        reason: String,
    },
}

impl InstagramError {
    /// The variant's name in `snake_case`, for metrics: `timeout`, `rate_limited`, `needs_reauthorization`…
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Retryable { .. } => "retryable",
            Self::RateLimited { .. } => "rate_limited",
            Self::NeedsReauthorization { .. } => "needs_reauthorization",
            Self::MissingPermission { .. } => "missing_permission",
            Self::AppAccess => "app_access",
            Self::InvalidCode => "invalid_code",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Rejected { .. } => "rejected",
            Self::Unintelligible { .. } => "unintelligible",
        }
    }

    /// Instagram says that it failed.
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Retryable { reason: reason.into(), answered: true }
    }

    /// Nobody has said what came of it.
    pub(crate) fn lost(reason: impl Into<String>) -> Self {
        Self::Retryable { reason: reason.into(), answered: false }
    }

    pub(crate) fn unintelligible(reason: impl Into<String>) -> Self {
        Self::Unintelligible { reason: reason.into() }
    }
}

fn of_limit(of: LimitOf) -> &'static str {
    match of {
        LimitOf::App => "",
        LimitOf::Account => " for this account",
    }
}

fn of_subcode(subcode: Option<i64>) -> String {
    subcode.map(|subcode| format!(", subcode {subcode}")).unwrap_or_default()
}
