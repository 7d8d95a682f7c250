//! Counting of what the domain does, for whoever keeps metrics.

use shared::Provider;

use crate::connections::Outcome;

/// Hears the outcome of what owners and workers do.
pub trait Observer: Send + Sync {
    /// Hears of an attempt to refresh a token.
    fn refreshed(&self, provider: Provider, outcome: Outcome);

    /// Hears of an attempt to read a profile.
    fn synced(&self, provider: Provider, outcome: Outcome);
}
