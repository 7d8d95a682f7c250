//! OAuth `state` values in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use shared::Provider;

use super::columns::{Millis, NamedProvider};
use super::{PURGED_PER_INSERT, SqliteStore, used_handles};
use crate::{ConsumedState, ExpectedAccount, NewOAuthState, OAuthStates, SecretHash, StoreResult};

const INSERT: &str = "INSERT INTO oauth_states
    (state_hash, provider, user_id, return_to, created_at, expires_at, expected_account_id, expected_username,
        sealed_verifier)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

pub(super) const PURGE: &str = "DELETE FROM oauth_states WHERE state_hash IN
    (SELECT state_hash FROM oauth_states WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const CONSUME: &str = "DELETE FROM oauth_states
    WHERE state_hash = ?1 AND provider = ?2 AND user_id = ?3 AND expires_at > ?4
    RETURNING return_to, expected_account_id, expected_username, sealed_verifier";

#[async_trait]
impl OAuthStates for SqliteStore {
    async fn insert_state(&self, state: NewOAuthState) -> StoreResult<()> {
        let inserted = self.writer.write(move |transaction| {
            let now = Millis(state.created_at);
            transaction.prepare_cached(PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            // Each handle follows a state, and using one does not tell the time: so they are purged here as well.
            transaction.prepare_cached(used_handles::PURGE)?.execute(params![now, PURGED_PER_INSERT])?;
            let (expected_id, expected_username) =
                state.expected_account.map(|account| (account.provider_account_id, account.username)).unzip();
            transaction.prepare_cached(INSERT)?.execute(params![
                state.state_hash,
                NamedProvider(state.provider),
                state.user_id,
                state.return_to,
                now,
                Millis(state.expires_at),
                expected_id,
                expected_username,
                state.sealed_verifier,
            ])?;
            Ok(())
        });
        Ok(inserted.await?)
    }

    async fn consume_state(
        &self,
        state_hash: &SecretHash,
        provider: Provider,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ConsumedState>> {
        let (state_hash, user_id) = (*state_hash, user_id.to_owned());
        let consumed = self.writer.write(move |transaction| {
            let mut statement = transaction.prepare_cached(CONSUME)?;
            statement
                .query_row(params![state_hash, NamedProvider(provider), user_id, Millis(now)], consumed_state)
                .optional()
        });
        Ok(consumed.await?)
    }
}

fn consumed_state(row: &Row<'_>) -> rusqlite::Result<ConsumedState> {
    let expected: (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let expected_account = match expected {
        (Some(provider_account_id), Some(username)) => {
            Some(ExpectedAccount { provider_account_id, username })
        }
        _ => None,
    };
    Ok(ConsumedState { return_to: row.get(0)?, expected_account, sealed_verifier: row.get(3)? })
}
