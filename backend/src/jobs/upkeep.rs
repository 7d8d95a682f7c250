//! Finishing what time, or a process that died, left unfinished.

use actix_web::web::Data;
use jiff::SignedDuration;

use super::{Job, Progress};
use crate::app::AppState;
use domain::Error;
use domain::work::BATCH;

/// What is older than this is nobody's work any more: its process is dead.
const ABANDONED: SignedDuration = SignedDuration::from_secs(30);

/// Finds out about tokens that have ended, so that their owners are told, and finishes events and deletions that were left behind.
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
    async fn run_once(&mut self, progress: &Progress) -> Result<(), Error> {
        let (asked, settled, finished) = tokio::join!(
            self.ask_about_ended(progress),
            self.settle_events(),
            self.finish_deletions(progress)
        );
        let mut failed = [asked, settled, finished].into_iter().filter_map(Result::err);
        let first = failed.next();
        failed.for_each(|error| error.log());
        first.map_or(Ok(()), Err)
    }
}

impl UpkeepJob {
    /// Without an app there is nobody to ask.
    async fn ask_about_ended(&self, progress: &Progress) -> Result<(), Error> {
        let connections = &self.state.connections;
        while connections.has_app() && !progress.is_stopped() {
            let asked = connections.ask_about_ended(BATCH).await?;
            progress.made();
            if asked < BATCH as usize {
                break;
            }
        }
        Ok(())
    }

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
