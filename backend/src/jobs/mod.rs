//! Background work: a schedule, and what runs it until the service stops. The work itself is the domain's, but for sending
//! webhooks and for what idempotency keys have kept.

mod maintenance;
mod reencrypt;
mod webhooks;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::JobsConfig;
use crate::health::JobHealth;
use crate::state::AppState;
use domain::Error;
use domain::jittered;
use domain::work::{Progress, work_off};

use self::reencrypt::Reencryption;
use self::webhooks::Deliveries;

/// Time between two looks of a process for webhooks to deliver: one look at an index. An event is delivered
/// within two seconds, in whichever process it happened.
const DELIVERY_POLL: Duration = Duration::from_secs(1);

/// A job's end of what it and the one who runs it tell each other.
struct JobProgress {
    name: &'static str,
    stop: watch::Receiver<bool>,
    health: Arc<JobHealth>,
}

impl Progress for JobProgress {
    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    async fn stopped(&self) {
        // An error says that whoever could stop it is gone.
        let _ = self.stop.clone().wait_for(|&stop| stop).await;
    }

    fn made(&self) {
        self.health.done(self.name);
    }
}

/// The jobs of this process. Any number of processes can run them at once: who does what is decided in the store.
pub(crate) struct Jobs {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them: each with its name in logs, metrics and `/readyz`, and how often it looks for what is due.
    pub(crate) fn start(state: &Data<AppState>, config: &JobsConfig) -> Self {
        let mut jobs = Self::none();
        let (poll, health) = (config.refresh_poll, &state.jobs);
        // Without an app there is nobody to ask.
        if state.connections.has_app() {
            let (refreshed, synced, interval) =
                (Data::clone(state), Data::clone(state), config.sync_interval);
            jobs.add("refresh", poll, health, async move |progress| {
                refreshed.connections.refresh_due(progress).await
            });
            jobs.add("sync", config.sync_poll, health, async move |progress| {
                synced.connections.sync_due(interval, progress).await
            });
        }
        let maintained = Data::clone(state);
        jobs.add("maintenance", poll, health, async move |progress| {
            maintenance::run(&maintained, progress).await
        });
        let mut reencryption = Reencryption::new(state);
        jobs.add("reencrypt", poll, health, async move |progress| reencryption.run(progress).await);
        // Without receivers there is only what an earlier configuration left.
        let look = if state.notifications.has_receivers() { DELIVERY_POLL } else { poll };
        let deliveries = Deliveries::new(state);
        jobs.add("webhooks", look, health, async move |progress| work_off(&deliveries, progress).await);
        jobs
    }

    fn none() -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new() }
    }

    /// Runs a job now, and again whenever `pause` has passed since it was done.
    fn add<J>(&mut self, name: &'static str, pause: Duration, health: &Arc<JobHealth>, mut job: J)
    where
        J: AsyncFnMut(&JobProgress) -> Result<(), Error> + 'static,
    {
        let mut stopped = self.stop.subscribe();
        let progress = JobProgress { name, stop: self.stop.subscribe(), health: Arc::clone(health) };
        health.add(name, pause);
        self.tasks.push(actix_web::rt::spawn(async move {
            loop {
                // A fault in one run is no reason to have no more of them.
                match AssertUnwindSafe(job(&progress)).catch_unwind().await {
                    Ok(Ok(())) => progress.made(),
                    Ok(Err(error)) => error.log(),
                    Err(_) => tracing::error!(job = name, "a job panicked; it goes on with its next run"),
                }
                tokio::select! {
                    _ = stopped.wait_for(|&stop| stop) => return,
                    () = tokio::time::sleep(jittered(pause)) => {}
                }
            }
        }));
    }

    /// Returns the sender that tells the jobs to begin nothing more.
    pub(crate) fn stopper(&self) -> watch::Sender<bool> {
        self.stop.clone()
    }

    /// Stops them, giving what runs until `patience` is over. What is cut off then is taken up when its lease has ended.
    pub(crate) async fn stop(self, patience: Duration) {
        self.stop.send_replace(true);
        let aborts: Vec<_> = self.tasks.iter().map(JoinHandle::abort_handle).collect();
        if tokio::time::timeout(patience, join_all(self.tasks)).await.is_err() {
            tracing::warn!(
                "jobs did not finish in time; what they were at is taken up when its lease has ended"
            );
            for abort in aborts {
                abort.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_job_that_panics_or_fails_runs_again() {
        let mut jobs = Jobs::none();
        let runs = watch::Sender::new(0);
        let mut seen = runs.subscribe();
        // It panics, fails, and then does what it is for.
        jobs.add("clumsy", Duration::from_millis(1), &Arc::default(), async move |_| {
            runs.send_modify(|runs| *runs += 1);
            match *runs.borrow() {
                1 => panic!("on purpose"),
                2 => Err(Error::Internal("on purpose")),
                _ => Ok(()),
            }
        });
        tokio::time::timeout(Duration::from_secs(10), seen.wait_for(|&runs| runs >= 4))
            .await
            .unwrap()
            .unwrap();
        jobs.stop(Duration::from_secs(10)).await;
    }

    #[actix_web::test]
    async fn a_job_amid_its_work_hears_of_the_stop() {
        let mut jobs = Jobs::none();
        // It has more to do than it can, until it is told to stop.
        jobs.add("busy", Duration::from_millis(1), &Arc::default(), async |progress| {
            while !progress.is_stopped() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        });
        let stopping = jobs.stop(Duration::from_secs(60));
        tokio::time::timeout(Duration::from_secs(10), stopping).await.unwrap();
    }
}
