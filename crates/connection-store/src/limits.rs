//! Counts that all processes keep together: how often something was tried.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::StoreResult;

/// How often something was tried in the present window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Tries in this window, this one included.
    pub count: u32,
    /// When the window ends and counting begins anew.
    pub resets_at: Timestamp,
}

/// Counts of tries, each under a name of its own. The store does not look into the names.
#[async_trait]
pub trait Limits {
    /// Counts one more try, atomically. The first one opens a window of this length; when it is over, the next one opens
    /// another. The store deletes what is over by itself.
    async fn count_try(&self, name: &str, window: SignedDuration, now: Timestamp) -> StoreResult<Tries>;

    /// How often it was tried in the present window, without counting; `None` where there is none.
    async fn tries(&self, name: &str, now: Timestamp) -> StoreResult<Option<Tries>>;

    /// Forgets the tries: what was tried has succeeded.
    async fn forget_tries(&self, name: &str) -> StoreResult<()>;
}
