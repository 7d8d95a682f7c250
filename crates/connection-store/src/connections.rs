//! Connected accounts, of one provider at a time.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::Provider;

use crate::{HistoryPoint, HistoryRange, NewEvent, StoreResult};

/// A profile as it is stored. Fields that the provider does not give, or has none of, are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The account's name at the provider: Instagram's username without the `@`, Spotify's `id`.
    pub username: String,
    /// Display name.
    pub name: Option<String>,
    /// May be signed by the provider, and dead within days.
    pub profile_picture_url: Option<String>,
    /// Address of the account's page, where the provider tells it; Instagram's follows from the username.
    pub profile_url: Option<String>,
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
    /// Kind of subscription, as Spotify names it: `premium`, `free`, `open`.
    pub product: Option<String>,
}

/// A connection to be stored, as a finished OAuth flow gives it.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Id of the user that the connection belongs to.
    pub user_id: String,
    /// The account's id at the provider (Instagram's `17841…`, Spotify's `account_id`); one document each.
    pub provider_account_id: String,
    /// Another id of the same account: Instagram's app-scoped one, by which `signed_request` names accounts; Spotify's `id`.
    pub other_account_id: Option<String>,
    /// The access token as the vault sealed it. The store never sees it open.
    pub access_token: String,
    /// The refresh token as the vault sealed it; `None` where the provider has none.
    pub refresh_token: Option<String>,
    /// Time at which the provider gave the access token.
    pub token_issued_at: Timestamp,
    /// Time at which the access token expires, as the provider said.
    pub token_expires_at: Timestamp,
    /// Time at which the connection ends, whatever is done but for what its owner does: of Instagram the token's end, which a
    /// refresh moves; of Spotify the end of the consent, which only another one moves.
    pub expires_at: Timestamp,
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
    /// The provider of the account.
    pub provider: Provider,
    /// Id of the user that the connection belongs to.
    pub user_id: String,
    /// The account's id at the provider.
    pub provider_account_id: String,
    /// Another id of the same account ([`NewConnection::other_account_id`]).
    pub other_account_id: Option<String>,
    /// The access token as the vault sealed it.
    pub access_token: String,
    /// The refresh token as the vault sealed it; `None` where the provider has none.
    pub refresh_token: Option<String>,
    /// Time at which the provider gave the access token.
    pub token_issued_at: Timestamp,
    /// Time at which the access token expires, as the provider said.
    pub token_expires_at: Timestamp,
    /// Time at which the connection ends ([`NewConnection::expires_at`]).
    pub expires_at: Timestamp,
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
    /// Time at which the profile was last read from the provider.
    pub last_synced_at: Timestamp,
    /// The last error, in words for the owner.
    pub last_error: Option<String>,
    /// Time since which the provider is known to refuse the token; `None` while it works.
    pub needs_reauthorization_since: Option<Timestamp>,
    /// Time at which the provider first refused the token, where its word has to be heard twice; `None` while it has not.
    pub refused_since: Option<Timestamp>,
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

/// A token that the provider has refreshed.
#[derive(Clone, Debug)]
pub struct RefreshedToken {
    /// The access token as the vault sealed it.
    pub access_token: String,
    /// Another refresh token as the vault sealed it; `None` keeps the stored one.
    pub refresh_token: Option<String>,
    /// Time at which the provider gave the access token.
    pub token_issued_at: Timestamp,
    /// Time at which the access token expires, as the provider said.
    pub token_expires_at: Timestamp,
    /// Time at which the connection ends from now on ([`NewConnection::expires_at`]).
    pub expires_at: Timestamp,
    /// Time at which the token is to be refreshed.
    pub refresh_at: Timestamp,
    /// Permissions granted, where the provider said so; `None` leaves what is stored.
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
    /// Time at which the provider first refused the token; `None` leaves the one that is there, and so does a later one. With it, the token
    /// is due `at` that time, whenever it would have been due by itself.
    pub refused_since: Option<Timestamp>,
    /// The event to store, where the attempt is worth one.
    pub event: Option<NewEvent>,
}

/// An account's profile as it was just read.
#[derive(Clone, Debug)]
pub struct ReadProfile {
    /// The profile.
    pub profile: Profile,
    /// The account's other id; `None` leaves the one that is there.
    pub other_account_id: Option<String>,
    /// A permission that this read has shown to be granted; it is added where it is missing.
    pub granted_scope: Option<String>,
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
    /// The token is not known to be dead, and the connection ends after this time.
    EndsAfter(Timestamp),
    /// The token is not known to be dead, and the connection ends after the first time, and at the second or before it.
    EndsWithin(Timestamp, Timestamp),
    /// The token is known to be dead, or the connection has ended at this time.
    DeadAt(Timestamp),
}

/// The sealed tokens of a connection, with what it takes to open them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedToken {
    /// The connection's id.
    pub connection_id: String,
    /// The account that the tokens are bound to.
    pub provider_account_id: String,
    /// The access token as the vault sealed it.
    pub access_token: String,
    /// The refresh token as the vault sealed it; `None` where the provider has none.
    pub refresh_token: Option<String>,
}

/// Number of active connections whose token is sealed with one key: of those with a refresh token, that one, without which the other
/// is of no use.
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

/// Connected accounts of one provider: [`Store::connections`](crate::Store::connections) gives them. An id of another provider's
/// connection is one that is not there.
///
/// Each change takes the event that tells of it and stores both or neither ([`NewEvent`]); where nothing is changed, no event
/// is stored.
///
/// A document or row that cannot be read, since another program or a repair has written it, is left out of
/// lists and claims, and of their limits: it keeps no other from a job, and a page that is not full is the
/// last.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Stores a connection by one atomic write: creates it, replaces token, profile, scopes and expiry of the user's own,
    /// or takes over one that is inactive.
    ///
    /// An account that was not connected to this user becomes the one in use
    /// ([`current_connection`](Self::current_connection)); connecting one again changes nothing about that.
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

    /// The user's active connection in use: the one that was chosen or newly connected last; where that one has ended, the one of
    /// the others that was saved last. `None` where there is none.
    async fn current_connection(&self, user_id: &str) -> StoreResult<Option<Connection>>;

    /// Makes an active connection of the user the one in use, and returns it; `None` when it is not active, or not that user's.
    async fn select_connection(
        &self,
        id: &str,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>>;

    /// The user's active connections: the one in use first, then the one that was saved last; at most `limit`.
    async fn connections_of_user(&self, user_id: &str, limit: u32) -> StoreResult<Vec<Connection>>;

    /// A connection by its id, active or not.
    async fn connection(&self, id: &str) -> StoreResult<Option<Connection>>;

    /// The connections of an account, active or not, by either of its ids. Fails where one cannot be
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

    /// Claims one connection for a refresh that somebody asked for, whether or not it is due or rescheduled, provided that its stored
    /// token is still `access_token`. Returns the failures in a row with this claim, which counts as one; `None` when the token is
    /// another, or while another caller has the connection.
    async fn claim_for_refresh(
        &self,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Option<u32>>;

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
    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        read: ReadProfile,
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

    /// Replaces sealed tokens by the same tokens sealed anew, for another id of the same account perhaps, to which the connection is
    /// moved then; provided that they are still the ones in `old`. Nothing else is changed. `false` when they are not, or when another
    /// connection has that id.
    async fn reseal(&self, old: &SealedToken, new: &SealedToken) -> StoreResult<bool>;

    /// Counts the tokens that are sealed with each key. Looks at every active connection: for operators.
    async fn key_use(&self) -> StoreResult<Vec<KeyUse>>;

    /// Points of a connection's history, the oldest first. What is older than it is kept is left out. Points are added by
    /// [`save_connection`](Self::save_connection) and [`update_profile`](Self::update_profile). Of those of one day (UTC), the first is kept
    /// for [`HISTORY_LIFE`](crate::HISTORY_LIFE), the others for [`HISTORY_DETAIL`](crate::HISTORY_DETAIL); none longer than the
    /// connection.
    async fn history(
        &self,
        connection_id: &str,
        user_id: &str,
        range: HistoryRange,
        now: Timestamp,
    ) -> StoreResult<Vec<HistoryPoint>>;

    /// Erases a connection: its document, its history, its events and the deliveries that wait, but for those of `event`, which
    /// is all that remains. Provided that it was last connected at `connected_by` or before; else, and where there is no
    /// such connection, nothing is changed and the answer is `false`. Can be repeated when a process died at it.
    async fn erase_connection(
        &self,
        id: &str,
        connected_by: Timestamp,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool>;
}

/// The key that a sealed token names: the second part of `v1.<key id>.<ciphertext>`.
pub(crate) fn key_id(sealed: &str) -> Option<&str> {
    let mut parts = sealed.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("v1"), Some(key_id), Some(_)) => Some(key_id),
        _ => None,
    }
}
