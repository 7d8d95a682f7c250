//! The life of a connection: begin, exchange, save, read, refresh, sync, end; what it leaves behind; what
//! programs do with it. The same for every provider. Knows no HTTP and no database driver.

mod alarm;
mod connect;
mod credentials;
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

use connection_store::{Connection, Connections as StoredConnections, Store, StoreResult};
use jiff::SignedDuration;
use shared::EventKind;
use token_vault::Vault;

use self::alarm::Alarm;
use self::outcome::Kept;
use self::pause::Pause;
use crate::clock::Clock;
use crate::error::Error;
use crate::observer::Observer;
use crate::providers::{ProviderClient, Rules};

pub use connect::{AuthorizationRequest, AuthorizationResponse};
pub use life::HistoryPage;
pub use list::ListPage;
pub use operators::{opens, view_of};
pub use outcome::Outcome;
#[cfg(feature = "fuzzing")]
pub use pending::fuzz_pending_connection;
pub use proxy::{Forwarded, ForwardedCall, Parameters};
pub use reencrypt::ReencryptedPage;
pub use refresh::AskedBy;
pub use token::Program;

/// Carries out the calls of the routes, of one provider's connections.
pub struct Connections {
    rules: &'static Rules,
    /// The client, or the variables that are missing for it.
    client: Result<Arc<dyn ProviderClient>, Vec<&'static str>>,
    /// Permissions that are asked for.
    permissions: Vec<String>,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    pause: Pause,
    alarm: Alarm,
    /// The receivers of a connection's events, by the names that deliveries carry.
    receivers: Vec<String>,
    observer: Arc<dyn Observer>,
    lease: Lease,
    refresh_window: SignedDuration,
}

/// What the connections of all providers are made of.
#[derive(Clone)]
pub struct Parts {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Seals their tokens.
    pub vault: Arc<Vault>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The receivers of their events, by the names that deliveries carry.
    pub receivers: Vec<String>,
    /// Counts what is done.
    pub observer: Arc<dyn Observer>,
    /// Of a batch of connections.
    pub lease: Lease,
    /// So long before its end a token is refreshed that is stored from now on, where the provider leaves a choice.
    pub refresh_window: SignedDuration,
}

/// Names one of a user's connections with a provider.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionOf<'a> {
    /// The user.
    pub user_id: &'a str,
    /// The connection; `None`: the one in use.
    pub id: Option<&'a str>,
}

impl<'a> ConnectionOf<'a> {
    /// Names the user's connection in use.
    pub fn current(user_id: &'a str) -> Self {
        Self { user_id, id: None }
    }

    /// Names this one.
    fn of(stored: &'a Connection) -> Self {
        Self { user_id: &stored.user_id, id: Some(&stored.id) }
    }
}

/// Most connections of one user that a list shows: a person has a handful.
const MOST_OF_ONE_USER: u32 = 100;

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
    /// From its parts, with the client of a provider or the variables that are missing for it.
    pub fn new(
        rules: &'static Rules,
        client: Result<Arc<dyn ProviderClient>, Vec<&'static str>>,
        parts: Parts,
    ) -> Self {
        let Parts { store, vault, clock, receivers, observer, lease, refresh_window } = parts;
        let permissions = match &client {
            Ok(client) => client.permissions(),
            Err(_) => rules.default_permissions(),
        };
        Self {
            rules,
            client,
            permissions,
            store,
            vault,
            clock,
            pause: Pause::default(),
            alarm: Alarm::default(),
            receivers,
            observer,
            lease,
            refresh_window,
        }
    }

    /// Reads one of the user's connections.
    ///
    /// # Errors
    /// `not_connected`; `not_found` for an id that is not the user's; `unavailable`.
    pub async fn read(&self, which: ConnectionOf<'_>) -> Result<shared::Connection, Error> {
        Ok(self.view(self.stored(which).await?))
    }

    /// Lists the user's connections, the one in use first, the others by when they were saved last.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn read_all(&self, user_id: &str) -> Result<Vec<shared::Connection>, Error> {
        let stored = self.kept().connections_of_user(user_id, MOST_OF_ONE_USER).await?;
        Ok(stored.into_iter().map(|connection| self.view(connection)).collect())
    }

    /// Makes one of the user's connections the one in use.
    ///
    /// # Errors
    /// `not_found` for an id that is not the user's; `unavailable`.
    pub async fn select(&self, user_id: &str, id: &str) -> Result<shared::Connection, Error> {
        let selected = self.kept().select_connection(id, user_id, self.clock.now()).await?;
        selected.map(|connection| self.view(connection)).ok_or(Error::NoSuchConnection)
    }

    async fn stored(&self, which: ConnectionOf<'_>) -> Result<Connection, Error> {
        let Some(id) = which.id else {
            let current = self.kept().current_connection(which.user_id).await?;
            return current.ok_or(Error::NotConnected(self.rules.provider));
        };
        let found = self.kept().connection(id).await?;
        let is_theirs = |connection: &Connection| connection.is_active && connection.user_id == which.user_id;
        found.filter(is_theirs).ok_or(Error::NoSuchConnection)
    }

    /// Ends one of the user's connections: its tokens are erased.
    ///
    /// # Errors
    /// `not_connected`; `not_found` for an id, whether it has ended, is another's or never was; `unavailable`.
    pub async fn disconnect(&self, which: ConnectionOf<'_>) -> Result<(), Error> {
        if self.end(&self.stored(which).await?).await? {
            return Ok(());
        }
        Err(match which.id {
            Some(_) => Error::NoSuchConnection,
            None => Error::NotConnected(self.rules.provider),
        })
    }

    /// Ends a connection; `false` when it has ended meanwhile, or passed to another user.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(&self, stored: &Connection) -> StoreResult<bool> {
        let message = self.rules.changed(&stored.profile.username, "disconnected");
        let event = self.event(EventKind::Disconnected, message);
        self.kept().disconnect(&stored.id, &stored.user_id, event, self.clock.now()).await
    }

    /// A stored connection as its owner sees it.
    fn view(&self, stored: Connection) -> shared::Connection {
        let opens = self.open(&stored).is_some();
        view::connection(stored, self.rules, &self.permissions, opens, self.clock.now())
    }

    /// Answers an owner's request for a refresh or a sync. Something newer that came first counts, word that
    /// the app was removed as well.
    async fn answer(&self, asked: &Connection, kept: Kept) -> Result<shared::Connection, Error> {
        match kept? {
            Some(stored) => Ok(self.view(stored)),
            None => self.usable(ConnectionOf::of(asked)).await.map(|(stored, _)| self.view(stored)),
        }
    }

    /// Returns what is known of the provider.
    pub fn rules(&self) -> &'static Rules {
        self.rules
    }

    /// Tells whether there is an app to ask the provider with.
    pub fn has_app(&self) -> bool {
        self.client.is_ok()
    }

    /// Returns the address to which the provider sends browsers back; `None` where there is no app.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.client().ok().map(ProviderClient::redirect_uri)
    }

    fn client(&self) -> Result<&dyn ProviderClient, Error> {
        let missing =
            |missing: &Vec<&'static str>| Error::NotConfigured(self.rules.provider, missing.clone());
        self.client.as_deref().map_err(missing)
    }

    /// Returns the stored connections of this provider.
    fn kept(&self) -> &dyn StoredConnections {
        self.store.connections(self.rules.provider)
    }
}
