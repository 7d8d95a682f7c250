//! Connected Instagram accounts.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::StoreResult;

/// An Instagram profile as it is stored. Fields that Instagram does not give are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Without the `@`.
    pub username: String,
    /// Display name.
    pub name: Option<String>,
    /// Signed by Instagram, dead within days.
    pub profile_picture_url: Option<String>,
    /// Free text.
    pub biography: Option<String>,
    /// As typed by the person.
    pub website: Option<String>,
    /// Followers.
    pub followers_count: Option<u64>,
    /// Accounts followed.
    pub follows_count: Option<u64>,
    /// Posts.
    pub media_count: Option<u64>,
}

/// What a finished OAuth flow has to store.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Whose connection it is.
    pub user_id: String,
    /// The professional account's id (`17841…`); one document each.
    pub instagram_user_id: String,
    /// The account's id as this Meta app alone sees it; `signed_request` names accounts by it.
    pub app_scoped_user_id: Option<String>,
    /// The token as the vault sealed it. The store never sees it open.
    pub access_token: String,
    /// When Instagram gave the token.
    pub token_issued_at: Timestamp,
    /// When it ends, as Instagram said.
    pub token_expires_at: Timestamp,
    /// The account's profile.
    pub profile: Profile,
    /// Permissions granted.
    pub scopes: Vec<String>,
}

/// A stored connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The document's id: 24 hexadecimal digits on both stores.
    pub id: String,
    /// Whose connection it is.
    pub user_id: String,
    /// The professional account's id (`17841…`).
    pub instagram_user_id: String,
    /// The account's id as this Meta app alone sees it.
    pub app_scoped_user_id: Option<String>,
    /// The token as the vault sealed it.
    pub access_token: String,
    /// When Instagram gave the token.
    pub token_issued_at: Timestamp,
    /// When it ends, as Instagram said.
    pub token_expires_at: Timestamp,
    /// The account's profile when last read.
    pub profile: Profile,
    /// Permissions granted.
    pub scopes: Vec<String>,
    /// When this user first connected this account; connecting it again does not move it.
    pub connected_at: Timestamp,
    /// When the profile was last read from Instagram.
    pub last_synced_at: Timestamp,
    /// What went wrong last, in words for the owner.
    pub last_error: Option<String>,
    /// Since when Instagram is known to refuse the token; `None` while it works.
    pub needs_reauthorization_since: Option<Timestamp>,
    /// How often the renewal of this token has been begun in vain.
    pub refresh_failures: u32,
}

/// A token that Instagram has renewed.
#[derive(Clone, Debug)]
pub struct RenewedToken {
    /// The token as the vault sealed it.
    pub access_token: String,
    /// When Instagram gave it.
    pub token_issued_at: Timestamp,
    /// When it ends, as Instagram said.
    pub token_expires_at: Timestamp,
    /// Permissions granted, where Instagram said so; `None` leaves what is stored.
    pub scopes: Option<Vec<String>>,
}

/// Which connections are due for a renewal, and how many of them a worker takes at once.
#[derive(Clone, Copy, Debug)]
pub struct DueForRefresh {
    /// The token ends at this time or before it, but has not ended yet.
    pub expires_by: Timestamp,
    /// Instagram gave the token at this time or before it: it renews none that is younger.
    pub issued_by: Timestamp,
    /// Until when nobody else is to try. A worker that dies holds its connections for no longer.
    pub lease_until: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// What came of [`Connections::save_connection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// Stored; this is what is there now.
    Saved(Box<Connection>),
    /// The account is actively connected to another user; nothing was changed.
    AccountInUse,
}

/// Connected Instagram accounts.
#[async_trait]
pub trait Connections {
    /// Stores a connection by one atomic write: creates it, replaces token, profile, scopes and expiry of the user's own,
    /// or takes over one that is inactive.
    ///
    /// The document of an account stays the same one for ever. Its `connected_at` stays too, unless the account passes to
    /// another user. The last error and the mark of a dead token are cleared. Of two users who claim one account at
    /// once, one is told `AccountInUse`.
    async fn save_connection(&self, connection: NewConnection, now: Timestamp) -> StoreResult<SaveOutcome>;

    /// The user's active connection that was saved last; `None` where there is none.
    async fn latest_connection(&self, user_id: &str) -> StoreResult<Option<Connection>>;

    /// Ends the connection that [`latest_connection`](Self::latest_connection) returns: erases the token, keeps the
    /// document. `false` when the user has none.
    async fn disconnect(&self, user_id: &str, now: Timestamp) -> StoreResult<bool>;

    /// Replaces the token by a renewed one and clears what was wrong with it, provided that the stored token is still
    /// `old_access_token`. Returns what is stored now; `None` when a reconnect, a disconnect or another renewal came
    /// first, and then nothing is changed.
    async fn renew_token(
        &self,
        id: &str,
        old_access_token: &str,
        renewed: RenewedToken,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>>;

    /// Claims connections that are due for a renewal, those that end first before the others. Each is claimed by one caller
    /// only, however many ask at once, until its lease ends, its renewal is postponed or its token is replaced.
    ///
    /// A connection whose token is dead, has ended or was postponed until later is not due.
    async fn claim_due_for_refresh(&self, due: DueForRefresh, now: Timestamp)
    -> StoreResult<Vec<Connection>>;

    /// Puts the next try to renew a token off until `not_before`, with a sentence for the owner about this one, provided
    /// that the stored token is still `access_token`. The token itself stays as it is.
    async fn postpone_refresh(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        not_before: Timestamp,
    ) -> StoreResult<()>;

    /// Replaces the profile of a user's active connection, and nothing that belongs to the token. Returns what is stored
    /// now; `None` when the connection ended or passed to another user meanwhile.
    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        profile: Profile,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>>;

    /// Records that Instagram refuses the token, with a sentence for the owner, provided that the stored token is still
    /// `access_token`: a reconnect that happened meanwhile wins, and then the answer is `false`.
    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        now: Timestamp,
    ) -> StoreResult<bool>;
}
