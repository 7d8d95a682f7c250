//! Failures of a store.

use thiserror::Error;

/// Result of a store call.
pub type StoreResult<T> = Result<T, StoreError>;

/// Reason why a store call failed. "Not found" and "taken" are answers, not errors.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database does not answer, is locked or is electing a primary: nothing is known to be wrong with the call, and
    /// a later one may succeed.
    #[error("the database does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database answered, and refused or returned what cannot be understood.
    #[error("the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
