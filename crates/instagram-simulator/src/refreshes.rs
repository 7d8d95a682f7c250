//! The log of refreshes, from which a test sees what a client did to its tokens.

use jiff::Timestamp;
use serde::Serialize;

/// One refresh request that named a token which exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefreshRecord {
    /// Time at which it came, by the simulator's clock.
    pub at: Timestamp,
    /// The user name of the token's account.
    pub account: String,
    /// The token's serial number, which is no secret. A token that a refresh lets live longer keeps its number.
    pub token: u64,
    /// The token's age, in seconds since it was issued or last refreshed.
    pub age_seconds: u64,
    /// The outcome that was answered.
    pub outcome: RefreshOutcome,
    /// The serial number of the token in the answer, whether the answer arrived or not. `None` where none was
    /// refreshed.
    pub renewed_into: Option<u64>,
    /// False: the client may never have got the answer, since it was late ([`Fault::Delay`](crate::Fault::Delay)), cut
    /// ([`Fault::Truncated`](crate::Fault::Truncated)) or not sent ([`Fault::Reset`](crate::Fault::Reset)). The first
    /// two do their work all the same.
    pub delivered_whole: bool,
}

/// Outcomes of a refresh request, as it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshOutcome {
    /// A token of a full life.
    Renewed,
    /// Nothing: the token was under 24 hours old.
    TooYoung,
    /// Code 190: the token had expired.
    Expired,
    /// Code 190: the token had been revoked.
    Revoked,
    /// Anything else: a fault's answer, an app without access, a short-lived token, a wrong request.
    Failed,
}
