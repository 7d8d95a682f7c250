//! Opening a file only where there is one with the present schema.

use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::SqliteError;
use super::{PATIENCE, SqliteStore, migrations};
use crate::StoreResult;

impl SqliteStore {
    /// Opens the file; `None` where there is none, or nothing in it, and then nothing is made.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`StoreError::Failed`](crate::StoreError::Failed) for a schema that an earlier version of
    /// this program has made, which is left as it is.
    pub async fn open_existing(path: &Path) -> StoreResult<Option<Self>> {
        let found = path.to_owned();
        let is_there = tokio::task::spawn_blocking(move || has_present_schema(&found));
        let is_there = is_there.await.map_err(|_| SqliteError::Closed)??;
        if is_there { Self::open(path).await.map(Some) } else { Ok(None) }
    }
}

fn has_present_schema(path: &Path) -> Result<bool, SqliteError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => return Ok(false),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    match migrations::check(&connection) {
        Err(SqliteError::OtherSchema { found, known }) if found < known => {
            Err(SqliteError::OlderSchema { found, known })
        }
        Err(SqliteError::OtherSchema { found, known }) => Err(SqliteError::NewerSchema { found, known }),
        outcome => outcome.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/x.db");
        assert!(SqliteStore::open_existing(&path).await.unwrap().is_none());
        assert!(!path.parent().unwrap().exists());
        drop(SqliteStore::open(&path).await.unwrap());
        assert!(SqliteStore::open_existing(&path).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn an_older_schema_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        drop(SqliteStore::open(&path).await.unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let error = SqliteStore::open_existing(&path).await.unwrap_err();
        assert!(format!("{error:?}").contains("OlderSchema"), "{error:?}");
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 1);
    }
}
