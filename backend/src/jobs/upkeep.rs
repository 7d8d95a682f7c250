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

    /// Each of the three stands alone: one that fails does not keep the others.
    async fn run_once(&mut self, _: &Progress) -> Result<(), ApiError> {
        let (marked, settled, finished) =
            tokio::join!(self.mark_ended(), self.settle_events(), self.finish_deletions());
        let mut failed = [marked, settled, finished].into_iter().filter_map(Result::err);
        let first = failed.next();
        failed.for_each(|error| error.log());
        first.map_or(Ok(()), Err)
    }
}

impl UpkeepJob {
    async fn mark_ended(&self) -> Result<(), ApiError> {
        while self.state.connections.mark_ended(BATCH).await? > 0 {}
        Ok(())
    }

    async fn settle_events(&self) -> Result<(), ApiError> {
        let settled = self.state.store.settle_events(ABANDONED, self.state.clock.now()).await?;
        if settled > 0 {
            tracing::info!(settled, "finished events that a process left behind");
        }
        Ok(())
    }

    async fn finish_deletions(&self) -> Result<(), ApiError> {
        while self.state.connections.finish_deletions(ABANDONED, BATCH).await? == BATCH as usize {}
        Ok(())
    }
}
