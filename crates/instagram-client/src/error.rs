//! Failures of calls to Instagram, sorted by what to do next.

use std::time::Duration;

/// Time to wait after a rate limit when Instagram does not say.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The longest wait that is believed: Instagram's windows are an hour or a day long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The subcode of a post that is taken for spam, and may be live all the same.
pub(crate) const TAKEN_FOR_SPAM: i64 = 2_207_051;

/// The codes of `instagram-api.md` §6 that say what is wrong with a call, before anything is done for it.
const REFUSALS: [i64; 16] =
    [9, 10, 24, 25, 100, 341, 352, 368, 506, 551, 9004, 9007, 36_000, 36_001, 36_003, 36_004];

/// Subcodes that leave open what was done, whatever the code: spam, and failures on Meta's side.
const UNSETTLED: [i64; 6] = [TAKEN_FOR_SPAM, 2_207_001, 2_207_003, 2_207_020, 2_207_032, 2_207_053];

/// Names the calls that a rate limit counts.
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
        /// Account of what happened, for the log.
        reason: String,
        /// Tells whether the request may have reached Instagram; else no connection came about.
        sent: bool,
    },

    /// Too many calls (codes 4, 17, 32, 613, 80002, HTTP 429). Next: make no call before `retry_after` is over; going on
    /// lengthens the block.
    #[error("Instagram limits the rate of calls{}; wait {} s", of_limit(*of), retry_after.as_secs())]
    RateLimited {
        /// Time to wait: Instagram's word, else [`DEFAULT_RETRY_AFTER`]; at most [`MAX_RETRY_AFTER`].
        retry_after: Duration,
        /// The calls that are too many.
        of: LimitOf,
    },

    /// The token is dead (codes 190 and 102). Next: never retry; ask the person to connect again.
    #[error("Instagram no longer accepts the token{}", of_subcode(*subcode))]
    NeedsReauthorization {
        /// The reason: 458 app removed, 459 checkpoint, 460 password changed, 463 or 0 expired, 464
        /// unconfirmed, 467 invalid.
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
        /// Instagram's message, sanitised.
        message: String,
    },

    /// Instagram refuses this request for a reason of its own. Next: tell the caller; the same request fails again.
    #[error("Instagram refused the request: {message} (code {code}{})", of_subcode(*subcode))]
    Rejected {
        /// Instagram's code.
        code: i64,
        /// Instagram's subcode, which names the reason of most publishing and messaging failures.
        subcode: Option<i64>,
        /// Instagram's message, sanitised.
        message: String,
    },

    /// The answer is not what Instagram promises: HTML, nothing, an error without a code, a missing field, an
    /// impossible expiry. Next: use none of it, keep what is stored, and try again later.
    #[error("Instagram answered nonsense: {reason}")]
    Unintelligible {
        /// The fault in the answer. Holds nothing of the answer itself.
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

    /// Returns whether a call that was to change something may have done so all the same. Only a call that
    /// was never sent, and one that Instagram plainly refused, has certainly changed nothing: failures of
    /// Instagram's own come from calls that were carried out, too, and so do answers that were lost or cannot
    /// be read. A code that is not known is no plain refusal.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Retryable { sent, .. } => *sent,
            Self::Rejected { code, subcode, .. } => {
                !REFUSALS.contains(code) || subcode.is_some_and(|subcode| UNSETTLED.contains(&subcode))
            }
            Self::RateLimited { .. }
            | Self::NeedsReauthorization { .. }
            | Self::MissingPermission { .. }
            | Self::AppAccess => false,
            // The two that only a text tells come with any code.
            Self::InvalidCode | Self::Misconfigured { .. } | Self::Timeout | Self::Unintelligible { .. } => {
                true
            }
        }
    }

    /// Something failed after the request may have been sent.
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Retryable { reason: reason.into(), sent: true }
    }

    /// No connection came about.
    pub(crate) fn not_sent(reason: impl Into<String>) -> Self {
        Self::Retryable { reason: reason.into(), sent: false }
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
