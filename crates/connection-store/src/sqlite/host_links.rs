//! One-time links in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::columns::Millis;
use super::{PURGED_PER_INSERT, SqliteStore};
use crate::{HostLink, HostLinks, SecretHash, StoreResult};

const INSERT: &str = "INSERT INTO host_links (token_hash, user_id, name, return_to, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) const PURGE: &str = "DELETE FROM host_links WHERE token_hash IN
    (SELECT token_hash FROM host_links WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const FIND: &str = "SELECT token_hash, user_id, name, return_to, created_at, expires_at
    FROM host_links WHERE token_hash = ?1 AND expires_at > ?2";

pub(super) const CONSUME: &str = "DELETE FROM host_links WHERE token_hash = ?1 AND expires_at > ?2";

pub(super) const DELETE_OF_USER: &str = "DELETE FROM host_links WHERE user_id = ?1";

#[async_trait]
impl HostLinks for SqliteStore {
    async fn insert_host_link(&self, link: HostLink) -> StoreResult<()> {
        let inserted = self.writer.write(move |transaction| {
            let now = Millis(link.created_at);
            transaction.prepare_cached(PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            transaction.prepare_cached(INSERT)?.execute(params![
                link.token_hash,
                link.user_id,
                link.name,
                link.return_to,
                now,
                Millis(link.expires_at),
            ])?;
            Ok(())
        });
        Ok(inserted.await?)
    }

    async fn find_host_link(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<HostLink>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(FIND)?;
            statement.query_row(params![token_hash, Millis(now)], host_link).optional()
        });
        Ok(found.await?)
    }
}

fn host_link(row: &Row<'_>) -> rusqlite::Result<HostLink> {
    Ok(HostLink {
        token_hash: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        return_to: row.get(3)?,
        created_at: row.get::<_, Millis>(4)?.0,
        expires_at: row.get::<_, Millis>(5)?.0,
    })
}
