//! Keys by which programs prove who they are.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{SecretHash, StoreResult};

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Names the key; no secret.
    pub id: String,
    /// Hash of the key itself.
    pub key_hash: SecretHash,
    /// Id of the user that the key acts for; `None`: a service key, which the operator made.
    pub user_id: Option<String>,
    /// Name that the owner gives the key.
    pub name: String,
    /// Permissions of the key; the store does not look into them.
    pub scopes: Vec<String>,
    /// The beginning of the key, by which its owner knows it again.
    pub hint: String,
    /// Now.
    pub created_at: Timestamp,
    /// Time at which the key expires; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// The stored hash that its owner's password was checked against; `None` where the owner has none.
    pub password_hash: Option<SecretString>,
    /// Hash of the session that makes it, where there is no password; `None` for an operator's key.
    pub session: Option<SecretHash>,
}

/// A stored key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Names the key.
    pub id: String,
    /// Hash of the key.
    pub key_hash: SecretHash,
    /// Id of the user that the key acts for; `None`: a service key.
    pub user_id: Option<String>,
    /// Name that the owner gave the key.
    pub name: String,
    /// Permissions of the key.
    pub scopes: Vec<String>,
    /// The beginning of the key.
    pub hint: String,
    /// Time at which the key was made.
    pub created_at: Timestamp,
    /// Time at which the key expires; `None`: never. An expired key stays listed.
    pub expires_at: Option<Timestamp>,
    /// Time of the last use, to the precision that [`ApiKeys::touch_api_key`] is called with.
    pub last_used_at: Option<Timestamp>,
}

impl From<NewApiKey> for ApiKey {
    /// The key as it is listed when it has just been made.
    fn from(new: NewApiKey) -> Self {
        Self {
            id: new.id,
            key_hash: new.key_hash,
            user_id: new.user_id,
            name: new.name,
            scopes: new.scopes,
            hint: new.hint,
            created_at: new.created_at,
            expires_at: new.expires_at,
            last_used_at: None,
        }
    }
}

/// Outcome of [`ApiKeys::create_api_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// The key exists now.
    Created,
    /// One of this hash is there already; nothing was changed.
    Taken,
    /// The user has as many as they may have; nothing was changed.
    TooMany,
    /// The owner's account was deleted, or got another password, since the password was checked, or the session that makes the
    /// key has ended; nothing was changed.
    Unproved,
}

/// Keys of programs.
#[async_trait]
pub trait ApiKeys {
    /// Stores a key, unless its owner would have more than `most` then, ended ones included (`None`: no bound). The bound
    /// holds however many are made at once. No key outlives a call at the same moment that ends its session, or changes its
    /// password, and revokes the user's keys.
    async fn create_api_key(&self, key: NewApiKey, most: Option<u32>) -> StoreResult<KeyOutcome>;

    /// The key of this hash, ended or not; `None` when there is none. Writes nothing.
    async fn find_api_key(&self, key_hash: &SecretHash) -> StoreResult<Option<ApiKey>>;

    /// The keys of a user (`None`: the service keys), the newest first.
    async fn api_keys(&self, user_id: Option<&str>) -> StoreResult<Vec<ApiKey>>;

    /// Revokes a key of a user (`None`: a service key): it is gone. `false` when they have none of this id.
    async fn delete_api_key(&self, id: &str, user_id: Option<&str>) -> StoreResult<bool>;

    /// Records that a key was used; never moves the time back.
    async fn touch_api_key(&self, id: &str, now: Timestamp) -> StoreResult<()>;
}
