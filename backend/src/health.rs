//! Health of the service: the database answers, and jobs get their work done.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use connection_store::Store;

use crate::api_error::ApiError;

/// Age up to which an answer of the database counts. Anybody may ask for `/readyz`, as often as they like.
const FRESH: Duration = Duration::from_secs(1);

/// A job that has not finished a run for so long is stuck. Longer than any run takes by itself.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Holds the time at which each job of this process last got its work done.
#[derive(Default)]
pub(crate) struct JobHealth(Mutex<BTreeMap<&'static str, Entry>>);

struct Entry {
    done: Instant,
    pause: Duration,
}

impl JobHealth {
    /// From now on the job is expected to be done every `pause`, give or take.
    pub(crate) fn add(&self, name: &'static str, pause: Duration) {
        self.entries().insert(name, Entry { done: Instant::now(), pause });
    }

    /// The job is done for now.
    pub(crate) fn done(&self, name: &'static str) {
        if let Some(entry) = self.entries().get_mut(name) {
            entry.done = Instant::now();
        }
    }

    /// Every job's name, and how long ago it was last done.
    pub(crate) fn ages(&self) -> Vec<(&'static str, Duration)> {
        self.entries().iter().map(|(&name, entry)| (name, entry.done.elapsed())).collect()
    }

    /// The jobs that have not been done for far too long: the database or a provider keeps them waiting, or
    /// they fail each time.
    pub(crate) fn stuck(&self) -> Vec<&'static str> {
        let is_stuck = |entry: &Entry| entry.done.elapsed() > entry.pause * 2 + PATIENCE;
        self.entries().iter().filter(|(_, entry)| is_stuck(entry)).map(|(&name, _)| name).collect()
    }

    /// As if the job was last done so much earlier.
    #[cfg(test)]
    pub(crate) fn set_back(&self, name: &str, by: Duration) {
        self.entries().get_mut(name).unwrap().done -= by;
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Entry>> {
        // What a panicking thread left is whole: every change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last look at the database: when it ended, and whether there was an answer.
#[derive(Default)]
pub(crate) struct LastPing(tokio::sync::Mutex<Option<(Instant, bool)>>);

impl LastPing {
    /// Looks whether the database answers, unless somebody has just done so. However many ask at once, one of them looks.
    ///
    /// # Errors
    /// `unavailable`.
    pub(crate) async fn look(&self, store: &dyn Store) -> Result<(), ApiError> {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, true)) if at.elapsed() < FRESH => Ok(()),
            Some((at, false)) if at.elapsed() < FRESH => Err(ApiError::database_away()),
            _ => {
                let outcome = store.ping().await;
                *last = Some((Instant::now(), outcome.is_ok()));
                Ok(outcome?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_stuck_when_it_was_not_done_for_far_too_long() {
        let health = JobHealth::default();
        health.add("refresh", Duration::from_secs(60));
        health.add("sync", Duration::from_secs(60));
        assert!(health.stuck().is_empty());
        health.set_back("sync", PATIENCE + Duration::from_secs(121));
        assert_eq!(health.stuck(), ["sync"]);
        health.done("sync");
        assert!(health.stuck().is_empty());
    }
}
