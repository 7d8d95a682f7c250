//! The life of a connection: begin, exchange, save, read, refresh, sync, end; what it leaves behind; what
//! programs do with it. Knows no HTTP and no database driver.

mod connect;
mod erasure;
mod events;
mod life;
mod list;
mod operators;
mod outcome;
mod pause;
mod pending;
mod profile;
mod proxy;
mod reencrypt;
mod refresh;
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
use crate::error::Error;
use crate::observer::Observer;

pub use connect::{AuthorizationRequest, AuthorizationResponse};
pub use life::HistoryPage;
pub use list::ListPage;
pub use operators::{opens, view_of};
pub use outcome::Outcome;
#[cfg(feature = "fuzzing")]
pub use pending::fuzz_pending_connection;
pub use proxy::{Forwarded, Parameters};
pub use reencrypt::ReencryptedPage;
pub use refresh::AskedBy;
pub use token::Program;

/// Carries out the calls of the routes. There is one for the whole process.
pub struct Connections {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    /// The client, or the variables that are missing for it.
    instagram: Result<InstagramClient, Vec<&'static str>>,
    clock: Arc<dyn Clock>,
    pause: Pause,
    /// The receivers of a connection's events, by the names that deliveries carry.
    receivers: Vec<String>,
    observer: Arc<dyn Observer>,
    lease: Lease,
    refresh_window: SignedDuration,
}

/// Most connections of one user that a list shows: a person has a handful.
const MOST_OF_ONE_USER: u32 = 100;

/// Times that are configured.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Of a batch of connections.
    pub lease: Lease,
    /// So long before its end a token is refreshed that is stored from now on.
    pub refresh_window: SignedDuration,
}

/// Time that a worker has a batch of connections to itself.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// From the claim on; then others take the worker for dead.
    pub whole: SignedDuration,
    /// Time that one connection of the batch may take, to its last write. Where less is left, other workers
    /// may be at it before it is done.
    pub one: SignedDuration,
}

impl Connections {
    /// From its parts.
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        instagram: Result<InstagramClient, Vec<&'static str>>,
        clock: Arc<dyn Clock>,
        receivers: Vec<String>,
        observer: Arc<dyn Observer>,
        Timing { lease, refresh_window }: Timing,
    ) -> Self {
        let pause = Pause::default();
        Self { store, vault, instagram, clock, pause, receivers, observer, lease, refresh_window }
    }

    /// The user's connection that was saved last.
    ///
    /// # Errors
    /// `not_connected`, `unavailable`.
    pub async fn read(&self, user_id: &str) -> Result<shared::Connection, Error> {
        Ok(self.view(self.stored(user_id).await?))
    }

    /// The user's connections, the one that was saved last first.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn read_all(&self, user_id: &str) -> Result<Vec<shared::Connection>, Error> {
        let stored = self.store.connections_of_user(user_id, MOST_OF_ONE_USER).await?;
        Ok(stored.into_iter().map(|connection| self.view(connection)).collect())
    }

    async fn stored(&self, user_id: &str) -> Result<Connection, Error> {
        self.store.latest_connection(user_id).await?.ok_or(Error::NotConnected)
    }

    /// Ends that connection: its token is erased.
    ///
    /// # Errors
    /// `not_connected`, `unavailable`.
    pub async fn disconnect(&self, user_id: &str) -> Result<(), Error> {
        let ended = self.end(&self.stored(user_id).await?).await?;
        ended.then_some(()).ok_or(Error::NotConnected)
    }

    /// The user's active connection of this id.
    async fn stored_one(&self, user_id: &str, id: &str) -> Result<Connection, Error> {
        let found = self.store.connection(id).await?;
        let is_theirs = |connection: &Connection| connection.is_active && connection.user_id == user_id;
        found.filter(is_theirs).ok_or(Error::NoSuchConnection)
    }

    /// Ends the user's connection of this id.
    ///
    /// # Errors
    /// `not_found`, whether it has ended, is another's or never was; `unavailable`.
    pub async fn disconnect_one(&self, user_id: &str, id: &str) -> Result<(), Error> {
        let ended = self.end(&self.stored_one(user_id, id).await?).await?;
        ended.then_some(()).ok_or(Error::NoSuchConnection)
    }

    /// Ends a connection; `false` when it has ended meanwhile, or passed to another user.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(&self, stored: &Connection) -> StoreResult<bool> {
        let message = format!("@{} was disconnected.", stored.profile.username);
        let event = self.event(EventKind::Disconnected, message);
        self.store.disconnect(&stored.id, &stored.user_id, event, self.clock.now()).await
    }

    /// A stored connection as its owner sees it.
    fn view(&self, stored: Connection) -> shared::Connection {
        let opens = self.vault.open(&stored.access_token, &token_context(&stored.instagram_user_id)).is_ok();
        view::connection(stored, opens, self.clock.now())
    }

    /// Answers an owner's request for a refresh or a sync. Something newer that came first counts, word that
    /// the app was removed as well.
    async fn answer(&self, user_id: &str, kept: Kept) -> Result<shared::Connection, Error> {
        match kept? {
            Some(stored) => Ok(self.view(stored)),
            None => self.usable(user_id).await.map(|(stored, _)| self.view(stored)),
        }
    }

    /// Tells whether there is an app to ask Instagram with.
    pub fn has_app(&self) -> bool {
        self.instagram.is_ok()
    }

    fn instagram(&self) -> Result<&InstagramClient, Error> {
        self.instagram.as_ref().map_err(|missing| Error::NotConfigured(missing.clone()))
    }
}

/// Returns the context that a stored token is bound to: a ciphertext moved to another account's document does
/// not open.
fn token_context(instagram_user_id: &str) -> Context<'_> {
    Context { purpose: "accessToken", subject: instagram_user_id }
}
