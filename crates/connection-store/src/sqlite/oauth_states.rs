//! OAuth `state` values in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::columns::Millis;
use super::{PURGED_PER_INSERT, SqliteStore, used_handles};
use crate::{ConsumedState, ExpectedAccount, NewOAuthState, OAuthStates, SecretHash, StoreResult};

const INSERT: &str = "INSERT INTO oauth_states
    (state_hash, user_id, return_to, created_at, expires_at, expected_instagram_user_id, expected_username)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) const PURGE: &str = "DELETE FROM oauth_states WHERE state_hash IN
    (SELECT state_hash FROM oauth_states WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const CONSUME: &str = "DELETE FROM oauth_states
    WHERE state_hash = ?1 AND user_id = ?2 AND expires_at > ?3
    RETURNING return_to, expected_instagram_user_id, expected_username";

#[async_trait]
impl OAuthStates for SqliteStore {
    async fn insert_state(&self, state: NewOAuthState) -> StoreResult<()> {
        let inserted = self.writer.write(move |transaction| {
            let now = Millis(state.created_at);
            transaction.prepare_cached(PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            // Each handle follows a state, and using one does not tell the time: so they are purged here as well.
            transaction.prepare_cached(used_handles::PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            let (expected_id, expected_username) =
                state.expected_account.map(|account| (account.instagram_user_id, account.username)).unzip();
            transaction.prepare_cached(INSERT)?.execute(params![
                state.state_hash,
                state.user_id,
                state.return_to,
                now,
                Millis(state.expires_at),
                expected_id,
                expected_username,
            ])?;
            Ok(())
        });
        Ok(inserted.await?)
    }

    async fn consume_state(
        &self,
        state_hash: &SecretHash,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ConsumedState>> {
        let (state_hash, user_id) = (*state_hash, user_id.to_owned());
        let consumed = self.writer.write(move |transaction| {
            let mut statement = transaction.prepare_cached(CONSUME)?;
            statement.query_row(params![state_hash, user_id, Millis(now)], consumed_state).optional()
        });
        Ok(consumed.await?)
    }
}

fn consumed_state(row: &Row<'_>) -> rusqlite::Result<ConsumedState> {
    let expected: (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let expected_account = match expected {
        (Some(instagram_user_id), Some(username)) => Some(ExpectedAccount { instagram_user_id, username }),
        _ => None,
    };
    Ok(ConsumedState { return_to: row.get(0)?, expected_account })
}
