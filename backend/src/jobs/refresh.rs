//! Renewing tokens before they end, with nobody looking.

use actix_web::web::Data;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::Job;
use crate::app::{AppState, BATCH, CONCURRENCY};
use crate::error::ApiError;

/// Renews what is due. Each connection stands alone: what happens to one does not keep the others.
pub(super) struct RefreshJob {
    state: Data<AppState>,
    window: SignedDuration,
}

impl RefreshJob {
    pub(super) fn new(state: &Data<AppState>, window: SignedDuration) -> Self {
        Self { state: Data::clone(state), window }
    }
}

impl Job for RefreshJob {
    const NAME: &'static str = "refresh";

    /// Works off what is due now, batch by batch.
    async fn run_once(&mut self) -> Result<(), ApiError> {
        let (connections, metrics) = (&self.state.connections, &self.state.metrics);
        while connections.paused().await?.is_none() {
            let claimed = connections.claim_due(self.window, BATCH).await?;
            let is_last = claimed.len() < BATCH as usize;
            stream::iter(&claimed)
                .for_each_concurrent(CONCURRENCY, async |connection| {
                    let outcome = connections.renew_claimed(connection).await;
                    metrics.refreshed(outcome);
                    tracing::info!(connection = connection.id, outcome = outcome.name(), "refresh");
                })
                .await;
            if is_last {
                break;
            }
        }
        Ok(())
    }
}
