//! The database file: made, recognised, opened.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::SqliteError;
use super::migrations;

/// The file behind a store. Only [`create`](Self::create) ever makes it: if it vanishes later, the store must not go on
/// with an empty one.
#[derive(Clone, Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
}

/// Identifies the file that a path names (device and inode). A connection goes on with its file when another
/// file takes the path, and would write where nobody will ever read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity(u64, u64);

impl DatabaseFile {
    /// The file at `path`, made with mode 0600 where there is none, in a folder made with mode 0700 where there is none.
    /// SQLite gives its `-wal` and `-shm` files the mode of the file.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let mut folders = DirBuilder::new();
        let mut file = OpenOptions::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            folders.mode(0o700);
            file.mode(0o600);
        }
        if let Some(parent) = path.parent() {
            folders.recursive(true).create(parent)?;
        }
        file.read(true).append(true).create(true).open(&path)?;
        Ok(Self { path })
    }

    /// Returns the identity of the file that the path names now.
    pub(super) fn identity(&self) -> io::Result<FileIdentity> {
        let metadata = std::fs::metadata(&self.path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(FileIdentity(metadata.dev(), metadata.ino()))
        }
        #[cfg(not(unix))]
        {
            // An open file cannot be moved away there.
            let _ = metadata;
            Ok(FileIdentity(0, 0))
        }
    }

    /// A connection that may write, on a file with the current schema. Waits up to `patience` for locks.
    pub(super) fn open_writer(&self, patience: Duration) -> Result<Connection, SqliteError> {
        let mut connection = self.open()?;
        connection.busy_timeout(patience)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        // FULL: an acknowledged write is on the disk, whatever happens to the power.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Deleted content, tokens above all, is overwritten in the file.
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        migrations::migrate(&mut connection)?;
        Ok(connection)
    }

    /// A connection that may only read, and that never waits. `query_only` rather than opened read-only, since a reader
    /// of a write-ahead log must be able to recover it.
    pub(super) fn open_reader(&self) -> Result<Connection, SqliteError> {
        let connection = self.open()?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "query_only", true)?;
        migrations::check(&connection)?;
        Ok(connection)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        // Without SQLITE_OPEN_CREATE and SQLITE_OPEN_URI. NO_MUTEX: each connection is used by one thread at a time.
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        // A plan never depends on the values bound. Otherwise SQLite compiles a cached statement anew for every value, which
        // costs more than running it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    }
}
