//! Reading profiles anew on a schedule.

use actix_web::web::Data;
use connection_store::Connection;
use jiff::{SignedDuration, Timestamp};

use super::{Job, Progress, Work, work_off};
use crate::app::AppState;
use crate::metrics::SYNCED;
use domain::work::BATCH;
use domain::{Error, Observer};

/// Syncs what is due.
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

    async fn run_once(&mut self, progress: &Progress) -> Result<(), Error> {
        work_off(self, &self.state.connections, progress).await
    }
}

impl Work for SyncJob {
    async fn claim(&self) -> Result<Vec<Connection>, Error> {
        self.state.connections.claim_due_for_sync(self.interval, BATCH).await
    }

    fn lease_until(claimed: &Connection) -> Option<Timestamp> {
        claimed.sync_lease_until
    }

    async fn carry_out(&self, claimed: &Connection) {
        let outcome = self.state.connections.sync_claimed(claimed).await;
        self.state.metrics.synced(outcome);
        tracing::info!(connection = claimed.id, outcome = outcome.name(SYNCED), "sync");
    }

    async fn release(&self, ids: &[&str], lease_until: Timestamp) -> Result<(), Error> {
        self.state.connections.release_syncs(ids, lease_until).await
    }
}
