//! Meta's deauthorize and data-deletion callbacks: the owner of an account removed the app, or wants
//! everything deleted.

use connection_store::{Connection, Deletion, DeletionOf, NewDeletion, StoreResult};
use jiff::{SignedDuration, Timestamp};

use super::Connections;
use crate::clock::later;
use crate::error::Error;
use crate::providers::instagram::APP_REMOVED;
use instagram_client::SignedRequest;

/// Time for which a request to deauthorize is remembered. If it comes again later, it finds a token that is
/// dead or newer.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(60 * 24);

/// From the beginning of a second to its last millisecond, the finest step of time that stores keep.
const REST_OF_SECOND: SignedDuration = SignedDuration::from_millis(999);

/// Number of attempts to mark a token as dead that others replace at the same moment.
const MARK_ATTEMPTS: u32 = 5;

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
    pub async fn deauthorize(&self, request: &SignedRequest) -> Result<(), Error> {
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
            let connections = self.kept().connections_of_account(account_id).await?;
            let meant: Vec<_> =
                connections.iter().filter(|connection| is_meant(connection, issued_at)).collect();
            if meant.is_empty() {
                break;
            }
            // A token that is refreshed or re-encrypted at this moment is another text, and stays unmarked this time.
            for connection in meant {
                self.mark_dead(connection, (self.rules.why_refused)(APP_REMOVED)).await?;
            }
        }
        Ok(())
    }

    /// The owner wants everything deleted: erases what was connected when the request was made, or before. Returns the code
    /// under which the request can be looked up; it is the same each time the same request comes, and only the first one
    /// erases anything. What cannot be erased now is erased by [`finish_deletions`](crate::Providers::finish_deletions).
    ///
    /// # Errors
    /// `unavailable`, when the request could not be remembered.
    pub async fn delete_data(&self, request: &SignedRequest) -> Result<String, Error> {
        let connected_by = later(request.issued_at, REST_OF_SECOND);
        let stored = self.kept().connections_of_account(&request.account_id).await?;
        let meant = stored.iter().filter(|connection| connection.last_connected_at <= connected_by).count();
        let deletion = NewDeletion {
            code: request.fingerprint("data deletion"),
            of: DeletionOf::Account(self.rules.provider, request.account_id.clone()),
            connected_by,
            connections: Some(meant as u64),
        };
        if self.store.begin_deletion(deletion.clone(), self.clock.now()).await?
            && let Err(error) = self.finish_deletion_of_account(&request.account_id, &deletion).await
        {
            Error::from(error).log();
        }
        Ok(deletion.code)
    }

    /// Returns the progress of a request to delete. `None` when there is none of this code.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn deletion(&self, code: &str) -> Result<Option<Deletion>, Error> {
        if code.len() != CODE_LENGTH || !code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(None);
        }
        Ok(self.store.deletion(code).await?)
    }
}

/// Tells whether a request of that second is about this connection as it is now. Meta tells whole seconds.
fn is_meant(connection: &Connection, issued_at: Timestamp) -> bool {
    connection.is_active
        && connection.needs_reauthorization_since.is_none()
        && connection.last_connected_at.as_second() <= issued_at.as_second()
}
