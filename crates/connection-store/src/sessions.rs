//! Browser sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{SecretHash, StoreResult};

/// Limits the sessions of one user that are listed.
pub(crate) const MOST_SESSIONS: u32 = 100;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Hash of the cookie's value.
    pub token_hash: SecretHash,
    /// Names the session to its owner; no secret.
    pub id: String,
    /// Id of the user that is signed in.
    pub user_id: String,
    /// Name to call the person by, where a host application gave one; local accounts have their own.
    pub name: Option<String>,
    /// Name that the browser gives itself.
    pub user_agent: Option<String>,
    /// Now.
    pub created_at: Timestamp,
    /// Time at which the session expires unless renewed.
    pub expires_at: Timestamp,
    /// The stored hash that the password of a local account was checked against; `None` for a host application's user, who
    /// has no account.
    pub password_hash: Option<SecretString>,
    /// Hash of the link that the session is opened with, and which it uses up; `None` where there is no link.
    pub host_link: Option<SecretHash>,
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session to its owner. Empty for one on MongoDB that was opened before sessions had names.
    pub id: String,
    /// Id of the user that is signed in.
    pub user_id: String,
    /// Name to call the person by, where a host application gave one.
    pub name: Option<String>,
    /// Name that the browser gives itself.
    pub user_agent: Option<String>,
    /// Time at which the session was opened.
    pub created_at: Timestamp,
    /// Time at which the session was renewed last: to a day.
    pub last_used_at: Timestamp,
    /// Time at which the session expires unless renewed.
    pub expires_at: Timestamp,
}

/// Browser sessions.
#[async_trait]
pub trait Sessions {
    /// Opens a session. Two of one name or one hash are a failure.
    ///
    /// A password hash, where there is one, has to be the account's still: `false`, and no session, when the
    /// account was deleted or got another password since it was checked. So a caller that changes a password
    /// or deletes an account, and ends the sessions after, has ended all sessions that were opened with the
    /// old password.
    ///
    /// A link, where there is one, has to be usable still, and is used up: of any number of calls with one
    /// link, one opens a session. `false`, and no session, when the link is unknown, used, or expired at or
    /// before the session's beginning.
    async fn create_session(&self, session: NewSession) -> StoreResult<bool>;

    /// The session of this hash; `None` when there is none or it ended at or before `now`. Writes nothing.
    async fn find_session(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<Session>>;

    /// Moves the end of a session and records that it was used; one that is gone stays gone.
    async fn renew_session(
        &self,
        token_hash: &SecretHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// The live sessions of a user, those used last first; at most 100.
    async fn sessions(&self, user_id: &str, now: Timestamp) -> StoreResult<Vec<Session>>;

    /// Ends a session of a user by its name. `false` when they have none of this name.
    async fn delete_session_by_id(&self, id: &str, user_id: &str) -> StoreResult<bool>;

    /// Ends all sessions of a user but, where given, the one of this hash.
    async fn delete_sessions(&self, user_id: &str, except: Option<&SecretHash>) -> StoreResult<()>;

    /// Ends all sessions of a host application's user and all links that could open another one, and with `revoke_keys`
    /// revokes the user's keys. No session that is opened with such a link at the same moment outlives this.
    async fn sign_out_everywhere(&self, user_id: &str, revoke_keys: bool) -> StoreResult<()>;

    /// Ends a session; ending it again is fine.
    async fn delete_session(&self, token_hash: &SecretHash) -> StoreResult<()>;
}
