//! The life of a connection: begin, exchange, save, read, renew, sync, end; what it leaves behind; what
//! programs do with it. Knows no HTTP and no database driver.

mod connect;
mod erasure;
mod events;
mod handoff;
mod life;
mod list;
mod operators;
mod outcome;
mod pause;
mod profile;
mod proxy;
mod renew;
mod rotate;
mod signals;
mod sync;
mod token;
mod view;

use std::sync::Arc;

use connection_store::{Connection, Store, StoreResult};
use instagram_client::InstagramClient;
use jiff::SignedDuration;
use shared::EventKind;
use token_vault::{Context, Vault};

use self::outcome::Kept;
use self::pause::Pause;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::metrics::Metrics;

pub(crate) use connect::{Login, Redirected};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use handoff::fuzz_handoff;
pub(crate) use life::HistoryPage;
pub(crate) use list::ListPage;
pub(crate) use operators::{opens, view_of};
pub(crate) use outcome::Outcome;
pub(crate) use proxy::{Forwarded, Parameters};
pub(crate) use renew::AskedBy;

/// What the routes call. One for the whole process.
pub(crate) struct Connections {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    /// The client, or the variables that are missing for it.
    instagram: Result<InstagramClient, Vec<&'static str>>,
    clock: Arc<dyn Clock>,
    pause: Pause,
    /// Who is told what happens to a connection, by the names that deliveries carry.
    receivers: Vec<String>,
    metrics: Arc<Metrics>,
    lease: Lease,
}

/// How many connections of one user a list shows: a person has a handful.
const MOST_OF_ONE_USER: u32 = 100;

/// How long a worker has a batch of connections to itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    /// From the claim on; then others take the worker for dead.
    pub(crate) whole: SignedDuration,
    /// What one of the batch may take, to its last write. Where less is left, others may be at it before it is done.
    pub(crate) one: SignedDuration,
}

impl Connections {
    /// From its parts.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        instagram: Result<InstagramClient, Vec<&'static str>>,
        clock: Arc<dyn Clock>,
        receivers: Vec<String>,
        metrics: Arc<Metrics>,
        lease: Lease,
    ) -> Self {
        Self { store, vault, instagram, clock, pause: Pause::default(), receivers, metrics, lease }
    }

    /// The user's connection that was saved last.
    ///
    /// # Errors
    /// `not_connected`, `unavailable`.
    pub(crate) async fn read(&self, user_id: &str) -> Result<shared::Connection, ApiError> {
        Ok(self.view(self.stored(user_id).await?))
    }

    /// The user's connections, the one that was saved last first.
    ///
    /// # Errors
    /// `unavailable`.
    pub(crate) async fn read_all(&self, user_id: &str) -> Result<Vec<shared::Connection>, ApiError> {
        let stored = self.store.connections_of_user(user_id, MOST_OF_ONE_USER).await?;
        Ok(stored.into_iter().map(|connection| self.view(connection)).collect())
    }

    async fn stored(&self, user_id: &str) -> Result<Connection, ApiError> {
        self.store.latest_connection(user_id).await?.ok_or_else(ApiError::not_connected)
    }

    /// Ends that connection: its token is erased.
    ///
    /// # Errors
    /// `not_connected`, `unavailable`.
    pub(crate) async fn disconnect(&self, user_id: &str) -> Result<(), ApiError> {
        let ended = self.end(&self.stored(user_id).await?).await?;
        ended.then_some(()).ok_or_else(ApiError::not_connected)
    }

    /// The user's active connection of this id.
    async fn stored_one(&self, user_id: &str, id: &str) -> Result<Connection, ApiError> {
        let found = self.store.connection(id).await?;
        let is_theirs = |connection: &Connection| connection.is_active && connection.user_id == user_id;
        found.filter(is_theirs).ok_or_else(ApiError::no_such_connection)
    }

    /// Ends the user's connection of this id.
    ///
    /// # Errors
    /// `not_found`, whether it has ended, is another's or never was; `unavailable`.
    pub(crate) async fn disconnect_one(&self, user_id: &str, id: &str) -> Result<(), ApiError> {
        let ended = self.end(&self.stored_one(user_id, id).await?).await?;
        ended.then_some(()).ok_or_else(ApiError::no_such_connection)
    }

    /// Ends a connection; `false` when it has ended meanwhile, or passed to another user.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn end(&self, stored: &Connection) -> StoreResult<bool> {
        let message = format!("@{} was disconnected.", stored.profile.username);
        let event = self.event(EventKind::Disconnected, message);
        self.store.disconnect(&stored.id, &stored.user_id, event, self.clock.now()).await
    }

    /// A stored connection as its owner sees it.
    fn view(&self, stored: Connection) -> shared::Connection {
        let opens = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).is_ok();
        view::connection(stored, opens, self.clock.now())
    }

    /// What the owner is told who asked for a renewal or a sync. Something newer that came first counts, word that the app was
    /// removed as well.
    async fn answer(&self, user_id: &str, kept: Kept) -> Result<shared::Connection, ApiError> {
        match kept? {
            Some(stored) => Ok(self.view(stored)),
            None => self.usable(user_id).await.map(|(stored, _)| self.view(stored)),
        }
    }

    /// Whether there is an app to ask Instagram with.
    pub(crate) fn has_app(&self) -> bool {
        self.instagram.is_ok()
    }

    fn instagram(&self) -> Result<&InstagramClient, ApiError> {
        self.instagram.as_ref().map_err(|missing| ApiError::not_configured(missing))
    }
}

/// What a stored token is bound to: a ciphertext moved to another account's document does not open.
fn token_context(instagram_user_id: &str) -> Context<'_> {
    Context { purpose: "accessToken", subject: instagram_user_id }
}
