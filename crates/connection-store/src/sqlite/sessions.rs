//! Browser sessions in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::columns::Millis;
use super::{PURGED_PER_INSERT, SqliteStore};
use crate::{NewSession, SecretHash, Session, Sessions, StoreResult};

const CREATE: &str =
    "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";

pub(super) const PURGE: &str = "DELETE FROM sessions WHERE token_hash IN
    (SELECT token_hash FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const FIND: &str =
    "SELECT user_id, expires_at FROM sessions WHERE token_hash = ?1 AND expires_at > ?2";

pub(super) const RENEW: &str = "UPDATE sessions SET expires_at = ?2 WHERE token_hash = ?1";

pub(super) const DELETE: &str = "DELETE FROM sessions WHERE token_hash = ?1";

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(&self, session: NewSession) -> StoreResult<()> {
        let created = self.writer.write(move |transaction| {
            let now = Millis(session.created_at);
            transaction.prepare_cached(PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            transaction.prepare_cached(CREATE)?.execute(params![
                session.token_hash,
                session.user_id,
                now,
                Millis(session.expires_at),
            ])?;
            Ok(())
        });
        Ok(created.await?)
    }

    async fn find_session(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        let found = self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(FIND)?;
            let row = statement.query_row(params![token_hash, Millis(now)], |row| {
                Ok(Session { user_id: row.get(0)?, expires_at: row.get::<_, Millis>(1)?.0 })
            });
            row.optional()
        });
        Ok(found.await?)
    }

    async fn renew_session(&self, token_hash: &SecretHash, expires_at: Timestamp) -> StoreResult<()> {
        let token_hash = *token_hash;
        let renewed = self.writer.write(move |transaction| {
            transaction.prepare_cached(RENEW)?.execute(params![token_hash, Millis(expires_at)])?;
            Ok(())
        });
        Ok(renewed.await?)
    }

    async fn delete_session(&self, token_hash: &SecretHash) -> StoreResult<()> {
        let token_hash = *token_hash;
        let deleted = self.writer.write(move |transaction| {
            transaction.prepare_cached(DELETE)?.execute([token_hash])?;
            Ok(())
        });
        Ok(deleted.await?)
    }
}
