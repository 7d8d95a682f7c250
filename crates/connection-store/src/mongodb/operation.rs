//! Runs operations: each to its end once it has begun, but no caller waits for one for ever.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mongodb::error::{ErrorKind, Result};
use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit, RwLock, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::{StoreError, StoreResult};

/// Time for which a call waits for the database. Longer than choosing a server and connecting to it together.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for which an operation waits for its turn. An operation that begins has the rest of the time, and is
/// mostly done in it.
const TURN_TIMEOUT: Duration = Duration::from_secs(4);

/// Operations that may wait for their turn. More are refused at once: with so many in front, none of them would be in time.
const QUEUE: usize = 2048;

/// Time that it may take to make unique indexes, and to read whole collections: they may be large.
const SLOW_TIMEOUT: Duration = Duration::from_secs(600);

tokio::task_local! {
    /// Time at which the caller of the present operation stops waiting for it.
    static DEADLINE: Instant;
}

/// Fails when the caller of the present operation has stopped waiting for it. To be asked before a write that is not the
/// operation's first step: what nobody waits for any more must not be written. And after one that spends something or lets
/// somebody in, which is then taken back.
pub(super) fn in_time() -> Result<()> {
    let is_over = DEADLINE.try_with(|deadline| Instant::now() >= *deadline).unwrap_or(false);
    if is_over { Err(ErrorKind::from(io::ErrorKind::TimedOut).into()) } else { Ok(()) }
}

/// Runs operations, and knows when all are done.
#[derive(Debug)]
pub(super) struct Operations {
    /// Tells whether the store is closed. Each operation holds the lock for reading while it runs.
    closed: Arc<RwLock<bool>>,
    /// One for each connection to the server, so that what has begun does not wait for one.
    turns: Arc<Semaphore>,
    /// The free places in the queue for a turn.
    places: Semaphore,
}

/// Shows the store that an operation runs, and holds its turn.
struct Turn {
    _open: OwnedRwLockReadGuard<bool>,
    _turn: OwnedSemaphorePermit,
}

impl Operations {
    /// Operations over so many connections to the server.
    pub(super) fn over(connections: u32) -> Self {
        Self {
            closed: Arc::default(),
            turns: Arc::new(Semaphore::new(connections as usize)),
            places: Semaphore::new(QUEUE),
        }
    }

    /// The outcome of an operation; unavailable when it takes too long.
    ///
    /// The operation is a task of its own, since the driver asks that none is dropped half-way, which a timeout, or a
    /// client that hangs up, would do. What had begun when it was given up may still be carried out. What had not never is.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> StoreResult<T> {
        self.run_within(OPERATION_TIMEOUT, operation).await
    }

    /// As [`run`](Self::run), with time enough to make indexes or to look at every document.
    pub(super) async fn run_slow<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T>> + Send + 'static,
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
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> StoreResult<T> {
        let deadline = Instant::now() + patience;
        let turn = self.turn(deadline).await?;
        let task = tokio::spawn(DEADLINE.scope(deadline, async move {
            let outcome = operation.await;
            drop(turn);
            outcome
        }));
        match timeout_at(deadline, task).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            // The runtime is shutting down.
            Ok(Err(_)) => Err(unavailable(io::ErrorKind::Interrupted)),
            Err(_) => Err(unavailable(io::ErrorKind::TimedOut)),
        }
    }

    /// Waits for a turn in the caller's own task: a caller that goes away leaves nothing behind.
    async fn turn(&self, deadline: Instant) -> StoreResult<Turn> {
        let _place = self.places.try_acquire().map_err(|_| unavailable(io::ErrorKind::QuotaExceeded))?;
        let begun_by = deadline.min(Instant::now() + TURN_TIMEOUT);
        let turn = timeout_at(begun_by, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(|| unavailable(io::ErrorKind::TimedOut))?;
        let open = timeout_at(begun_by, Arc::clone(&self.closed).read_owned()).await;
        match open {
            Ok(closed) if !*closed => Ok(Turn { _open: closed, _turn: turn }),
            _ => Err(unavailable(io::ErrorKind::NotConnected)),
        }
    }
}

fn unavailable(kind: io::ErrorKind) -> StoreError {
    StoreError::Unavailable(Box::new(io::Error::from(kind)))
}
