//! Browser sessions in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Null;
use rusqlite::{OptionalExtension, Row, params};
use secrecy::ExposeSecret;

use super::columns::{Millis, readable};
use super::{PURGED_PER_INSERT, SqliteStore, api_keys, host_links};
use crate::sessions::MOST_SESSIONS;
use crate::{NewSession, SecretHash, Session, Sessions, StoreResult};

/// A new session was used last when it was opened. One without a password hash needs no account.
const CREATE: &str = "INSERT INTO sessions
    (token_hash, id, user_id, name, user_agent, created_at, last_used_at, expires_at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7
    WHERE ?8 IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = ?3 AND password_hash = ?8)";

pub(super) const PURGE: &str = "DELETE FROM sessions WHERE token_hash IN
    (SELECT token_hash FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const FIND: &str = "SELECT id, user_id, name, user_agent, created_at, last_used_at, expires_at
    FROM sessions WHERE token_hash = ?1 AND expires_at > ?2";

pub(super) const RENEW: &str = "UPDATE sessions SET expires_at = ?2, last_used_at = ?3 WHERE token_hash = ?1";

/// The `+` keeps `expires_at` from choosing an index that would have to be sorted.
pub(super) const OF_USER: &str = "SELECT id, user_id, name, user_agent, created_at, last_used_at, expires_at
    FROM sessions WHERE user_id = ?1 AND +expires_at > ?2 ORDER BY last_used_at DESC";

pub(super) const DELETE: &str = "DELETE FROM sessions WHERE token_hash = ?1";

pub(super) const DELETE_BY_ID: &str = "DELETE FROM sessions WHERE id = ?1 AND +user_id = ?2";

/// No hash is NULL, so that without an exception none is left.
pub(super) const DELETE_OF_USER: &str = "DELETE FROM sessions WHERE user_id = ?1 AND +token_hash IS NOT ?2";

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(&self, session: NewSession) -> StoreResult<bool> {
        let created = self.writer.write(move |transaction| {
            let now = Millis(session.created_at);
            transaction.prepare_cached(PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            if let Some(link) = session.host_link
                && transaction.prepare_cached(host_links::CONSUME)?.execute(params![link, now])? == 0
            {
                return Ok(0);
            }
            transaction.prepare_cached(CREATE)?.execute(params![
                session.token_hash,
                session.id,
                session.user_id,
                session.name,
                session.user_agent,
                now,
                Millis(session.expires_at),
                session.password_hash.as_ref().map(ExposeSecret::expose_secret),
            ])
        });
        Ok(created.await? == 1)
    }

    async fn find_session(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        let found = self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(FIND)?;
            statement.query_row(params![token_hash, Millis(now)], session).optional()
        });
        Ok(found.await?)
    }

    async fn renew_session(
        &self,
        token_hash: &SecretHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        let token_hash = *token_hash;
        let renewed = self.writer.write(move |transaction| {
            let values = params![token_hash, Millis(expires_at), Millis(now)];
            transaction.prepare_cached(RENEW)?.execute(values)?;
            Ok(())
        });
        Ok(renewed.await?)
    }

    async fn sessions(&self, user_id: &str, now: Timestamp) -> StoreResult<Vec<Session>> {
        let found = self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(OF_USER)?;
            readable(statement.query_map(params![user_id, Millis(now)], session)?, MOST_SESSIONS as usize)
        });
        Ok(found.await?)
    }

    async fn delete_session_by_id(&self, id: &str, user_id: &str) -> StoreResult<bool> {
        let (id, user_id) = (id.to_owned(), user_id.to_owned());
        let deleted = self
            .writer
            .write(move |transaction| transaction.prepare_cached(DELETE_BY_ID)?.execute([id, user_id]));
        Ok(deleted.await? == 1)
    }

    async fn delete_sessions(&self, user_id: &str, except: Option<&SecretHash>) -> StoreResult<()> {
        let (user_id, except) = (user_id.to_owned(), except.copied());
        let deleted = self.writer.write(move |transaction| {
            transaction.prepare_cached(DELETE_OF_USER)?.execute(params![user_id, except])
        });
        deleted.await?;
        Ok(())
    }

    async fn sign_out_everywhere(&self, user_id: &str, revoke_keys: bool) -> StoreResult<()> {
        let user_id = user_id.to_owned();
        let ended = self.writer.write(move |transaction| {
            transaction.prepare_cached(host_links::DELETE_OF_USER)?.execute([&user_id])?;
            transaction.prepare_cached(DELETE_OF_USER)?.execute(params![user_id, Null])?;
            if revoke_keys {
                transaction.prepare_cached(api_keys::DELETE_OF_USER)?.execute([&user_id])?;
            }
            Ok(())
        });
        Ok(ended.await?)
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

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        user_agent: row.get(3)?,
        created_at: row.get::<_, Millis>(4)?.0,
        last_used_at: row.get::<_, Millis>(5)?.0,
        expires_at: row.get::<_, Millis>(6)?.0,
    })
}
