//! Counts of attempts in SQLite.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::columns::Millis;
use super::{PURGED_PER_INSERT, SqliteStore};
use crate::times::later;
use crate::{Limits, StoreResult, Tries};

/// In `DO UPDATE`, a bare column is the row as it was. The count stops at the largest `u32`.
const COUNT: &str = "INSERT INTO tries (name, count, resets_at) VALUES (?1, 1, ?2)
    ON CONFLICT (name) DO UPDATE SET
        count = iif(resets_at > ?3, min(count + 1, 4294967295), 1),
        resets_at = iif(resets_at > ?3, resets_at, excluded.resets_at)
    RETURNING count, resets_at";

pub(super) const FIND: &str = "SELECT count, resets_at FROM tries WHERE name = ?1 AND +resets_at > ?2";

pub(super) const FORGET: &str = "DELETE FROM tries WHERE name = ?1";

pub(super) const PURGE: &str = "DELETE FROM tries WHERE name IN
    (SELECT name FROM tries WHERE resets_at <= ?1 ORDER BY resets_at LIMIT ?2)";

#[async_trait]
impl Limits for SqliteStore {
    async fn count_try(&self, name: &str, window: SignedDuration, now: Timestamp) -> StoreResult<Tries> {
        let name = name.to_owned();
        let counted = self.writer.write(move |transaction| {
            transaction.prepare_cached(PURGE)?.execute(params![Millis(now), PURGED_PER_INSERT])?;
            let values = params![name, Millis(later(now, window)), Millis(now)];
            transaction.prepare_cached(COUNT)?.query_row(values, tries)
        });
        Ok(counted.await?)
    }

    async fn tries(&self, name: &str, now: Timestamp) -> StoreResult<Option<Tries>> {
        let found = self.readers.read(|database| {
            database.prepare_cached(FIND)?.query_row(params![name, Millis(now)], tries).optional()
        });
        Ok(found.await?)
    }

    async fn forget_tries(&self, name: &str) -> StoreResult<()> {
        let name = name.to_owned();
        let forgotten =
            self.writer.write(move |transaction| transaction.prepare_cached(FORGET)?.execute([name]));
        forgotten.await?;
        Ok(())
    }
}

fn tries(row: &Row<'_>) -> rusqlite::Result<Tries> {
    Ok(Tries { count: row.get(0)?, resets_at: row.get::<_, Millis>(1)?.0 })
}
