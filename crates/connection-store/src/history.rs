//! An account's counts over time.

use jiff::Timestamp;

/// An account's counts at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPoint {
    /// Time at which the profile was read.
    pub at: Timestamp,
    /// Followers.
    pub followers_count: Option<u64>,
    /// Accounts followed.
    pub follows_count: Option<u64>,
    /// Posts.
    pub media_count: Option<u64>,
}

/// Selects the points of a history that are wanted.
#[derive(Clone, Copy, Debug)]
pub struct HistoryRange {
    /// At this time or later.
    pub from: Timestamp,
    /// Before this time.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
}
