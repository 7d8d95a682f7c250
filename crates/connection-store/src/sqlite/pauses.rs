//! Pauses in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::SqliteStore;
use super::columns::Millis;
use crate::{Pauses, StoreResult};

const PAUSE: &str = "INSERT INTO pauses (name, until) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET until = max(until, excluded.until)";

pub(super) const FIND: &str = "SELECT until FROM pauses WHERE name = ?1 AND +until > ?2";

#[async_trait]
impl Pauses for SqliteStore {
    async fn pause(&self, name: &str, until: Timestamp) -> StoreResult<()> {
        let name = name.to_owned();
        let paused = self.writer.write(move |transaction| {
            transaction.prepare_cached(PAUSE)?.execute(params![name, Millis(until)])
        });
        paused.await?;
        Ok(())
    }

    async fn paused_until(&self, name: &str, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(FIND)?;
            statement.query_row(params![name, Millis(now)], |row| Ok(row.get::<_, Millis>(0)?.0)).optional()
        });
        Ok(found.await?)
    }
}
