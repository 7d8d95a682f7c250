//! OAuth `state` values in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::columns::Millis;
use super::{PURGED_PER_INSERT, SqliteStore, used_handles};
use crate::{ConsumedState, NewOAuthState, OAuthStates, SecretHash, StoreResult};

const INSERT: &str = "INSERT INTO oauth_states (state_hash, user_id, return_to, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5)";

pub(super) const PURGE: &str = "DELETE FROM oauth_states WHERE state_hash IN
    (SELECT state_hash FROM oauth_states WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const CONSUME: &str = "DELETE FROM oauth_states
    WHERE state_hash = ?1 AND user_id = ?2 AND expires_at > ?3 RETURNING return_to";

#[async_trait]
impl OAuthStates for SqliteStore {
    async fn insert_state(&self, state: NewOAuthState) -> StoreResult<()> {
        let inserted = self.writer.write(move |transaction| {
            let now = Millis(state.created_at);
            transaction.prepare_cached(PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            // Each handle follows a state, and using one does not tell the time: so they are purged here as well.
            transaction.prepare_cached(used_handles::PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            transaction.prepare_cached(INSERT)?.execute(params![
                state.state_hash,
                state.user_id,
                state.return_to,
                now,
                Millis(state.expires_at),
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
            let row = statement.query_row(params![state_hash, user_id, Millis(now)], |row| {
                Ok(ConsumedState { return_to: row.get(0)? })
            });
            row.optional()
        });
        Ok(consumed.await?)
    }
}
