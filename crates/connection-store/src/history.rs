//! An account's counts over time.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::StoreResult;

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

/// Histories. Points are added by [`save_connection`](crate::Connections::save_connection) and
/// [`update_profile`](crate::Connections::update_profile).
///
/// Of the points of one day (UTC), the first is kept for [`HISTORY_LIFE`](crate::HISTORY_LIFE), the others for
/// [`HISTORY_DETAIL`](crate::HISTORY_DETAIL); none longer than the connection.
#[async_trait]
pub trait History {
    /// Points of a connection, the oldest first. What is older than it is kept is left out.
    async fn history(
        &self,
        connection_id: &str,
        user_id: &str,
        range: HistoryRange,
        now: Timestamp,
    ) -> StoreResult<Vec<HistoryPoint>>;
}
