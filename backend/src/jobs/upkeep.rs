//! Finishing what time, or a process that died, left unfinished.

use actix_web::web::Data;
use jiff::SignedDuration;

use super::{Job, Progress};
use crate::app::{AppState, BATCH};
use crate::error::ApiError;

/// What is older than this is nobody's work any more: its process is dead.
const ABANDONED: SignedDuration = SignedDuration::from_secs(30);

/// Tells owners that their token has ended, and finishes events and deletions that were left behind.
pub(super) struct UpkeepJob {
    state: Data<AppState>,
}

impl UpkeepJob {
    pub(super) fn new(state: &Data<AppState>) -> Self {
        Self { state: Data::clone(state) }
    }
}

impl Job for UpkeepJob {
    const NAME: &'static str = "upkeep";

    async fn run_once(&mut self, _: &Progress) -> Result<(), ApiError> {
        while self.state.connections.mark_ended(BATCH).await? == BATCH as usize {}
        let settled = self.state.store.settle_events(ABANDONED, self.state.clock.now()).await?;
        if settled > 0 {
            tracing::info!(settled, "finished events that a process left behind");
        }
        while self.state.connections.finish_deletions(ABANDONED, BATCH).await? == BATCH as usize {}
        Ok(())
    }
}
