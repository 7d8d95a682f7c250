//! Local accounts.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{SecretHash, StoreResult};

/// A person with a local account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Opaque; the `userId` of connections.
    pub id: String,
    /// As typed at sign-up.
    pub email: String,
    /// As typed at sign-up.
    pub name: Option<String>,
    /// Time at which the account was made.
    pub created_at: Timestamp,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The account as others will see it, its id chosen by the caller.
    pub user: User,
    /// The address in the form that has to be unique: trimmed, lower case.
    pub email_key: String,
    /// Argon2id, in PHC string form.
    pub password_hash: SecretString,
}

/// Credentials that a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account that they open.
    pub user: User,
    /// Argon2id, in PHC string form.
    pub password_hash: SecretString,
}

/// Outcome of [`Users::create_user`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// The account exists now.
    Created,
    /// Another account has this `email_key`; nothing was changed.
    EmailTaken,
}

/// Local accounts.
#[async_trait]
pub trait Users {
    /// Makes an account, unless its `email_key` is taken. Of two at once, one is told `EmailTaken`.
    async fn create_user(&self, user: NewUser) -> StoreResult<CreateOutcome>;

    /// The account of an address in its unique form; `None` where there is none.
    async fn find_credentials(&self, email_key: &str) -> StoreResult<Option<Credentials>>;

    /// The account of an id; `None` where there is none.
    async fn find_user(&self, user_id: &str) -> StoreResult<Option<User>>;

    /// Returns the credentials of a user, by the user's id; `None` where there are none.
    async fn find_credentials_of(&self, user_id: &str) -> StoreResult<Option<Credentials>>;

    /// Replaces a user's password, provided that it is still the one of `old_hash`, and ends all sessions of theirs but `kept`;
    /// with `revoke_keys`, revokes all their keys. `false` when it is not. No session that was opened with the old password
    /// outlives this, and no key that is to be revoked, not even where a process dies at it.
    async fn change_password(
        &self,
        user_id: &str,
        old_hash: &SecretString,
        new_hash: &SecretString,
        kept: Option<&SecretHash>,
        revoke_keys: bool,
    ) -> StoreResult<bool>;

    /// Deletes an account with its sessions, keys, OAuth states and one-time links; ends first what lets somebody in. The
    /// connections are the caller's to erase. `false` when there is none. Can be repeated when a process died at it.
    /// A sign-in that has checked the password before opens no session after.
    async fn delete_user(&self, user_id: &str) -> StoreResult<bool>;
}
