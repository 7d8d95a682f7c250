//! Background work: small types with a `run_once`, and what runs them until the service stops.

mod health;
mod refresh;
mod reseal;
mod sync;
mod upkeep;
mod webhooks;

use std::future::Future;
use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::AppState;
use crate::config::JobsConfig;
use crate::error::ApiError;

pub(crate) use health::JobHealth;

/// How often a process looks for webhooks to deliver: one look at an index, and what happens is told within two seconds, in
/// whichever process it happened.
const DELIVERY_POLL: Duration = Duration::from_secs(1);

/// Work that is done again and again.
trait Job {
    /// The name in logs, metrics and `/readyz`.
    const NAME: &'static str;

    /// Does what is due now.
    fn run_once(&mut self) -> impl Future<Output = Result<(), ApiError>>;
}

/// The jobs of this process. Any number of processes can run them at once: who does what is decided in the store.
pub(crate) struct Jobs {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them.
    pub(crate) fn start(state: &Data<AppState>, config: &JobsConfig) -> Self {
        let mut jobs = Self { stop: watch::Sender::new(false), tasks: Vec::new() };
        let poll = config.refresh_poll;
        jobs.add(refresh::RefreshJob::new(state, config.refresh_window), poll, state);
        jobs.add(sync::SyncJob::new(state, config.sync_interval), poll, state);
        jobs.add(upkeep::UpkeepJob::new(state), poll, state);
        jobs.add(reseal::ResealJob::new(state), poll, state);
        // Without receivers there is only what an earlier configuration left.
        let look = if state.webhooks.has_receivers() { DELIVERY_POLL } else { poll };
        jobs.add(webhooks::WebhooksJob::new(state), look, state);
        jobs
    }

    /// Runs a job now, and again whenever `pause` has passed since it was done.
    fn add<J: Job + 'static>(&mut self, mut job: J, pause: Duration, state: &Data<AppState>) {
        let mut stopped = self.stop.subscribe();
        let state = Data::clone(state);
        state.jobs.add(J::NAME, pause);
        self.tasks.push(actix_web::rt::spawn(async move {
            loop {
                match job.run_once().await {
                    Ok(()) => state.jobs.done(J::NAME),
                    Err(error) => error.log(),
                }
                tokio::select! {
                    _ = stopped.wait_for(|&stop| stop) => return,
                    () = tokio::time::sleep(jittered(pause)) => {}
                }
            }
        }));
    }

    /// Stops them, giving what runs until `patience` is over. What is cut off then is taken up when its lease has ended.
    pub(crate) async fn stop(self, patience: Duration) {
        self.stop.send_replace(true);
        let aborts: Vec<_> = self.tasks.iter().map(JoinHandle::abort_handle).collect();
        if tokio::time::timeout(patience, futures_util::future::join_all(self.tasks)).await.is_err() {
            for abort in aborts {
                abort.abort();
            }
        }
    }
}

/// Up to a quarter more or less, by chance, so that many processes do not all ask in the same moment.
fn jittered(pause: Duration) -> Duration {
    let mut chance = [0_u8];
    // Without random numbers there is no jitter, which is no reason to fail.
    let _ = getrandom::fill(&mut chance);
    pause * 3 / 4 + pause * u32::from(chance[0]) / 512
}
