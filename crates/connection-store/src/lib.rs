#![doc = include_str!("../README.md")]

mod connections;
mod error;
mod oauth_states;
mod sessions;
mod used_handles;
mod users;

pub use connections::{Connection, Connections, NewConnection, Profile, SaveOutcome};
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
