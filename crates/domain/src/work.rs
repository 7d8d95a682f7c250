//! Due work: claimed in the store, run, and then done, tried again later, or released. The one loop of it, whatever it is about.

use std::cell::Cell;
use std::future::Future;

use futures_util::future::join_all;

use crate::error::Error;

/// Rows that a worker claims at once.
pub const BATCH: u32 = 20;

/// Calls to a provider that a worker makes at once.
pub const CONCURRENCY: usize = 4;

/// Tells a loop of work that it is to stop, and hears how far it is.
pub trait Progress {
    /// Tells whether the service stops: nothing new is to be begun.
    fn is_stopped(&self) -> bool;

    /// Waits until the service stops.
    fn stopped(&self) -> impl Future<Output = ()>;

    /// Hears that part of the work is done: a job that has much to do is not stuck.
    fn made(&self);
}

/// The progress of work that nobody stops or watches, in tests.
#[cfg(test)]
pub(crate) struct Unstopped;

#[cfg(test)]
impl Progress for Unstopped {
    fn is_stopped(&self) -> bool {
        false
    }

    async fn stopped(&self) {
        std::future::pending::<()>().await;
    }

    fn made(&self) {}
}

/// Work on rows that are claimed in the store, so that any number of processes can be at it.
pub trait Work {
    /// A claimed row, with its lease.
    type Row;

    /// Rows that are worked on at once.
    const CONCURRENCY: usize = CONCURRENCY;

    /// Claims what is due: fewer than a [`BATCH`] when nothing more is, or may be begun now.
    ///
    /// # Errors
    /// When the store does not answer.
    fn claim(&self) -> impl Future<Output = Result<Vec<Self::Row>, Error>>;

    /// Tells whether work on a row may begin now. Where not, it and all that is left of its batch are released.
    fn may_begin(&self, _row: &Self::Row) -> bool {
        true
    }

    /// Does what the row was claimed for, and stores what came of it.
    fn run(&self, row: &Self::Row) -> impl Future<Output = ()>;

    /// Leaves rows of one claim that were not tried to whoever claims them next.
    ///
    /// # Errors
    /// When the store does not answer: then their leases end by themselves.
    fn release(&self, rows: &[Self::Row]) -> impl Future<Output = Result<(), Error>>;
}

/// Works off what is due, batch by batch, until nothing is, nothing may be begun, or the service stops. What is left of a batch is
/// released then; at a stop at once, since a call that hangs may outlast it. Each row stands alone: what happens to one does not keep
/// the others.
///
/// # Errors
/// When the store does not answer.
pub async fn work_off<W: Work>(work: &W, progress: &impl Progress) -> Result<(), Error> {
    while !progress.is_stopped() {
        let claimed = work.claim().await?;
        // Rows that nobody has begun.
        let rest = Cell::new(claimed.as_slice());
        let begin_next = || {
            let (next, others) = rest.get().split_first()?;
            let begins = !progress.is_stopped() && work.may_begin(next);
            begins.then(|| {
                rest.set(others);
                next
            })
        };
        let workers = (0..W::CONCURRENCY).map(async |_| {
            while let Some(row) = begin_next() {
                work.run(row).await;
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

async fn release<W: Work>(work: &W, rest: &[W::Row]) {
    if !rest.is_empty()
        && let Err(error) = work.release(rest).await
    {
        error.log();
    }
}
