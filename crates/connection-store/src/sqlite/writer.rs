//! The one thread that writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::PATIENCE;
use super::error::SqliteError;
use super::file::{DatabaseFile, FileIdentity};

/// Sends writes to the thread that does them, one after the other, in the order in which they came. SQLite has one writer
/// at a time anyway; queueing here is fair, and no async thread waits for the disk.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    calls: AtomicU64,
}

enum Job {
    Write(Box<dyn FnOnce(&mut WriteConnection) + Send>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Opens the file, brings its schema up to date and starts the thread. Blocks.
    pub(super) fn start(file: DatabaseFile) -> Result<Self, SqliteError> {
        let mut connection = WriteConnection { file, open: None };
        connection.open_patiently()?;
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || run(connection, &queue))?;
        Ok(Self { jobs, calls: AtomicU64::new(0) })
    }

    /// Runs `work` in a transaction of its own, which is on the disk when this returns `Ok`.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, SqliteError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + PATIENCE;
        let (reply, answer) = oneshot::channel();
        let job = Job::Write(Box::new(move |connection| {
            // A caller that has gone away does not want the answer.
            let _ = reply.send(connection.transact(deadline, work));
        }));
        self.jobs.send(job).map_err(|_| SqliteError::Closed)?;
        answer.await.map_err(|_| SqliteError::Closed)?
    }

    /// How many transactions there have been.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Returns when all writes that were asked for before are done and the file is closed.
    pub(super) async fn close(&self) {
        let (reply, done) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).is_ok() {
            let _ = done.await;
        }
    }
}

/// The thread. Ends when it is told to, or when the store is dropped.
fn run(mut connection: WriteConnection, queue: &mpsc::Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        match job {
            Job::Write(work) => work(&mut connection),
            Job::Close(reply) => {
                drop(connection);
                let _ = reply.send(());
                return;
            }
        }
    }
}

/// The connection that writes, and the file that it is open on.
struct WriteConnection {
    file: DatabaseFile,
    open: Option<(FileIdentity, Connection)>,
}

impl WriteConnection {
    /// Runs `work` between `BEGIN IMMEDIATE` and `COMMIT`, waiting for other processes' locks until `deadline`.
    fn transact<T>(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, SqliteError> {
        let patience = deadline.checked_duration_since(Instant::now()).ok_or(SqliteError::TimedOut)?;
        let connection = self.on_current_file(patience)?;
        connection.busy_timeout(patience)?;
        // IMMEDIATE: a lock taken at the first write could fail without waiting, if another process wrote since BEGIN.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = work(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// The connection, opened again if the path names another file than before. A missing file is an error, and the old
    /// connection is kept: the file may come back.
    fn on_current_file(&mut self, patience: Duration) -> Result<&mut Connection, SqliteError> {
        let identity = self.file.identity()?;
        let open = match self.open.take() {
            Some(open) if open.0 == identity => open,
            _ => (identity, self.file.open_writer(patience)?),
        };
        Ok(&mut self.open.insert(open).1)
    }

    /// Opens for the first time. Where several processes open a new file at once, SQLite may refuse the change to WAL
    /// without waiting, whatever the timeout.
    fn open_patiently(&mut self) -> Result<(), SqliteError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.on_current_file(PATIENCE) {
                Err(error) if error.is_busy() && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
    }
}
