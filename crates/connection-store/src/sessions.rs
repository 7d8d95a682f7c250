//! Browser sessions.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{SecretHash, StoreResult};

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Hash of the cookie's value.
    pub token_hash: SecretHash,
    /// Who is signed in.
    pub user_id: String,
    /// Now.
    pub created_at: Timestamp,
    /// When it ends unless renewed.
    pub expires_at: Timestamp,
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub user_id: String,
    /// When it ends unless renewed.
    pub expires_at: Timestamp,
}

/// Browser sessions.
#[async_trait]
pub trait Sessions {
    /// Opens a session.
    async fn create_session(&self, session: NewSession) -> StoreResult<()>;

    /// The session of this hash; `None` when there is none or it ended at or before `now`. Writes nothing.
    async fn find_session(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<Session>>;

    /// Moves the end of a session; one that is gone stays gone.
    async fn renew_session(&self, token_hash: &SecretHash, expires_at: Timestamp) -> StoreResult<()>;

    /// Ends a session; ending it again is fine.
    async fn delete_session(&self, token_hash: &SecretHash) -> StoreResult<()>;
}
