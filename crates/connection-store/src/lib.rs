#![doc = include_str!("../README.md")]

mod connections;
mod database_url;
mod error;
pub mod mongodb;
mod oauth_states;
mod sessions;
pub mod sqlite;
#[cfg(feature = "test-support")]
pub mod test_support;
mod used_handles;
mod users;

use std::sync::Arc;

use secrecy::ExposeSecret;

pub use connections::{
    Connection, Connections, DueForRefresh, NewConnection, Profile, RenewedToken, SaveOutcome,
};
pub use database_url::{DatabaseUrl, InvalidDatabaseUrl};
pub use error::{StoreError, StoreResult};
pub use oauth_states::{ConsumedState, NewOAuthState, OAuthStates};
pub use sessions::{NewSession, Session, Sessions};
pub use used_handles::UsedHandles;
pub use users::{CreateOutcome, Credentials, NewUser, User, Users};

/// SHA-256 of a random secret. The store knows session tokens and OAuth states only by this.
pub type SecretHash = [u8; 32];

/// Everything that the service stores, behind one object: `Arc<dyn Store>`.
#[async_trait::async_trait]
pub trait Store: Users + Sessions + OAuthStates + UsedHandles + Connections + Send + Sync {
    /// Returns when the database has answered a trivial question.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not, within a few seconds.
    async fn ping(&self) -> StoreResult<()>;

    /// Lets running work finish and releases the database. Later calls fail as unavailable.
    async fn close(&self);
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
