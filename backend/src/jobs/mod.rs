//! Background work: small types with a `run_once`, and what runs them until the service stops.

mod refresh;

use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::app::AppState;
use crate::config::JobsConfig;
use refresh::RefreshJob;

/// The jobs of this process. Any number of processes can run them at once: who does what is decided in the store.
pub(crate) struct Jobs {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Jobs {
    /// Starts them.
    pub(crate) fn start(state: Data<AppState>, config: &JobsConfig, upstream_timeout: Duration) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let mut refresh = RefreshJob::new(state, config.refresh_window, upstream_timeout);
        let pause = config.refresh_poll;
        let task = actix_web::rt::spawn(async move {
            loop {
                refresh.run_once().await;
                tokio::select! {
                    _ = &mut stopped => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        });
        Self { stop, task }
    }

    /// Stops them, giving what runs until `patience` is over. What is cut off then is taken up when its lease has ended.
    pub(crate) async fn stop(self, patience: Duration) {
        // A job that has ended does not listen.
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if tokio::time::timeout(patience, self.task).await.is_err() {
            abort.abort();
        }
    }
}
