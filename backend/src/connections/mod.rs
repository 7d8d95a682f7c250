//! The life of a connection: begin, exchange, save, read, renew, sync, end. Knows no HTTP and no database driver.

mod connect;
mod handoff;
mod profile;
mod renew;
mod view;

use std::sync::Arc;

use connection_store::{Connection, Store};
use instagram_client::InstagramClient;
use token_vault::{Context, Vault};

use crate::clock::Clock;
use crate::error::ApiError;

pub(crate) use connect::Redirected;
pub(crate) use renew::RefreshOutcome;

/// What the routes call. One for the whole process.
pub(crate) struct Connections {
    store: Arc<dyn Store>,
    vault: Vault,
    /// The client, or the variables that are missing for it.
    instagram: Result<InstagramClient, Vec<&'static str>>,
    clock: Arc<dyn Clock>,
}

impl Connections {
    /// From its parts.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        vault: Vault,
        instagram: Result<InstagramClient, Vec<&'static str>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, vault, instagram, clock }
    }

    /// The user's connection that was saved last.
    ///
    /// # Errors
    /// `not_connected`, `unavailable`.
    pub(crate) async fn read(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        let connection = self.store.latest_connection(user_id).await?.ok_or_else(ApiError::not_connected)?;
        Ok(self.view(connection))
    }

    /// Ends that connection: its token is erased.
    ///
    /// # Errors
    /// `not_connected`, `unavailable`.
    pub(crate) async fn disconnect(&self, user_id: &str) -> Result<(), ApiError> {
        let ended = self.store.disconnect(user_id, self.clock.now()).await?;
        ended.then_some(()).ok_or_else(ApiError::not_connected)
    }

    /// A stored connection as its owner sees it.
    fn view(&self, stored: Connection) -> shared::Connection {
        let opens = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).is_ok();
        view::connection(stored, opens, self.clock.now())
    }

    fn instagram(&self) -> Result<&InstagramClient, ApiError> {
        self.instagram.as_ref().map_err(|missing| ApiError::not_configured(missing))
    }
}

/// What a stored token is bound to: a ciphertext moved to another account's document does not open.
fn token_context(instagram_user_id: &str) -> Context<'_> {
    Context { purpose: "accessToken", subject: instagram_user_id }
}
