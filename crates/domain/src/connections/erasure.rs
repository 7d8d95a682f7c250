//! Erasing connections, with all that belongs to them, whatever dies meanwhile.

use connection_store::{Connection, ConnectionFilter, NewDeletion, NewEvent, StoreResult};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::Connections;
use crate::error::Error;

/// Connections of a user that are looked up at once to be erased.
const ERASED_AT_ONCE: u32 = 100;

impl Connections {
    /// Erases everything that is stored about an account, by either of its ids: for operators. Returns how many connections
    /// there were. Can be repeated.
    ///
    /// # Errors
    /// `unavailable`; what is left then is erased when it is asked for again.
    pub async fn erase_account(&self, account_id: &str) -> Result<u64, Error> {
        Ok(self.erase(account_id, self.clock.now(), "by hand").await?)
    }

    /// Deletes what an account's owner asked to be deleted, and records that it is done.
    pub(crate) async fn finish_deletion_of_account(
        &self,
        account_id: &str,
        deletion: &NewDeletion,
    ) -> StoreResult<()> {
        let code = &deletion.code;
        let erased = self.erase(account_id, deletion.connected_by, code).await?;
        self.store.complete_deletion(code, self.clock.now()).await?;
        if deletion.connections == Some(0) {
            tracing::warn!(code, "nothing was stored about an account whose owner asked for its deletion");
        } else {
            tracing::info!(code, erased, "deleted an account's data, as its owner asked");
        }
        Ok(())
    }

    /// `cause` and the connection name the event, so that a second run after a crash tells receivers nothing new.
    async fn erase(&self, account_id: &str, connected_by: Timestamp, cause: &str) -> StoreResult<u64> {
        let connections = self.kept().connections_of_account(account_id).await?;
        self.erase_each(&connections, connected_by, cause).await
    }

    /// Erases all of a user's connections, ended ones included. Can be repeated.
    pub(crate) async fn erase_user(&self, user_id: &str) -> StoreResult<()> {
        let mut filter = ConnectionFilter {
            user_id: Some(user_id.to_owned()),
            with_inactive: true,
            ..ConnectionFilter::default()
        };
        loop {
            let page = self.kept().list_connections(filter.clone(), ERASED_AT_ONCE).await?;
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
            erased +=
                u64::from(self.kept().erase_connection(&connection.id, connected_by, event, now).await?);
        }
        Ok(erased)
    }
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
