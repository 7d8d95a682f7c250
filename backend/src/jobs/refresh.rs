//! Refreshing tokens before they end, with nobody looking.

use actix_web::web::Data;
use connection_store::Connection;
use jiff::Timestamp;

use super::{Job, Progress, Work, work_off};
use crate::app::AppState;
use crate::metrics::REFRESHED;
use domain::work::BATCH;
use domain::{Error, Observer};

/// Refreshes what is due.
pub(super) struct RefreshJob {
    state: Data<AppState>,
}

impl RefreshJob {
    pub(super) fn new(state: &Data<AppState>) -> Self {
        Self { state: Data::clone(state) }
    }
}

impl Job for RefreshJob {
    const NAME: &'static str = "refresh";

    async fn run_once(&mut self, progress: &Progress) -> Result<(), Error> {
        work_off(self, &self.state.connections, progress).await
    }
}

impl Work for RefreshJob {
    async fn claim(&self) -> Result<Vec<Connection>, Error> {
        self.state.connections.claim_due(BATCH).await
    }

    fn lease_until(claimed: &Connection) -> Option<Timestamp> {
        claimed.refresh_lease_until
    }

    async fn carry_out(&self, claimed: &Connection) {
        let outcome = self.state.connections.refresh_claimed(claimed).await;
        self.state.metrics.refreshed(outcome);
        tracing::info!(connection = claimed.id, outcome = outcome.name(REFRESHED), "refresh");
    }

    async fn release(&self, ids: &[&str], lease_until: Timestamp) -> Result<(), Error> {
        self.state.connections.release_refreshes(ids, lease_until).await
    }
}
