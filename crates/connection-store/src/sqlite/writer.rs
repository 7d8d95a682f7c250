//! The one thread that writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::PATIENCE;
use super::error::SqliteError;
use super::file::{DatabaseFile, FileIdentity};

/// Writes that may wait for their turn. More are refused at once: with so many in front, none of them would be in time.
const QUEUE: usize = 2048;

/// Time for which a caller waits for its answer: longer than for its turn, so that a write that has begun is
/// mostly heard of.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// Time after a write at which the log is emptied, so that the replaced content is nowhere in the files.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(1);

/// Time between an attempt to empty the log and the next one, where a reader prevented the first.
const CHECKPOINT_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Time for which an attempt to empty the log waits for readers of the old content. No write runs meanwhile.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(200);

/// Sends writes to the thread that does them, one after the other, in the order in which they came. SQLite has one writer
/// at a time anyway; queueing here is fair, and no async thread waits for the disk.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// The free places in the queue.
    places: Arc<Semaphore>,
    calls: AtomicU64,
}

enum Job {
    Write(Box<dyn FnOnce(&mut WriteConnection) + Send>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Opens the file, brings its schema up to date and starts the thread. Blocks.
    pub(super) fn start(file: DatabaseFile) -> Result<Self, SqliteError> {
        // A process that was killed may have left a log.
        let checkpoint_at = Some(Instant::now() + CHECKPOINT_AFTER);
        let mut connection = WriteConnection { file, open: None, checkpoint_at };
        connection.open_patiently()?;
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || run(connection, &queue))?;
        Ok(Self { jobs, places: Arc::new(Semaphore::new(QUEUE)), calls: AtomicU64::new(0) })
    }

    /// Runs `work` in a transaction of its own, which is on the disk when this returns `Ok`.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, SqliteError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.queue(work, |_| {}).await
    }

    /// Runs `work` as [`write`](Self::write) does, and empties the log before it returns: what `work` erased is then in none
    /// of the database's files. While a reader keeps the log from being emptied, that is done later.
    pub(super) async fn erase<T, W>(&self, work: W) -> Result<T, SqliteError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.queue(work, WriteConnection::checkpoint).await
    }

    /// Queues `work`, and what follows it when it is committed, and waits for the answer.
    async fn queue<T, W>(&self, work: W, then: fn(&mut WriteConnection)) -> Result<T, SqliteError>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| SqliteError::QueueFull)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + PATIENCE;
        let (reply, answer) = oneshot::channel();
        let job = Job::Write(Box::new(move |connection| {
            drop(place);
            // A caller that has gone away has told nobody of the write: nothing must be written for it later.
            if !reply.is_closed() {
                let outcome = connection.transact(deadline, work);
                if outcome.is_ok() {
                    then(connection);
                }
                let _ = reply.send(outcome);
            }
        }));
        self.jobs.send(job).map_err(|_| SqliteError::Closed)?;
        match timeout(ANSWER_PATIENCE, answer).await {
            Ok(outcome) => outcome.map_err(|_| SqliteError::Closed)?,
            Err(_) => Err(SqliteError::TimedOut),
        }
    }

    /// Returns the number of transactions so far.
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
    loop {
        let job = match connection.checkpoint_at {
            None => queue.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(time) => queue.recv_timeout(time.saturating_duration_since(Instant::now())),
        };
        match job {
            Ok(Job::Write(work)) => work(&mut connection),
            Ok(Job::Close(reply)) => {
                drop(connection);
                let _ = reply.send(());
                return;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        // Also between the writes of a queue that is never empty.
        if connection.checkpoint_at.is_some_and(|time| time <= Instant::now()) {
            connection.checkpoint();
        }
    }
}

/// The connection that writes, and the file that it is open on.
struct WriteConnection {
    file: DatabaseFile,
    open: Option<(FileIdentity, Connection)>,
    /// Time at which the log is to be emptied. `None` while nothing was written since it was.
    checkpoint_at: Option<Instant>,
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
        self.checkpoint_at.get_or_insert_with(|| Instant::now() + CHECKPOINT_AFTER);
        Ok(answer)
    }

    /// Brings what is in the log into the database and empties the log. Until then the log holds what writes have replaced,
    /// and the database what they have erased. A reader of the old content, or another process, keeps that from being done;
    /// then it is tried again later.
    fn checkpoint(&mut self) {
        self.checkpoint_at = match self.try_checkpoint() {
            Ok(true) => None,
            Ok(false) | Err(_) => Some(Instant::now() + CHECKPOINT_AGAIN_AFTER),
        };
    }

    /// Returns whether the log is empty now.
    fn try_checkpoint(&mut self) -> Result<bool, SqliteError> {
        let connection = self.on_current_file(CHECKPOINT_PATIENCE)?;
        connection.busy_timeout(CHECKPOINT_PATIENCE)?;
        let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(!is_busy)
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
