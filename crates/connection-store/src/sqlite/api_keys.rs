//! Keys of programs in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use secrecy::ExposeSecret;

use super::columns::{Lenient, Millis, TextList, readable};
use super::{SqliteStore, sessions};
use crate::{ApiKey, ApiKeys, KeyOutcome, NewApiKey, SecretHash, StoreResult};

const CREATE: &str =
    "INSERT INTO api_keys (id, key_hash, user_id, name, scopes, hint, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) const COUNT: &str = "SELECT count(*) FROM api_keys WHERE user_id IS ?1";

pub(super) const OWNER: &str = "SELECT 1 FROM users WHERE id = ?1 AND password_hash = ?2";

pub(super) const FIND: &str =
    "SELECT id, user_id, name, scopes, hint, created_at, expires_at, last_used_at, key_hash
    FROM api_keys WHERE key_hash = ?1";

pub(super) const OF_USER: &str =
    "SELECT id, user_id, name, scopes, hint, created_at, expires_at, last_used_at, key_hash
    FROM api_keys WHERE user_id IS ?1 ORDER BY created_at DESC, id DESC";

pub(super) const DELETE: &str = "DELETE FROM api_keys WHERE id = ?1 AND +user_id IS ?2";

pub(super) const DELETE_OF_USER: &str = "DELETE FROM api_keys WHERE user_id = ?1";

pub(super) const TOUCH: &str = "UPDATE api_keys SET last_used_at = ?2
    WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";

#[async_trait]
impl ApiKeys for SqliteStore {
    async fn create_api_key(&self, key: NewApiKey, most: Option<u32>) -> StoreResult<KeyOutcome> {
        let created = self.writer.write(move |transaction| {
            if transaction.prepare_cached(FIND)?.exists([key.key_hash])? {
                return Ok(KeyOutcome::Taken);
            }
            if let Some(hash) = &key.password_hash
                && !transaction.prepare_cached(OWNER)?.exists(params![key.user_id, hash.expose_secret()])?
            {
                return Ok(KeyOutcome::Unproved);
            }
            if let Some(session) = key.session
                && !transaction
                    .prepare_cached(sessions::FIND)?
                    .exists(params![session, Millis(key.created_at)])?
            {
                return Ok(KeyOutcome::Unproved);
            }
            let there: u32 =
                transaction.prepare_cached(COUNT)?.query_row([&key.user_id], |row| row.get(0))?;
            if most.is_some_and(|most| there >= most) {
                return Ok(KeyOutcome::TooMany);
            }
            transaction.prepare_cached(CREATE)?.execute(params![
                key.id,
                key.key_hash,
                key.user_id,
                key.name,
                TextList(key.scopes),
                key.hint,
                Millis(key.created_at),
                key.expires_at.map(Millis),
            ])?;
            Ok(KeyOutcome::Created)
        });
        Ok(created.await?)
    }

    async fn find_api_key(&self, key_hash: &SecretHash) -> StoreResult<Option<ApiKey>> {
        let found = self
            .readers
            .read(|database| database.prepare_cached(FIND)?.query_row([key_hash], api_key).optional());
        Ok(found.await?)
    }

    async fn api_keys(&self, user_id: Option<&str>) -> StoreResult<Vec<ApiKey>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(OF_USER)?;
            readable(statement.query_map([user_id], api_key)?, usize::MAX)
        });
        Ok(found.await?)
    }

    async fn delete_api_key(&self, id: &str, user_id: Option<&str>) -> StoreResult<bool> {
        let (id, user_id) = (id.to_owned(), user_id.map(str::to_owned));
        let deleted = self
            .writer
            .write(move |transaction| transaction.prepare_cached(DELETE)?.execute(params![id, user_id]));
        Ok(deleted.await? == 1)
    }

    async fn touch_api_key(&self, id: &str, now: Timestamp) -> StoreResult<()> {
        let id = id.to_owned();
        let touched = self
            .writer
            .write(move |transaction| transaction.prepare_cached(TOUCH)?.execute(params![id, Millis(now)]));
        touched.await?;
        Ok(())
    }
}

fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        id: row.get(0)?,
        key_hash: row.get(8)?,
        user_id: row.get(1)?,
        name: row.get(2)?,
        // Scopes that cannot be read allow nothing.
        scopes: row.get::<_, Lenient<TextList>>(3)?.0.map(|list| list.0).unwrap_or_default(),
        hint: row.get(4)?,
        created_at: row.get::<_, Millis>(5)?.0,
        expires_at: row.get::<_, Option<Millis>>(6)?.map(|time| time.0),
        last_used_at: row.get::<_, Option<Millis>>(7)?.map(|time| time.0),
    })
}
