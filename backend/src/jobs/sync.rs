//! Reading profiles anew on a schedule.

use actix_web::web::Data;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::Job;
use crate::app::{AppState, BATCH, CONCURRENCY};
use crate::error::ApiError;

/// Syncs what is due, as [`RefreshJob`](super::refresh::RefreshJob) renews.
pub(super) struct SyncJob {
    state: Data<AppState>,
    interval: SignedDuration,
}

impl SyncJob {
    pub(super) fn new(state: &Data<AppState>, interval: SignedDuration) -> Self {
        Self { state: Data::clone(state), interval }
    }
}

impl Job for SyncJob {
    const NAME: &'static str = "sync";

    async fn run_once(&mut self) -> Result<(), ApiError> {
        let (connections, metrics) = (&self.state.connections, &self.state.metrics);
        while connections.paused().await?.is_none() {
            let claimed = connections.claim_due_for_sync(self.interval, BATCH).await?;
            let is_last = claimed.len() < BATCH as usize;
            stream::iter(&claimed)
                .for_each_concurrent(CONCURRENCY, async |connection| {
                    let outcome = connections.sync_claimed(connection).await;
                    metrics.synced(outcome);
                    tracing::info!(connection = connection.id, outcome = outcome.name(), "sync");
                })
                .await;
            if is_last {
                break;
            }
        }
        Ok(())
    }
}
