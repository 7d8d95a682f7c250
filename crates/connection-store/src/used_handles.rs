//! Sealed handles that were used, so that each works once.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::StoreResult;

/// Sealed handles that were used.
#[async_trait]
pub trait UsedHandles {
    /// Marks a handle as used, atomically: of any number of calls at once with one id, one gets `true`.
    ///
    /// The mark may be forgotten after `expires_at`, when the handle is refused for its age.
    async fn use_handle(&self, handle_id: &str, expires_at: Timestamp) -> StoreResult<bool>;

    /// Tells whether a handle is marked as used.
    async fn is_handle_used(&self, handle_id: &str) -> StoreResult<bool>;

    /// Takes the mark back, because what the handle stands for could not be stored: it works once more.
    async fn release_handle(&self, handle_id: &str) -> StoreResult<()>;
}
