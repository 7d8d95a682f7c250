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
    /// When it was connected last, for the first time or again.
    pub last_connected_at: Timestamp,
    /// When the profile was last read from Instagram.
    pub last_synced_at: Timestamp,
    /// What went wrong last, in words for the owner.
    pub last_error: Option<String>,
    /// Since when Instagram is known to refuse the token; `None` while it works.
    pub needs_reauthorization_since: Option<Timestamp>,
    /// How often the renewal of this token has been begun in vain.
    pub refresh_failures: u32,
    /// Until when a worker has the renewal to itself; what a claim returns names the claim's own lease.
    pub refresh_lease_until: Option<Timestamp>,
    /// How often the profile has been asked for in vain.
    pub sync_failures: u32,
    /// As `refresh_lease_until`, for the sync.
    pub sync_lease_until: Option<Timestamp>,
    /// Whether it is connected; `false` once it was ended, and then there is no token.
    pub is_active: bool,
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

/// From when until when a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLife {
    /// When Instagram gave it.
    pub issued_at: Timestamp,
    /// When it ends, as Instagram said.
    pub expires_at: Timestamp,
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

/// Which connections are due for a sync, and how many of them a worker takes at once.
#[derive(Clone, Copy, Debug)]
pub struct DueForSync {
    /// The profile was last read at this time or before it.
    pub synced_by: Timestamp,
    /// Until when nobody else is to try.
    pub lease_until: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// Why and until when a renewal or a sync is put off.
#[derive(Clone, Debug)]
pub struct Postponement {
    /// The lease that is given up: the `lease_until` of the claim; `None` where there was none. Where another has the work
    /// meanwhile, it is theirs to put off.
    pub lease: Option<Timestamp>,
    /// No worker tries before this time. Where no lease is given up, a longer wait that is there stays: it was not of this try.
    pub not_before: Timestamp,
    /// A sentence for the owner; `None` leaves the one that is there.
    pub error: Option<String>,
    /// A permission that turned out not to be granted: it is taken off the list.
    pub missing_scope: Option<String>,
    /// What this is in the connection's life, where it is worth an event.
    pub event: Option<NewEvent>,
    /// Nothing was tried: what the claim has counted as a failure is none.
    pub untried: bool,
}

/// Which connections an operator wants to see, and where the page begins.
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
    /// Those after this id: the last one of the page before.
    pub after: Option<String>,
}

/// What can be known of a stored connection without opening its token.
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

/// How many tokens of active connections are sealed with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id, as the sealed text names it; `None` where it names none.
    pub key_id: Option<String>,
    /// Tokens.
    pub tokens: u64,
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
///
/// Each change takes the event that tells of it and stores both or neither ([`NewEvent`]); where nothing is changed, no event
/// is stored.
///
/// What cannot be read, since another program or a repair has written it, is left out of lists and claims, and of their
/// limits: it keeps no other from a job, and a page that is not full is the last.
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

    /// Claims connections that are due for a renewal: first those that were not tried yet, of these the ones that end first,
    /// then those that were, in the order of their waits. So one that fails each time does not keep the others. Each is
    /// claimed by one caller only, however many ask at once, until its lease ends, its renewal is postponed or its token is
    /// replaced. A claim counts as a failure until the token is replaced, so that one that kills its worker counts, too.
    ///
    /// A connection whose token is dead, has ended, was postponed until later or is leased is not due.
    async fn claim_due_for_refresh(&self, due: DueForRefresh, now: Timestamp)
    -> StoreResult<Vec<Connection>>;

    /// Claims one connection for a renewal that its owner asked for, whether or not it is due or postponed, provided that its stored
    /// token is still `access_token`. `false` when it is not, or while another has it.
    async fn claim_for_refresh(
        &self,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// Replaces the token by a renewed one and clears what was wrong with it, the lease included, provided that the stored token is still
    /// `old_access_token` and not marked as dead. Whose lease it is does not matter: a good token is not thrown away for
    /// coming late. Returns what is stored now; `None` when a reconnect, a disconnect, another renewal or word that the app was
    /// removed came first, and then nothing is changed.
    async fn renew_token(
        &self,
        id: &str,
        old_access_token: &str,
        renewed: RenewedToken,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>>;

    /// Ends a lease and puts the next try to renew a token off, provided that the stored token is still `access_token` and
    /// the lease still the one that is named. The token itself stays as it is.
    async fn postpone_refresh(
        &self,
        id: &str,
        access_token: &str,
        postponement: Postponement,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Gives back what was claimed for a renewal and not tried: due at once, without the failure that the claim counted, and, where
    /// it has failed before, still behind what was not tried yet. One that no longer has the lease of that claim is left alone.
    async fn give_back_refreshes(
        &self,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// The life of the token that is due for a renewal and ends first, whether or not somebody is at it. `None` when none is
    /// due.
    async fn first_due_for_refresh(
        &self,
        expires_by: Timestamp,
        issued_by: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Option<TokenLife>>;

    /// Active connections whose token has ended and is not marked as dead yet, and whose sync is not put off until later; at most
    /// `limit`.
    async fn unmarked_ended(&self, limit: u32, now: Timestamp) -> StoreResult<Vec<Connection>>;

    /// Claims active connections that are due for a sync, as [`claim_due_for_refresh`](Self::claim_due_for_refresh) does; of
    /// those that were not tried yet, the ones that were read longest ago come first. One whose token is dead or has ended is
    /// not due.
    async fn claim_due_for_sync(&self, due: DueForSync, now: Timestamp) -> StoreResult<Vec<Connection>>;

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

    /// Ends a lease and puts the next scheduled sync of an active connection off, provided that the stored token is still
    /// `access_token` and the lease still the one that is named.
    async fn postpone_sync(
        &self,
        id: &str,
        access_token: &str,
        postponement: Postponement,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Gives back what was claimed for a sync and not tried, as [`give_back_refreshes`](Self::give_back_refreshes) does.
    async fn give_back_syncs(&self, ids: &[&str], lease_until: Timestamp, now: Timestamp) -> StoreResult<()>;

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
    async fn reseal_token(&self, old: &SealedToken, access_token: &str) -> StoreResult<bool>;

    /// How many tokens are sealed with which key. Looks at every active connection: for operators.
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
