//! Finishing what time, or a process that died, left unfinished.

use jiff::SignedDuration;

use crate::state::AppState;
use domain::Error;
use domain::work::{BATCH, Progress};

/// Age beyond which unfinished work is nobody's any more: its process has died.
const ABANDONED: SignedDuration = SignedDuration::from_secs(30);

/// Finishes events and deletions that were left behind. Each of the two stands alone: one that fails does not keep the other.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn run(state: &AppState, progress: &impl Progress) -> Result<(), Error> {
    let (settled, finished) = tokio::join!(settle_events(state), finish_deletions(state, progress));
    if let (Err(_), Err(error)) = (&settled, &finished) {
        error.log();
    }
    settled.and(finished)
}

async fn settle_events(state: &AppState) -> Result<(), Error> {
    let settled = state.store.settle_events(ABANDONED, state.clock.now()).await?;
    if settled > 0 {
        tracing::info!(settled, "finished events that a process left behind");
    }
    Ok(())
}

async fn finish_deletions(state: &AppState, progress: &impl Progress) -> Result<(), Error> {
    while !progress.is_stopped() {
        let finished = state.connections.finish_deletions(BATCH).await?;
        progress.made();
        if finished < BATCH as usize {
            break;
        }
    }
    Ok(())
}
