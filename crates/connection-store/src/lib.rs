#![doc = include_str!("../README.md")]

mod api_keys;
mod connections;
mod database_url;
mod deletions;
mod erasure;
mod error;
mod events;
mod existing;
mod history;
mod host_links;
mod idempotency;
mod limits;
pub mod mongodb;
mod oauth_states;
mod pauses;
mod sessions;
pub mod sqlite;
#[cfg(feature = "test-support")]
pub mod test_support;
mod times;
mod used_handles;
mod users;

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use shared::Provider;

pub use api_keys::{ApiKey, ApiKeys, KeyOutcome, NewApiKey};
pub use connections::{
    Connection, ConnectionFilter, Connections, Health, KeyUse, NewConnection, NextAttempt, Profile,
    ReadProfile, RefreshedToken, SaveOutcome, SealedToken,
};
pub use database_url::{DatabaseUrl, InvalidDatabaseUrl};
pub use deletions::{Deletion, DeletionOf, Deletions, NewDeletion};
pub use error::{StoreError, StoreResult};
pub use events::{Delivery, Event, EventCursor, Events, NewEvent, Subject};
pub use existing::connect_existing;
pub use history::{HistoryPoint, HistoryRange};
pub use host_links::{HostLink, HostLinks};
pub use idempotency::{Idempotency, NewRequest, Repetition, SealedAnswer};
pub use limits::{Limits, Tries};
pub use oauth_states::{ConsumedState, ExpectedAccount, NewOAuthState, OAuthStates};
pub use pauses::Pauses;
pub use sessions::{NewSession, Session, Sessions};
pub use used_handles::UsedHandles;
pub use users::{CreateOutcome, Credentials, NewUser, User, Users};

/// SHA-256 of a random secret. The store knows session tokens and OAuth states only by this.
pub type SecretHash = [u8; 32];

/// Time for which every point of a history is kept; after that, the first one of each day is.
pub const HISTORY_DETAIL: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Time for which the first point of each day is kept: five years.
pub const HISTORY_LIFE: SignedDuration = SignedDuration::from_hours(1826 * 24);

/// Time for which a completed request to delete can be looked up: a year. A request that is not completed is
/// kept until it is.
pub const DELETION_LIFE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Everything that the service stores, behind one object: `Arc<dyn Store>`.
#[async_trait::async_trait]
pub trait Store:
    Users
    + Sessions
    + OAuthStates
    + UsedHandles
    + Events
    + Deletions
    + Pauses
    + ApiKeys
    + HostLinks
    + Limits
    + Idempotency
    + Send
    + Sync
{
    /// Returns the connections of a provider's accounts.
    fn connections(&self, provider: Provider) -> &dyn Connections;

    /// Returns when the database has answered a trivial question.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not, within a few seconds.
    async fn ping(&self) -> StoreResult<()>;

    /// Lets running work finish and releases the database. Later calls fail as unavailable.
    async fn close(&self);

    /// Returns the number of calls to the database so far: transactions and reads of SQLite, commands to
    /// MongoDB.
    fn calls(&self) -> u64;
}

/// Opens the store that a database URL names: a SQLite file, made where there is none, or a MongoDB database, with its
/// indexes made where they are missing.
///
/// # Errors
/// [`StoreError::Failed`] when the database refuses, [`StoreError::Unavailable`] when it cannot be reached now. Neither
/// holds a password.
pub async fn connect(database: &DatabaseUrl) -> StoreResult<Arc<dyn Store>> {
    Ok(match database {
        DatabaseUrl::Sqlite(path) => Arc::new(sqlite::SqliteStore::open(path).await?),
        DatabaseUrl::MongoDb(url) => Arc::new(self::mongodb::MongoStore::connect(url.expose_secret()).await?),
    })
}
