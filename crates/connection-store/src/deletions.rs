//! Requests to delete what is stored about somebody.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::Provider;

use crate::StoreResult;

/// Owner of the data to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletionOf {
    /// A provider's account, by either of its ids.
    Account(Provider, String),
    /// A user with a local account, by their id: the account and all that is theirs.
    User(String),
}

/// A request to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeletion {
    /// Names the request to the person; hard to guess.
    pub code: String,
    /// Owner of the data. Forgotten when the request is completed.
    pub of: DeletionOf,
    /// Of an account, only what was connected at this time or before it is meant.
    pub connected_by: Timestamp,
    /// Number of connections that were meant when the request came; `None` where nobody has counted.
    pub connections: Option<u64>,
}

/// A request as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Time at which the request came.
    pub requested_at: Timestamp,
    /// Time at which everything was gone; `None` while the request is worked on.
    pub completed_at: Option<Timestamp>,
    /// Number of connections that were meant when the request came: 0 where nothing was stored about the
    /// account. `None` where an earlier version took the request.
    pub connections: Option<u64>,
}

/// Requests to delete what is stored about somebody.
#[async_trait]
pub trait Deletions {
    /// Remembers a request. `false` when one of this code is known already; then nothing is changed.
    async fn begin_deletion(&self, deletion: NewDeletion, now: Timestamp) -> StoreResult<bool>;

    /// A request, by its code. Forgotten [`DELETION_LIFE`](crate::DELETION_LIFE) after it was completed.
    async fn deletion(&self, code: &str) -> StoreResult<Option<Deletion>>;

    /// Requests that came at least `older_than` ago and are not completed: a process died at work. At most `limit`.
    async fn unfinished_deletions(
        &self,
        older_than: SignedDuration,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<NewDeletion>>;

    /// Records that everything is gone, and forgets whom it was about.
    async fn complete_deletion(&self, code: &str, now: Timestamp) -> StoreResult<()>;
}
