//! Requests that clients name, and their answers, in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Row, params};

use super::columns::Millis;
use super::{PURGED_PER_INSERT, SqliteStore};
use crate::connections::key_id;
use crate::{Idempotency, NewRequest, Repetition, SealedAnswer, SecretHash, StoreResult};

/// In `DO UPDATE`, a bare column is the row that is there. Where `WHERE` is false, nothing is written: the name is taken.
const BEGIN: &str =
    "INSERT INTO repeatable_requests (name, request_hash, lease_until, expires_at, owner, claim)
    VALUES (?1, ?2, ?3, ?4, ?6, ?7)
    ON CONFLICT (name) DO UPDATE SET
        request_hash = excluded.request_hash,
        lease_until = excluded.lease_until,
        expires_at = excluded.expires_at,
        owner = excluded.owner,
        claim = excluded.claim,
        status = NULL,
        sealed_body = NULL,
        key_id = NULL
    WHERE expires_at <= ?5 OR (request_hash = ?2 AND status IS NULL AND lease_until <= ?5)";

pub(super) const FIND: &str =
    "SELECT request_hash, status, sealed_body FROM repeatable_requests WHERE name = ?1";

pub(super) const ANSWER: &str = "UPDATE repeatable_requests SET status = ?2, sealed_body = ?3, key_id = ?4
    WHERE name = ?1 AND status IS NULL";

pub(super) const FORGET: &str =
    "DELETE FROM repeatable_requests WHERE name = ?1 AND claim = ?2 AND status IS NULL";

pub(super) const SEALED_WITH: &str = "SELECT name, sealed_body FROM repeatable_requests
    WHERE key_id = ?1 AND name > ?2 ORDER BY name LIMIT ?3";

pub(super) const REENCRYPT: &str =
    "UPDATE repeatable_requests SET sealed_body = ?3, key_id = ?4 WHERE name = ?1 AND sealed_body = ?2";

pub(super) const PURGE: &str = "DELETE FROM repeatable_requests WHERE rowid IN
    (SELECT rowid FROM repeatable_requests WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

#[async_trait]
impl Idempotency for SqliteStore {
    async fn begin_request(&self, request: NewRequest, now: Timestamp) -> StoreResult<Repetition> {
        let NewRequest { name, claim, request_hash, owner, lease_until, expires_at } = request;
        let begun = self.writer.write(move |transaction| {
            transaction.prepare_cached(PURGE)?.execute(params![Millis(now), PURGED_PER_INSERT])?;
            let (lease_until, expires_at) = (Millis(lease_until), Millis(expires_at));
            let values = params![name, request_hash, lease_until, expires_at, Millis(now), owner, claim];
            if transaction.prepare_cached(BEGIN)?.execute(values)? == 1 {
                return Ok(Repetition::First);
            }
            transaction.prepare_cached(FIND)?.query_row([name], |row| repetition(row, &request_hash))
        });
        Ok(begun.await?)
    }

    async fn answer_request(&self, name: &SecretHash, status: u16, sealed_body: &str) -> StoreResult<()> {
        let (name, sealed_body) = (*name, sealed_body.to_owned());
        let answered = self.writer.write(move |transaction| {
            let key_id = key_id(&sealed_body);
            transaction.prepare_cached(ANSWER)?.execute(params![name, status, sealed_body, key_id])
        });
        answered.await?;
        Ok(())
    }

    async fn forget_request(&self, name: &SecretHash, claim: &str) -> StoreResult<()> {
        let (name, claim) = (*name, claim.to_owned());
        let forgotten = self
            .writer
            .write(move |transaction| transaction.prepare_cached(FORGET)?.execute(params![name, claim]));
        forgotten.await?;
        Ok(())
    }

    async fn answers_sealed_with(
        &self,
        key_id: &str,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> StoreResult<Vec<SealedAnswer>> {
        // Nothing comes before an empty name.
        let after: &[u8] = after.map_or(&[], |name| name);
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(SEALED_WITH)?;
            let rows = statement.query_map(params![key_id, after, limit], |row| {
                Ok(SealedAnswer { name: row.get(0)?, sealed_body: row.get(1)? })
            })?;
            rows.collect()
        });
        Ok(found.await?)
    }

    async fn reencrypt_answer(&self, old: &SealedAnswer, sealed_body: &str) -> StoreResult<bool> {
        let (old, sealed_body) = (old.clone(), sealed_body.to_owned());
        let reencrypted = self.writer.write(move |transaction| {
            let values = params![old.name, old.sealed_body, sealed_body, key_id(&sealed_body)];
            transaction.prepare_cached(REENCRYPT)?.execute(values)
        });
        Ok(reencrypted.await? == 1)
    }
}

/// Tells the caller of this request the state of a name that is taken.
fn repetition(row: &Row<'_>, asked: &SecretHash) -> rusqlite::Result<Repetition> {
    let stored: SecretHash = row.get(0)?;
    if stored != *asked {
        return Ok(Repetition::Different);
    }
    let answer: (Option<u16>, Option<String>) = (row.get(1)?, row.get(2)?);
    Ok(match answer {
        (Some(status), Some(sealed_body)) => Repetition::Answered { status, sealed_body },
        _ => Repetition::Running,
    })
}
