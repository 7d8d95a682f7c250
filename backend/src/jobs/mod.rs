//! Background work: small types with a `run_once`, and what runs them until the service stops.

mod health;
mod maintenance;
mod reencrypt;
mod refresh;
mod sync;
mod webhooks;

use std::cell::Cell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use connection_store::Connection;
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::AppState;
use crate::config::JobsConfig;
use domain::Connections;
use domain::Error;
use domain::jittered;
use domain::work::{BATCH, CONCURRENCY};

pub(crate) use health::JobHealth;

/// How often a process looks for webhooks to deliver: one look at an index, and what happens is told within two seconds, in
/// whichever process it happened.
const DELIVERY_POLL: Duration = Duration::from_secs(1);

/// Work that is done again and again.
trait Job {
    /// The name in logs, metrics and `/readyz`.
    const NAME: &'static str;

    /// Does what is due now, and looks between the parts of it whether the service stops.
    fn run_once(&mut self, progress: &Progress) -> impl Future<Output = Result<(), Error>>;
}

/// Work on connections that are claimed in the store, so that any number of processes can be at it.
trait Work {
    /// Claims what is due: fewer than a [`BATCH`] when nothing more is.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn claim(&self) -> Result<Vec<Connection>, Error>;

    /// Until when a claimed connection is this worker's.
    fn lease_until(claimed: &Connection) -> Option<Timestamp>;

    /// Does what the connection was claimed for.
    async fn carry_out(&self, claimed: &Connection);

    /// Leaves what was claimed until then, and not tried, to whoever claims it next.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn release(&self, ids: &[&str], lease_until: Timestamp) -> Result<(), Error>;
}

/// Works off what is due, batch by batch, until Instagram wants a pause or the service stops. What is left of a batch is
/// released then; at a stop at once, since a call that hangs may outlast it. Each connection stands alone: what happens to one does
/// not keep the others.
async fn work_off<W: Work>(work: &W, connections: &Connections, progress: &Progress) -> Result<(), Error> {
    while !progress.is_stopped() && connections.paused().await?.is_none() {
        let claimed = work.claim().await?;
        // What nobody has begun.
        let rest = Cell::new(claimed.as_slice());
        let begin_next = || {
            let (next, others) = rest.get().split_first()?;
            let begins = !progress.is_stopped() && connections.may_begin(W::lease_until(next));
            begins.then(|| {
                rest.set(others);
                next
            })
        };
        let workers = (0..CONCURRENCY).map(async |_| {
            while let Some(connection) = begin_next() {
                work.carry_out(connection).await;
            }
        });
        let mut working = join_all(workers);
        tokio::select! {
            _ = &mut working => {}
            () = progress.stopped() => {
                release(work, rest.take()).await;
                working.await;
            }
        }
        release(work, rest.take()).await;
        progress.made();
        if claimed.len() < BATCH as usize {
            break;
        }
    }
    Ok(())
}

/// Releases what is left of a batch. Where the store does not answer, the leases end by themselves.
async fn release<W: Work>(work: &W, rest: &[Connection]) {
    let Some(lease_until) = rest.first().and_then(W::lease_until) else { return };
    let ids: Vec<_> = rest.iter().map(|connection| &*connection.id).collect();
    if let Err(error) = work.release(&ids, lease_until).await {
        error.log();
    }
}

/// What a job and the one who runs it tell each other.
struct Progress {
    name: &'static str,
    stop: watch::Receiver<bool>,
    health: Arc<JobHealth>,
}

impl Progress {
    /// Whether the service stops: nothing new is to be begun.
    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the service stops.
    async fn stopped(&self) {
        // An error says that whoever could stop it is gone.
        let _ = self.stop.clone().wait_for(|&stop| stop).await;
    }

    /// Part of the work is done: a job that has much to do is not stuck.
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
    /// Starts them.
    pub(crate) fn start(state: &Data<AppState>, config: &JobsConfig) -> Self {
        let mut jobs = Self::none();
        let poll = config.refresh_poll;
        // Without an app there is nobody to ask.
        if state.connections.has_app() {
            jobs.add(refresh::RefreshJob::new(state), poll, &state.jobs);
            jobs.add(sync::SyncJob::new(state, config.sync_interval), config.sync_poll, &state.jobs);
        }
        jobs.add(maintenance::MaintenanceJob::new(state), poll, &state.jobs);
        jobs.add(reencrypt::ReencryptJob::new(state), poll, &state.jobs);
        // Without receivers there is only what an earlier configuration left.
        let look = if state.webhooks.has_receivers() { DELIVERY_POLL } else { poll };
        jobs.add(webhooks::WebhooksJob::new(state), look, &state.jobs);
        jobs
    }

    fn none() -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new() }
    }

    /// Runs a job now, and again whenever `pause` has passed since it was done.
    fn add<J: Job + 'static>(&mut self, mut job: J, pause: Duration, health: &Arc<JobHealth>) {
        let mut stopped = self.stop.subscribe();
        let progress = Progress { name: J::NAME, stop: self.stop.subscribe(), health: Arc::clone(health) };
        health.add(J::NAME, pause);
        self.tasks.push(actix_web::rt::spawn(async move {
            loop {
                // A fault in one run is no reason to have no more of them.
                match AssertUnwindSafe(job.run_once(&progress)).catch_unwind().await {
                    Ok(Ok(())) => progress.made(),
                    Ok(Err(error)) => error.log(),
                    Err(_) => tracing::error!(job = J::NAME, "a job panicked; it goes on with its next run"),
                }
                tokio::select! {
                    _ = stopped.wait_for(|&stop| stop) => return,
                    () = tokio::time::sleep(jittered(pause)) => {}
                }
            }
        }));
    }

    /// What tells the jobs that they are to begin nothing more.
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

    /// Panics, fails, and then does what it is for.
    struct Clumsy {
        runs: watch::Sender<u32>,
    }

    impl Job for Clumsy {
        const NAME: &'static str = "clumsy";

        async fn run_once(&mut self, _: &Progress) -> Result<(), Error> {
            self.runs.send_modify(|runs| *runs += 1);
            match *self.runs.borrow() {
                1 => panic!("on purpose"),
                2 => Err(Error::Internal("on purpose")),
                _ => Ok(()),
            }
        }
    }

    /// Has more to do than it can, until it is told to stop.
    struct Busy;

    impl Job for Busy {
        const NAME: &'static str = "busy";

        async fn run_once(&mut self, progress: &Progress) -> Result<(), Error> {
            while !progress.is_stopped() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_job_that_panics_or_fails_runs_again() {
        let mut jobs = Jobs::none();
        let runs = watch::Sender::new(0);
        let mut seen = runs.subscribe();
        jobs.add(Clumsy { runs }, Duration::from_millis(1), &Arc::default());
        tokio::time::timeout(Duration::from_secs(10), seen.wait_for(|&runs| runs >= 4))
            .await
            .unwrap()
            .unwrap();
        jobs.stop(Duration::from_secs(10)).await;
    }

    #[actix_web::test]
    async fn a_job_amid_its_work_hears_of_the_stop() {
        let mut jobs = Jobs::none();
        jobs.add(Busy, Duration::from_millis(1), &Arc::default());
        let stopping = jobs.stop(Duration::from_secs(60));
        tokio::time::timeout(Duration::from_secs(10), stopping).await.unwrap();
    }
}
