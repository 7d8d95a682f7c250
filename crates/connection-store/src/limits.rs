//! Counts of attempts that all processes keep together.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::StoreResult;

/// Number of attempts in the present window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Attempts in this window, this one included.
    pub count: u32,
    /// Time at which the window ends and counting begins anew.
    pub resets_at: Timestamp,
}

/// Counts of attempts, each under a name of its own. The store does not look into the names.
#[async_trait]
pub trait Limits {
    /// Counts one more attempt, atomically. The first attempt opens a window of this length; when the window
    /// is over, the next attempt opens another. The store deletes windows that are over by itself.
    async fn count_try(&self, name: &str, window: SignedDuration, now: Timestamp) -> StoreResult<Tries>;

    /// Returns the attempts in the present window, without counting one more; `None` where there is none.
    async fn tries(&self, name: &str, now: Timestamp) -> StoreResult<Option<Tries>>;

    /// Forgets the attempts: the last attempt has succeeded.
    async fn forget_tries(&self, name: &str) -> StoreResult<()>;
}
