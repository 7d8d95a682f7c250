//! Pauses that all processes keep together.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::StoreResult;

/// Pauses, each under a name of its own: Instagram wants no calls for a while, say.
#[async_trait]
pub trait Pauses {
    /// Begins a pause, or makes the present one last until `until` at least.
    async fn pause(&self, name: &str, until: Timestamp) -> StoreResult<()>;

    /// Returns the time at which the pause ends; `None` when there is none now.
    async fn paused_until(&self, name: &str, now: Timestamp) -> StoreResult<Option<Timestamp>>;
}
