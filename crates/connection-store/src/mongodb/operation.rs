//! How every operation runs: to its end, but nobody waits for it for ever.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::time::timeout;

use crate::{StoreError, StoreResult};

/// How long a call waits for the database. Longer than choosing a server and connecting to it together.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long indexes may take to be made, and whole collections to be read: they may be large.
const SLOW_TIMEOUT: Duration = Duration::from_secs(600);

/// Runs operations, and knows when all are done.
#[derive(Debug, Default)]
pub(super) struct Operations {
    /// Whether the store is closed. Each operation holds the lock for reading while it runs.
    closed: Arc<RwLock<bool>>,
}

impl Operations {
    /// The outcome of an operation; unavailable when it takes too long.
    ///
    /// The operation is a task of its own, since the driver asks that none is dropped half-way, which a timeout, or a
    /// client that hangs up, would do. What was given up may still be carried out.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
    ) -> StoreResult<T> {
        self.run_within(OPERATION_TIMEOUT, operation).await
    }

    /// As [`run`](Self::run), with time enough to make indexes or to look at every document.
    pub(super) async fn run_slow<T: Send + 'static>(
        &self,
        operation: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
    ) -> StoreResult<T> {
        self.run_within(SLOW_TIMEOUT, operation).await
    }

    /// Returns when all operations are done, or after a while. Later ones are unavailable.
    pub(super) async fn close(&self) {
        if let Ok(mut closed) = timeout(OPERATION_TIMEOUT, self.closed.write()).await {
            *closed = true;
        }
    }

    /// As [`run`](Self::run), with as much time as is said.
    pub(super) async fn run_within<T: Send + 'static>(
        &self,
        patience: Duration,
        operation: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
    ) -> StoreResult<T> {
        let closed = Arc::clone(&self.closed).read_owned().await;
        if *closed {
            return Err(unavailable(io::ErrorKind::NotConnected));
        }
        let task = tokio::spawn(async move {
            let outcome = operation.await;
            drop(closed);
            outcome
        });
        match timeout(patience, task).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            // The runtime is shutting down.
            Ok(Err(_)) => Err(unavailable(io::ErrorKind::Interrupted)),
            Err(_) => Err(unavailable(io::ErrorKind::TimedOut)),
        }
    }
}

fn unavailable(kind: io::ErrorKind) -> StoreError {
    StoreError::Unavailable(Box::new(io::Error::from(kind)))
}
