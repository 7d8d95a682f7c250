//! What Meta tells this service about an account: its owner removed the app, or wants everything deleted.

use connection_store::{Connection, ConnectionFilter, Deletion, NewDeletion, NewEvent, StoreResult};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Connections;
use super::renew::why_refused;
use crate::error::ApiError;
use crate::signed_request::SignedRequest;

/// What a removed app is called among the reasons for a dead token (`instagram-api.md` §6).
const APP_REMOVED: Option<i64> = Some(458);

/// How long a request to deauthorize is known again. One that comes later finds a token that is dead or newer.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(60 * 24);

/// From the beginning of a second to its last millisecond, the finest step of time that stores keep.
const REST_OF_SECOND: SignedDuration = SignedDuration::from_millis(999);

/// How often a token that others replace at the same moment is marked as dead anew.
const MARK_ATTEMPTS: u32 = 5;

/// How many connections of a user are looked up at once to be erased.
const ERASED_AT_ONCE: u32 = 100;

/// Digits of a confirmation code.
const CODE_LENGTH: usize = 32;

impl Connections {
    /// The owner removed the app at Instagram: marks the account's tokens as dead, unless it was connected after the request
    /// was made. Each request works once. An account that nobody has connected is no error.
    ///
    /// Remembered after it was carried out: a process that dies in between leaves a request that can come again, and marking
    /// what is marked changes nothing.
    ///
    /// # Errors
    /// `unavailable`; then the request works once more.
    pub(crate) async fn deauthorize(&self, request: &SignedRequest) -> Result<(), ApiError> {
        let id = format!("deauthorize.{}", request.fingerprint("deauthorize"));
        if self.store.is_handle_used(&id).await? {
            return Ok(());
        }
        self.mark_removed(&request.account_id, request.issued_at).await?;
        self.store.use_handle(&id, self.clock.now() + REMEMBERED).await?;
        Ok(())
    }

    async fn mark_removed(&self, account_id: &str, issued_at: Timestamp) -> StoreResult<()> {
        for _ in 0..MARK_ATTEMPTS {
            let connections = self.store.connections_of_account(account_id).await?;
            let meant: Vec<_> =
                connections.iter().filter(|connection| is_meant(connection, issued_at)).collect();
            if meant.is_empty() {
                break;
            }
            // A token that is renewed or sealed anew at this moment is another text, and stays unmarked this time.
            for connection in meant {
                self.mark_dead(connection, why_refused(APP_REMOVED)).await?;
            }
        }
        Ok(())
    }

    /// The owner wants everything deleted: erases what was connected when the request was made, or before. Returns the code
    /// under which the request can be looked up; it is the same each time the same request comes, and only the first one
    /// erases anything. What cannot be erased now is erased by [`finish_deletions`](Self::finish_deletions).
    ///
    /// # Errors
    /// `unavailable`, when the request could not be remembered.
    pub(crate) async fn delete_data(&self, request: &SignedRequest) -> Result<String, ApiError> {
        let connected_by = request.issued_at.saturating_add(REST_OF_SECOND).unwrap_or(request.issued_at);
        let stored = self.store.connections_of_account(&request.account_id).await?;
        let meant = stored.iter().filter(|connection| connection.last_connected_at <= connected_by).count();
        let deletion = NewDeletion {
            code: request.fingerprint("data deletion"),
            account_id: request.account_id.clone(),
            connected_by,
            connections: Some(meant as u64),
        };
        if self.store.begin_deletion(deletion.clone(), self.clock.now()).await?
            && let Err(error) = self.finish_deletion(&deletion).await
        {
            ApiError::from(error).log();
        }
        Ok(deletion.code)
    }

    /// How far a request to delete is. `None` when there is none of this code.
    ///
    /// # Errors
    /// `unavailable`.
    pub(crate) async fn deletion(&self, code: &str) -> Result<Option<Deletion>, ApiError> {
        if code.len() != CODE_LENGTH || !code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(None);
        }
        Ok(self.store.deletion(code).await?)
    }

    /// Finishes requests to delete that were begun `older_than` ago and then left. Returns how many. Each stands alone: one
    /// that fails does not keep the others.
    ///
    /// # Errors
    /// `unavailable`, and what failed last.
    pub(crate) async fn finish_deletions(
        &self,
        older_than: SignedDuration,
        limit: u32,
    ) -> StoreResult<usize> {
        let unfinished = self.store.unfinished_deletions(older_than, limit, self.clock.now()).await?;
        let mut outcome = Ok(unfinished.len());
        for deletion in &unfinished {
            if let Err(error) = self.finish_deletion(deletion).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn finish_deletion(&self, deletion: &NewDeletion) -> StoreResult<()> {
        let NewDeletion { code, account_id, connected_by, connections } = deletion;
        let erased = self.erase(account_id, *connected_by, code).await?;
        self.store.complete_deletion(code, self.clock.now()).await?;
        match connections {
            Some(0) => tracing::warn!(
                code,
                "nothing was stored about an account whose owner asked Meta to delete it"
            ),
            _ => tracing::info!(code, erased, "deleted an account's data, as its owner asked Meta to"),
        }
        Ok(())
    }

    /// Erases everything that is stored about an account, by either of its ids: for operators. Returns how many connections
    /// there were. Can be repeated.
    ///
    /// # Errors
    /// `unavailable`; what is left then is erased when it is asked for again.
    pub(crate) async fn erase_account(&self, account_id: &str) -> Result<u64, ApiError> {
        Ok(self.erase(account_id, self.clock.now(), "by hand").await?)
    }

    /// `cause` and the connection name the event, so that a second run after a crash tells receivers nothing new.
    async fn erase(&self, account_id: &str, connected_by: Timestamp, cause: &str) -> StoreResult<u64> {
        let connections = self.store.connections_of_account(account_id).await?;
        self.erase_each(&connections, connected_by, cause).await
    }

    /// Erases everything that is stored for a user, ended connections included. Can be repeated.
    ///
    /// # Errors
    /// `unavailable`; what is left then is erased when it is asked for again.
    pub(crate) async fn erase_user(&self, user_id: &str) -> Result<(), ApiError> {
        let mut filter = ConnectionFilter {
            user_id: Some(user_id.to_owned()),
            with_inactive: true,
            ..ConnectionFilter::default()
        };
        loop {
            let page = self.store.list_connections(filter.clone(), ERASED_AT_ONCE).await?;
            self.erase_each(&page, self.clock.now(), "account").await?;
            let Some(last) = page.last() else { return Ok(()) };
            filter.after = Some(last.id.clone());
        }
    }

    async fn erase_each(
        &self,
        connections: &[Connection],
        connected_by: Timestamp,
        cause: &str,
    ) -> StoreResult<u64> {
        let mut erased = 0;
        for connection in connections {
            let event = NewEvent {
                id: event_id(cause, &connection.id),
                kind: "deleted".to_owned(),
                succeeded: true,
                message: "Everything about this account was deleted.".to_owned(),
                expires_at: None,
                notify: self.receivers.clone(),
            };
            let now = self.clock.now();
            erased += u64::from(self.store.erase_connection(&connection.id, connected_by, event, now).await?);
        }
        Ok(erased)
    }
}

/// Whether a request of that second is about this connection as it is now. Meta tells whole seconds.
fn is_meant(connection: &Connection, issued_at: Timestamp) -> bool {
    connection.is_active
        && connection.needs_reauthorization_since.is_none()
        && connection.last_connected_at.as_second() <= issued_at.as_second()
}

fn event_id(cause: &str, connection_id: &str) -> String {
    let digest = Sha256::new().chain_update(cause).chain_update([0]).chain_update(connection_id).finalize();
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("evt_{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_connection_has_one_event_for_each_cause() {
        assert_eq!(event_id("a", "b"), event_id("a", "b"));
        assert_ne!(event_id("a", "b"), event_id("a", "c"));
        assert_ne!(event_id("ab", "c"), event_id("a", "bc"));
        assert_eq!(event_id("a", "b").len(), "evt_".len() + 32);
    }
}
