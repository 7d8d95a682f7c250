//! Sizes of the work that is claimed in the store.

/// Pieces of due work that a worker claims at once.
pub const BATCH: u32 = 20;

/// Calls to a provider that a worker makes at once.
pub const CONCURRENCY: usize = 4;
