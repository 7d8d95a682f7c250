//! The store in a SQLite file, for one machine.
//!
//! A write-ahead log, so that reads never wait for writes. Writes are queued to one thread and are on the disk when they
//! return; reads run where they are called. Several processes may use one file.

mod api_keys;
mod columns;
mod connection_rows;
mod connection_sql;
mod connections;
mod deletions;
mod error;
mod events;
mod existing;
mod file;
mod history;
mod host_links;
mod idempotency;
mod limits;
mod migrations;
mod oauth_states;
mod pauses;
#[cfg(test)]
mod query_plans;
mod readers;
mod sessions;
#[cfg(test)]
mod sweep;
mod used_handles;
mod users;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::Provider;

use self::connections::Connections;
use self::error::SqliteError;
use self::file::DatabaseFile;
use self::readers::Readers;
use self::writer::Writer;
use crate::{Store, StoreResult};

/// Time for which a call waits for its turn and for the locks of other processes before it is unavailable.
const PATIENCE: Duration = Duration::from_secs(3);

/// Number of expired rows that are removed along with each new row: enough to keep up, too few to be felt.
const PURGED_PER_INSERT: i64 = 20;

/// A store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
    instagram: Connections,
    spotify: Connections,
}

impl SqliteStore {
    /// Opens the file, made (mode 0600) where there is none, its folder (mode 0700) too, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable) when the file cannot be made, opened or locked;
    /// [`StoreError::Failed`](crate::StoreError::Failed) when it is no SQLite database, or one that a later version of
    /// this program has changed.
    pub async fn open(path: &Path) -> StoreResult<Self> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let file = DatabaseFile::create(&path)?;
            let writer = Arc::new(Writer::start(file.clone())?);
            let readers = Arc::new(Readers::new(file));
            let [instagram, spotify] = [Provider::Instagram, Provider::Spotify]
                .map(|provider| Connections::of(provider, &readers, &writer));
            Ok::<_, SqliteError>(Self { readers, writer, instagram, spotify })
        });
        // The task ends early only when the runtime itself does.
        Ok(opened.await.map_err(|_| SqliteError::Closed)??)
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn connections(&self, provider: Provider) -> &dyn crate::Connections {
        match provider {
            Provider::Instagram => &self.instagram,
            Provider::Spotify => &self.spotify,
        }
    }

    async fn ping(&self) -> StoreResult<()> {
        // A look at the file's header: `SELECT 1` would not even open it.
        Ok(self
            .readers
            .read(|connection| connection.pragma_query_value(None, "schema_version", |_| Ok(())))
            .await?)
    }

    async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    fn calls(&self) -> u64 {
        self.readers.calls() + self.writer.calls()
    }
}
