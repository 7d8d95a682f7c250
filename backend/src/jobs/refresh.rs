//! Renewing tokens before they end, with nobody looking.

use std::time::Duration;

use actix_web::web::Data;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::app::AppState;
use crate::connections::RefreshOutcome;

/// Connections claimed at once.
const BATCH: u32 = 20;

/// Calls to Instagram at once.
const CONCURRENCY: usize = 4;

/// Renews what is due. Each connection stands alone: what happens to one does not keep the others.
pub(super) struct RefreshJob {
    state: Data<AppState>,
    window: SignedDuration,
    lease: SignedDuration,
    /// Instagram wants no calls before.
    paused_until: Timestamp,
}

impl RefreshJob {
    pub(super) fn new(state: Data<AppState>, window: SignedDuration, upstream_timeout: Duration) -> Self {
        // A whole batch of calls that all time out, and a minute for the store.
        let rounds = BATCH.div_ceil(CONCURRENCY as u32);
        let calls =
            SignedDuration::try_from(upstream_timeout * rounds).unwrap_or(SignedDuration::from_hours(1));
        Self { state, window, lease: calls + SignedDuration::from_mins(1), paused_until: Timestamp::MIN }
    }

    /// Works off what is due now, batch by batch.
    pub(super) async fn run_once(&mut self) {
        while self.state.clock.now() >= self.paused_until {
            let claimed = match self.state.connections.claim_due(self.window, self.lease, BATCH).await {
                Ok(claimed) => claimed,
                Err(error) => return error.log(),
            };
            let is_last = claimed.len() < BATCH as usize;
            let connections = &self.state.connections;
            let outcomes: Vec<_> = stream::iter(&claimed)
                .map(|connection| async move { (connection, connections.renew_claimed(connection).await) })
                .buffer_unordered(CONCURRENCY)
                .collect()
                .await;
            for (connection, outcome) in outcomes {
                tracing::info!(connection = connection.id, ?outcome, "refresh");
                if let RefreshOutcome::RateLimited(wait) = outcome {
                    self.paused_until = self.paused_until.max(self.state.clock.now() + wait);
                }
            }
            if is_last {
                return;
            }
        }
    }
}
