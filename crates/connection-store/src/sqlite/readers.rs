//! Point reads on the calling thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::PATIENCE;
use super::error::SqliteError;
use super::file::{DatabaseFile, FileIdentity};

/// Connections that read. A read of a write-ahead log never waits for the writer and takes some microseconds, less than
/// handing it to another thread would: so it runs right where it is asked for, on a connection that is idle.
#[derive(Debug)]
pub(super) struct Readers {
    file: DatabaseFile,
    /// `None` once closed. Never more than the threads that read at the same time.
    idle: Mutex<Option<Vec<Reader>>>,
    calls: AtomicU64,
}

#[derive(Debug)]
struct Reader {
    identity: FileIdentity,
    connection: Connection,
}

impl Readers {
    /// Reads of `file`, which has its schema.
    pub(super) fn new(file: DatabaseFile) -> Self {
        Self { file, idle: Mutex::new(Some(Vec::new())), calls: AtomicU64::new(0) }
    }

    /// The answer of `query`. If another process locks readers out, which few operations do, waits without blocking.
    pub(super) async fn read<T: Send>(
        &self,
        query: impl Fn(&Connection) -> rusqlite::Result<T> + Send + Sync,
    ) -> Result<T, SqliteError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_read(&query) {
                Err(error) if error.is_busy() && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Returns the number of reads so far.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Closes the connections. Reads fail from now on.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn try_read<T>(&self, query: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, SqliteError> {
        let reader = self.take()?;
        let answer = query(&reader.connection)?;
        if let Some(idle) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            idle.push(reader);
        }
        Ok(answer)
    }

    /// A connection on the file that the path names now. One whose query failed is not reused: that is rare, and a new
    /// one cannot have inherited the problem.
    fn take(&self) -> Result<Reader, SqliteError> {
        let identity = self.file.identity()?;
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(Vec::pop);
            match idle {
                None => return Err(SqliteError::Closed),
                Some(Some(reader)) if reader.identity == identity => return Ok(reader),
                Some(Some(of_another_file)) => drop(of_another_file),
                Some(None) => return Ok(Reader { identity, connection: self.file.open_reader()? }),
            }
        }
    }
}
