//! Sealed handles that were used, in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::columns::Millis;
use crate::{StoreResult, UsedHandles};

const USE: &str =
    "INSERT INTO used_handles (handle_id, expires_at) VALUES (?1, ?2) ON CONFLICT (handle_id) DO NOTHING";

pub(super) const FIND: &str = "SELECT 1 FROM used_handles WHERE handle_id = ?1";

pub(super) const RELEASE: &str = "DELETE FROM used_handles WHERE handle_id = ?1";

pub(super) const PURGE: &str = "DELETE FROM used_handles WHERE handle_id IN
    (SELECT handle_id FROM used_handles WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

#[async_trait]
impl UsedHandles for SqliteStore {
    async fn use_handle(&self, handle_id: &str, expires_at: Timestamp) -> StoreResult<bool> {
        let handle_id = handle_id.to_owned();
        let inserted = self.writer.write(move |transaction| {
            transaction.prepare_cached(USE)?.execute(params![handle_id, Millis(expires_at)])
        });
        Ok(inserted.await? == 1)
    }

    async fn is_handle_used(&self, handle_id: &str) -> StoreResult<bool> {
        let found = self.readers.read(|database| database.prepare_cached(FIND)?.exists([handle_id]));
        Ok(found.await?)
    }

    async fn release_handle(&self, handle_id: &str) -> StoreResult<()> {
        let handle_id = handle_id.to_owned();
        self.writer
            .write(move |transaction| transaction.prepare_cached(RELEASE)?.execute([handle_id]))
            .await?;
        Ok(())
    }
}
