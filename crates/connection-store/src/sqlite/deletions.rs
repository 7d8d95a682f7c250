//! Requests to delete in SQLite.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::columns::{Count, Millis, NamedProvider, readable};
use super::{PURGED_PER_INSERT, SqliteStore};
use crate::erasure::Owned;
use crate::times::earlier;
use crate::{DELETION_LIFE, Deletion, DeletionOf, Deletions, NewDeletion, StoreResult};

const BEGIN: &str =
    "INSERT INTO deletions (code, provider, account_id, user_id, connected_by, requested_at, connections)
    VALUES (?1, coalesce(?2, 'instagram'), ?3, ?4, ?5, ?6, ?7) ON CONFLICT (code) DO NOTHING";

/// Of the requests that are completed; one that is not is kept until it is.
pub(super) const PURGE: &str = "DELETE FROM deletions WHERE code IN
    (SELECT code FROM deletions WHERE completed_at <= ?1 ORDER BY completed_at LIMIT ?2)";

pub(super) const FIND: &str = "SELECT requested_at, completed_at, connections FROM deletions WHERE code = ?1";

pub(super) const UNFINISHED: &str =
    "SELECT code, provider, account_id, user_id, connected_by, connections FROM deletions
    WHERE completed_at IS NULL AND requested_at <= ?1 ORDER BY requested_at";

pub(super) const COMPLETE: &str = "UPDATE deletions SET completed_at = ?2, account_id = NULL, user_id = NULL
    WHERE code = ?1 AND +completed_at IS NULL";

#[async_trait]
impl Deletions for SqliteStore {
    async fn begin_deletion(&self, deletion: NewDeletion, now: Timestamp) -> StoreResult<bool> {
        let begun = self.writer.write(move |transaction| {
            let completed_by = Millis(earlier(now, DELETION_LIFE));
            transaction.prepare_cached(PURGE)?.execute(params![completed_by, PURGED_PER_INSERT])?;
            let (provider, account_id, user_id) = match deletion.of {
                DeletionOf::Account(provider, id) => (Some(NamedProvider(provider)), Some(id), None),
                DeletionOf::User(id) => (None, None, Some(id)),
            };
            transaction.prepare_cached(BEGIN)?.execute(params![
                deletion.code,
                provider,
                account_id,
                user_id,
                Millis(deletion.connected_by),
                Millis(now),
                deletion.connections.map(Count),
            ])
        });
        Ok(begun.await? == 1)
    }

    async fn deletion(&self, code: &str) -> StoreResult<Option<Deletion>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(FIND)?;
            let row = statement.query_row([code], |row| {
                Ok(Deletion {
                    requested_at: row.get::<_, Millis>(0)?.0,
                    completed_at: row.get::<_, Option<Millis>>(1)?.map(|time| time.0),
                    connections: row.get::<_, Option<Count>>(2)?.map(|count| count.0),
                })
            });
            row.optional()
        });
        Ok(found.await?)
    }

    async fn unfinished_deletions(
        &self,
        older_than: SignedDuration,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<NewDeletion>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(UNFINISHED)?;
            let rows = statement.query_map([Millis(earlier(now, older_than))], |row| {
                let of = match row.get(3)? {
                    Some(user_id) => DeletionOf::User(user_id),
                    None => DeletionOf::Account(row.get::<_, NamedProvider>(1)?.0, row.get(2)?),
                };
                Ok(NewDeletion {
                    code: row.get(0)?,
                    of,
                    connected_by: row.get::<_, Millis>(4)?.0,
                    connections: row.get::<_, Option<Count>>(5)?.map(|count| count.0),
                })
            })?;
            readable(rows, limit as usize)
        });
        Ok(found.await?)
    }

    async fn complete_deletion(&self, code: &str, now: Timestamp) -> StoreResult<()> {
        let code = code.to_owned();
        let completed = self.writer.erase(move |transaction| {
            transaction.prepare_cached(COMPLETE)?.execute(params![code, Millis(now)])
        });
        completed.await?;
        Ok(())
    }
}

/// Erases the owner's rows from each table on the list.
pub(super) fn erase(transaction: &Transaction<'_>, list: &[Owned], owner: &str) -> rusqlite::Result<()> {
    list.iter().try_for_each(|owned| {
        transaction.prepare_cached(&erase_statement(owned))?.execute([owner])?;
        Ok(())
    })
}

pub(super) fn erase_statement(owned: &Owned) -> String {
    format!("DELETE FROM {} WHERE {} = ?1", owned.kept_in, owned.column)
}
