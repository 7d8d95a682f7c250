//! Finishing what time, or a process that died, left unfinished.

use actix_web::web::Data;
use jiff::SignedDuration;

use super::{Job, Progress};
use crate::app::AppState;
use domain::Error;
use domain::work::BATCH;

/// What is older than this is nobody's work any more: its process is dead.
const ABANDONED: SignedDuration = SignedDuration::from_secs(30);

/// Finishes events and deletions that were left behind.
pub(super) struct MaintenanceJob {
    state: Data<AppState>,
}

impl MaintenanceJob {
    pub(super) fn new(state: &Data<AppState>) -> Self {
        Self { state: Data::clone(state) }
    }
}

impl Job for MaintenanceJob {
    const NAME: &'static str = "maintenance";

    /// Each of the two stands alone: one that fails does not keep the other.
    async fn run_once(&mut self, progress: &Progress) -> Result<(), Error> {
        let (settled, finished) = tokio::join!(self.settle_events(), self.finish_deletions(progress));
        if let (Err(_), Err(error)) = (&settled, &finished) {
            error.log();
        }
        settled.and(finished)
    }
}

impl MaintenanceJob {
    async fn settle_events(&self) -> Result<(), Error> {
        let settled = self.state.store.settle_events(ABANDONED, self.state.clock.now()).await?;
        if settled > 0 {
            tracing::info!(settled, "finished events that a process left behind");
        }
        Ok(())
    }

    async fn finish_deletions(&self, progress: &Progress) -> Result<(), Error> {
        while !progress.is_stopped() {
            let finished = self.state.connections.finish_deletions(BATCH).await?;
            progress.made();
            if finished < BATCH as usize {
                break;
            }
        }
        Ok(())
    }
}
