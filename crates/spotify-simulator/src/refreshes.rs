//! The log of refreshes, from which a test sees what a client did to its tokens.

use jiff::Timestamp;
use serde::Serialize;

/// One refresh request that named a refresh token which exists. Tokens go by serial numbers, which are no
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefreshRecord {
    /// Time at which it came, by the simulator's clock.
    pub at: Timestamp,
    /// The user name of the token's account.
    pub account: String,
    /// The refresh token's serial number.
    pub token: u64,
    /// The refresh token's age, in seconds since it was issued.
    pub age_seconds: u64,
    /// Life left of the access token that the client has, in seconds: of the youngest that reached it for
    /// certain. Much of it says that the client asked too early, all of it that it asked twice at once.
    pub access_seconds_left: u64,
    /// The outcome that was answered.
    pub outcome: RefreshOutcome,
    /// The serial number of the access token in the answer, whether the answer arrived or not.
    pub access_token: Option<u64>,
    /// The serial number of the refresh token in the answer, where it had one.
    pub rotated_into: Option<u64>,
    /// False: the client may never have got the answer, since it was late
    /// ([`Fault::Delay`](crate::Fault::Delay)), cut ([`Fault::Truncated`](crate::Fault::Truncated)) or not
    /// sent ([`Fault::Reset`](crate::Fault::Reset)). The first two do their work all the same.
    pub delivered_whole: bool,
}

/// Outcomes of a refresh request, as it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshOutcome {
    /// A new access token.
    Refreshed,
    /// `invalid_grant`: six months were over.
    Expired,
    /// `invalid_grant`: the person removed the app, or another token took its place.
    Revoked,
    /// Anything else: a fault's answer, a wrong secret.
    Failed,
}
