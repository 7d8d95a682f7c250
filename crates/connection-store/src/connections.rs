//! Connected Instagram accounts.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{NewEvent, StoreResult};

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

/// A connection to be stored, as a finished OAuth flow gives it.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Id of the user that the connection belongs to.
    pub user_id: String,
    /// The professional account's id (`17841…`); one document each.
    pub instagram_user_id: String,
    /// The account's id as this Meta app alone sees it; `signed_request` names accounts by it.
    pub app_scoped_user_id: Option<String>,
    /// The token as the vault sealed it. The store never sees it open.
    pub access_token: String,
    /// Time at which Instagram gave the token.
    pub token_issued_at: Timestamp,
    /// Time at which the token expires, as Instagram said.
    pub token_expires_at: Timestamp,
    /// Time at which the token is to be refreshed.
    pub refresh_at: Timestamp,
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
    /// Id of the user that the connection belongs to.
    pub user_id: String,
    /// The professional account's id (`17841…`).
    pub instagram_user_id: String,
    /// The account's id as this Meta app alone sees it.
    pub app_scoped_user_id: Option<String>,
    /// The token as the vault sealed it.
    pub access_token: String,
    /// Time at which Instagram gave the token.
    pub token_issued_at: Timestamp,
    /// Time at which the token expires, as Instagram said.
    pub token_expires_at: Timestamp,
    /// Time at which the token is to be refreshed; `None` where a version wrote it that decided this with
    /// each search.
    pub refresh_at: Option<Timestamp>,
    /// The account's profile when last read.
    pub profile: Profile,
    /// Permissions granted.
    pub scopes: Vec<String>,
    /// Time at which this user first connected this account; connecting it again does not move it.
    pub connected_at: Timestamp,
    /// Time at which the account was connected last, for the first time or again.
    pub last_connected_at: Timestamp,
    /// Time at which the profile was last read from Instagram.
    pub last_synced_at: Timestamp,
    /// The last error, in words for the owner.
    pub last_error: Option<String>,
    /// Time since which Instagram is known to refuse the token; `None` while it works.
    pub needs_reauthorization_since: Option<Timestamp>,
    /// Attempts to refresh this token that came to nothing, in a row.
    pub refresh_failures: u32,
    /// Time until which a worker has the refresh to itself; a claim returns its connections with the claim's
    /// own lease.
    pub refresh_lease_until: Option<Timestamp>,
    /// Attempts to read the profile that came to nothing, in a row.
    pub sync_failures: u32,
    /// As `refresh_lease_until`, for the sync.
    pub sync_lease_until: Option<Timestamp>,
    /// Tells whether the account is connected; `false` once it was disconnected, and then there is no token.
    pub is_active: bool,
}

/// A token that Instagram has refreshed.
#[derive(Clone, Debug)]
pub struct RefreshedToken {
    /// The token as the vault sealed it.
    pub access_token: String,
    /// Time at which Instagram gave the token.
    pub token_issued_at: Timestamp,
    /// Time at which the token expires, as Instagram said.
    pub token_expires_at: Timestamp,
    /// Time at which the token is to be refreshed.
    pub refresh_at: Timestamp,
    /// Permissions granted, where Instagram said so; `None` leaves what is stored.
    pub scopes: Option<Vec<String>>,
}

/// Decides when a refresh or a sync is tried again, and tells what was learnt from the attempt.
#[derive(Clone, Debug)]
pub struct NextAttempt {
    /// The lease that is released: the `lease_until` of the claim; `None` where there was none. Where another has the work
    /// meanwhile, it is theirs to reschedule.
    pub lease: Option<Timestamp>,
    /// No worker tries before this time. Where no lease is released, a longer wait that is there stays: it was not of this attempt.
    pub at: Timestamp,
    /// Failures in a row by now; `None` leaves the count that the claim has made.
    pub failures: Option<u32>,
    /// A sentence for the owner; `None` leaves the one that is there.
    pub error: Option<String>,
    /// A permission that turned out not to be granted: it is taken off the list.
    pub missing_scope: Option<String>,
    /// The event to store, where the attempt is worth one.
    pub event: Option<NewEvent>,
}

/// Selects the connections that an operator wants to see, and the beginning of the page.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    /// Of this user only.
    pub user_id: Option<String>,
    /// Ended ones, too.
    pub with_inactive: bool,
    /// Leaves out users whose id begins with this.
    pub not_of_users: Option<String>,
    /// In this state only. Ended ones have no token and are in none.
    pub health: Option<Health>,
    /// The keys that there are, where [`Health::DeadAt`] is wanted: a token that is sealed with another is as good as dead. Empty:
    /// it does not matter with which key.
    pub keys: Vec<String>,
    /// Connections after this id: the last one of the page before.
    pub after: Option<String>,
}

/// State of a stored connection, as far as it can be known without opening the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The token is not known to be dead and ends after this time.
    EndsAfter(Timestamp),
    /// The token is not known to be dead and ends after the first time, and at the second or before it.
    EndsWithin(Timestamp, Timestamp),
    /// The token is known to be dead, or has ended at this time.
    DeadAt(Timestamp),
}

/// A sealed token, with what it takes to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedToken {
    /// The connection's id.
    pub connection_id: String,
    /// The account that the token is bound to.
    pub instagram_user_id: String,
    /// The token as the vault sealed it.
    pub access_token: String,
}

/// Number of tokens of active connections that are sealed with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id, as the sealed text names it; `None` where it names none.
    pub key_id: Option<String>,
    /// Tokens.
    pub tokens: u64,
}

/// Outcome of [`Connections::save_connection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// Stored; this is what is there now.
    Saved(Box<Connection>),
    /// The account is actively connected to another user; nothing was changed.
    AccountInUse,
}

/// Connected Instagram accounts.
///
/// Each change takes the event that tells of it and stores both or neither ([`NewEvent`]); where nothing is changed, no event
/// is stored.
///
/// A document or row that cannot be read, since another program or a repair has written it, is left out of
/// lists and claims, and of their limits: it keeps no other from a job, and a page that is not full is the
/// last.
#[async_trait]
pub trait Connections {
    /// Stores a connection by one atomic write: creates it, replaces token, profile, scopes and expiry of the user's own,
    /// or takes over one that is inactive.
    ///
    /// The document of an account stays the same one for ever. Its `connected_at` stays too, unless the account passes to
    /// another user; then the history and the events of the earlier owner are erased. The last error and the mark of a dead
    /// token are cleared, leases and waits too. Of two users who claim one account at once, one is told `AccountInUse`.
    /// The profile is a point of the history.
    async fn save_connection(
        &self,
        connection: NewConnection,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<SaveOutcome>;

    /// The user's active connection that was saved last; `None` where there is none.
    async fn latest_connection(&self, user_id: &str) -> StoreResult<Option<Connection>>;

    /// The user's active connections, the one that was saved last first; at most `limit`.
    async fn connections_of_user(&self, user_id: &str, limit: u32) -> StoreResult<Vec<Connection>>;

    /// A connection by its id, active or not.
    async fn connection(&self, id: &str) -> StoreResult<Option<Connection>>;

    /// The connections of an account, active or not, by its professional id or its app-scoped one. Fails where one cannot be
    /// read: a request to delete must not pass over it.
    async fn connections_of_account(&self, account_id: &str) -> StoreResult<Vec<Connection>>;

    /// Connections in the order of their ids, at most `limit`.
    async fn list_connections(&self, filter: ConnectionFilter, limit: u32) -> StoreResult<Vec<Connection>>;

    /// Ends an active connection: erases the token, keeps the document. `false` when it is not active, or not that user's.
    async fn disconnect(&self, id: &str, user_id: &str, event: NewEvent, now: Timestamp)
    -> StoreResult<bool>;

    /// Claims at most `limit` connections whose time to be refreshed has come: first those without an attempt, of these the ones
    /// that are due longest, then the others in the order of their waits. So one that fails each time does not keep the rest. No
    /// connection is claimed by two callers, however many ask at once, until its lease ends, its refresh is rescheduled or its
    /// token is replaced. A claim counts as a failure until the token is replaced, so that one that kills its worker counts, too.
    ///
    /// A connection whose token is marked as dead, whose wait is not over or which is leased is not due. One without a time to be
    /// refreshed is: it must not be forgotten.
    async fn claim_due_for_refresh(
        &self,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>>;

    /// Decides when a claimed connection is to be refreshed, and releases it without a failure, provided that the stored token is
    /// still `access_token` and the lease still that of the claim.
    async fn decide_refresh(
        &self,
        id: &str,
        access_token: &str,
        refresh_at: Timestamp,
        lease: Timestamp,
    ) -> StoreResult<()>;

    /// Claims one connection for a refresh that its owner asked for, whether or not it is due or rescheduled, provided that its stored
    /// token is still `access_token`. `false` when it is not, or while another has it.
    async fn claim_for_refresh(
        &self,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// Replaces the token by a refreshed one and clears what was wrong with it, the lease included, provided that the stored token is still
    /// `old_access_token` and not marked as dead. Whose lease it is does not matter: a good token is not thrown away for
    /// coming late. Returns what is stored now; `None` when a reconnect, a disconnect, another refresh or word that the app was
    /// removed came first, and then nothing is changed.
    async fn replace_token(
        &self,
        id: &str,
        old_access_token: &str,
        refreshed: RefreshedToken,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>>;

    /// Releases a claim and decides when the token is tried again, provided that the stored token is still `access_token` and
    /// the lease still the one that is named. The token itself stays as it is.
    async fn reschedule_refresh(
        &self,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Releases what was claimed for a refresh and not tried: due at once, without the failure that the claim counted, and, where
    /// it has failed before, still behind what was not tried yet. One that no longer has the lease of that claim is left alone.
    async fn release_refreshes(
        &self,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Returns the time since which the connection is due for a refresh that waits longest, whether or not somebody is at it. `None`
    /// when none is due.
    async fn first_due_for_refresh(&self, now: Timestamp) -> StoreResult<Option<Timestamp>>;

    /// Claims at most `limit` active connections whose profile was last read at `synced_by` or before it, as
    /// [`claim_due_for_refresh`](Self::claim_due_for_refresh) does; of those without an attempt, the ones that were read longest ago
    /// come first.
    async fn claim_due_for_sync(
        &self,
        synced_by: Timestamp,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>>;

    /// Replaces the profile of a user's active connection, and nothing that belongs to the token; adds a point to its history;
    /// ends a lease, whoever has it, and forgets failures to sync. Returns what is stored now; `None` when the connection ended or passed to
    /// another user meanwhile.
    ///
    /// `granted_scope`: a permission that this read has shown to be granted; it is added where it is missing.
    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        profile: Profile,
        granted_scope: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>>;

    /// Releases a claim and decides when an active connection is synced again, provided that the stored token is still
    /// `access_token` and the lease still the one that is named.
    async fn reschedule_sync(
        &self,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Releases what was claimed for a sync and not tried, as [`release_refreshes`](Self::release_refreshes) does.
    async fn release_syncs(&self, ids: &[&str], lease_until: Timestamp, now: Timestamp) -> StoreResult<()>;

    /// Records that the token is dead, with a sentence for the owner, provided that the stored token is still
    /// `access_token` and that this is not recorded yet; else the answer is `false` and nothing is changed.
    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// Stores an event that tells of no change, of an active connection whose stored token is still `access_token`; else
    /// the answer is `false` and nothing is stored.
    async fn record_event(
        &self,
        id: &str,
        access_token: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// Tokens of active connections that are sealed with this key (`None`: whose sealed text names none), in the order of
    /// their connections' ids, from after `after` on; at most `limit`.
    async fn sealed_with(
        &self,
        key_id: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> StoreResult<Vec<SealedToken>>;

    /// Replaces a sealed token by the same token sealed anew, provided that it is still the one in `old`. Nothing else is
    /// changed. `false` when it was not.
    async fn reencrypt_token(&self, old: &SealedToken, access_token: &str) -> StoreResult<bool>;

    /// Counts the tokens that are sealed with each key. Looks at every active connection: for operators.
    async fn key_use(&self) -> StoreResult<Vec<KeyUse>>;
}

/// The key that a sealed token names: the second part of `v1.<key id>.<ciphertext>`.
pub(crate) fn key_id(sealed: &str) -> Option<&str> {
    let mut parts = sealed.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("v1"), Some(key_id), Some(_)) => Some(key_id),
        _ => None,
    }
}
