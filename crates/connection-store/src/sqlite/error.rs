//! Failures of a SQLite file. Some of them pass by themselves.

use std::io;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::StoreError;

/// Reason why a call on the file failed.
#[derive(Debug, Error)]
pub(super) enum SqliteError {
    /// Error that SQLite returned.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file or its folder is not there or not ours.
    #[error("the database file cannot be reached")]
    File(#[from] io::Error),
    /// A later program has changed the file.
    #[error("the database has schema version {found}, this program knows up to {known}: run a newer version")]
    NewerSchema {
        /// The file's version.
        found: usize,
        /// This program's version.
        known: usize,
    },
    /// An earlier program has made the file, and whoever opens it must not change that.
    #[error(
        "the database has schema version {found}, this program needs {known}: the service of this version makes it so \
             when it starts"
    )]
    OlderSchema {
        /// The file's version.
        found: usize,
        /// This program's version.
        known: usize,
    },
    /// The file was exchanged for one of another version, which the next write migrates or refuses.
    #[error("the database file was replaced by one with schema version {found}, expected {known}")]
    OtherSchema {
        /// The file's version.
        found: usize,
        /// This program's version.
        known: usize,
    },
    /// Other writes took all the time that there was.
    #[error("the database was busy with other writes for too long")]
    TimedOut,
    /// As many writes wait as may.
    #[error("too many writes wait for their turn")]
    QueueFull,
    /// `close` was called.
    #[error("the store is closed")]
    Closed,
}

impl SqliteError {
    /// Tells whether another connection holds a lock that it will release.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Tells whether the same call may succeed later without anybody changing the program or the data.
    fn may_pass(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::CannotOpen
                        | ErrorCode::PermissionDenied
                        | ErrorCode::ReadOnly
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::DiskFull
                        | ErrorCode::FileLockingProtocolFailed
                        | ErrorCode::OutOfMemory
                )
            ),
            Self::File(_) | Self::OtherSchema { .. } | Self::TimedOut | Self::QueueFull | Self::Closed => {
                true
            }
            Self::NewerSchema { .. } | Self::OlderSchema { .. } => false,
        }
    }
}

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        if error.may_pass() { Self::Unavailable(Box::new(error)) } else { Self::Failed(Box::new(error)) }
    }
}
