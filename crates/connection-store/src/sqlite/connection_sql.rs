//! The statements about connected accounts: of each provider's table the same ones.
//!
//! A lease or a wait that is unset is over. Lists have no limit of their own: whoever reads one stops where it is long enough,
//! and rows that cannot be read do not count. Where a statement returns `columns!()`, no row means that nothing was changed.

use shared::Provider;

/// The columns of a [`Connection`](crate::Connection), in the order in which they are read.
macro_rules! columns {
    () => {
        "id, user_id, provider_account_id, other_account_id, access_token, refresh_token, token_issued_at,
        token_expires_at, expires_at, refresh_at, username, name, profile_picture_url, profile_url, biography, website,
        followers_count, follows_count, media_count, product, scopes, connected_at, last_connected_at, last_synced_at,
        last_error, needs_reauthorization_since, refused_since, refresh_failures, refresh_lease_until, sync_failures,
        sync_lease_until, is_active"
    };
}

/// The order of a user's connections: the one in use, then the one that was saved last. What is unset comes last.
macro_rules! current_first {
    () => {
        "ORDER BY selected_at DESC, last_connected_at DESC, id DESC"
    };
}

/// Selects the connections of `$table` that the rest of the statement is about.
macro_rules! find {
    ($table:literal, $rest:expr) => {
        concat!("SELECT ", columns!(), " FROM ", $table, " WHERE ", $rest)
    };
}

/// Changes connections of `$table` and returns them.
macro_rules! change {
    ($table:literal, $changes:expr) => {
        concat!("UPDATE ", $table, " SET ", $changes, " RETURNING ", columns!())
    };
}

/// Leaves connections out of a list: of users whose id begins with `?3`, that are dead or do not end after `?4`, that end after
/// `?5`, that are not dead at `?6`. A value that is unset leaves nothing out.
///
/// The `+` keeps a condition from choosing an index that would have to be sorted.
macro_rules! listed {
    () => {
        "id > ?1 AND +is_active >= ?2
        AND (?3 IS NULL OR substr(user_id, 1, length(?3)) <> ?3)
        AND (?4 IS NULL OR (needs_reauthorization_since IS NULL AND expires_at > ?4))
        AND (?5 IS NULL OR expires_at <= ?5)
        AND (?6 IS NULL OR needs_reauthorization_since IS NOT NULL OR expires_at <= ?6
            OR (?7 IS NOT NULL AND instr(?7, '|' || ifnull(token_key_id, '') || '|') = 0))
        ORDER BY id"
    };
}

/// A claim of the work `$kind`, for what is `$due` and `$waits`, in an order.
///
/// A failure is counted when an attempt begins, so that one that kills its worker counts, too; the bounds keep what somebody has
/// written there from overflowing. For the same reason an attempt begins with a wait: should nothing come of it, others go first.
macro_rules! claim {
    ($table:literal, $kind:literal, $waits:literal, $due:literal, $order:literal) => {
        change!(
            $table,
            concat!(
                concat!($kind, "_lease_until = :lease_until, ", $kind, "_not_before = :lease_until, "),
                concat!($kind, "_failures = max(min(", $kind, "_failures, 1000000), 0) + 1 "),
                concat!("WHERE id IN (SELECT id FROM ", $table),
                concat!(" WHERE is_active = 1 AND needs_reauthorization_since IS NULL AND ", $kind),
                concat!("_not_before ", $waits, " AND ", $due),
                concat!(" AND (", $kind, "_lease_until IS NULL OR ", $kind, "_lease_until <= :now)"),
                concat!(" ORDER BY ", $order, " LIMIT :limit)")
            )
        )
    };
}

/// The end of an attempt at the work `$kind`.
macro_rules! reschedule {
    ($table:literal, $kind:literal) => {
        change!(
            $table,
            concat!(
                concat!($kind, "_lease_until = NULL, ", $kind, "_not_before = CASE WHEN ?6 IS NULL "),
                concat!("THEN max(coalesce(", $kind, "_not_before, ?3), ?3) ELSE ?3 END, "),
                concat!($kind, "_failures = coalesce(?7, ", $kind, "_failures), "),
                "refresh_at = CASE WHEN ?8 IS NULL THEN refresh_at ELSE ?3 END,
                last_error = coalesce(?4, last_error), refused_since = coalesce(refused_since, ?8), updated_at = ?5
                WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND ",
                concat!($kind, "_lease_until IS ?6")
            )
        )
    };
}

/// The end of a claim of which nothing came, not even an attempt.
macro_rules! release {
    ($table:literal, $kind:literal) => {
        concat!(
            concat!("UPDATE ", $table, " SET ", $kind, "_lease_until = NULL, "),
            concat!($kind, "_not_before = CASE WHEN ", $kind, "_failures > 1 THEN ?3 END, "),
            concat!($kind, "_failures = max(min(", $kind, "_failures, 1000000) - 1, 0) "),
            concat!("WHERE id = ?1 AND ", $kind, "_lease_until = ?2"),
        )
    };
}

/// Declares the statements, and lists them for the test that looks at how they run.
macro_rules! declare {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        /// The statements about the connections of one provider.
        #[derive(Debug)]
        pub(super) struct Statements {
            /// The provider of the accounts.
            pub(super) provider: Provider,
            $($(#[$attribute])* pub(super) $name: &'static str,)*
        }

        #[cfg(test)]
        impl Statements {
            /// Returns all of them.
            pub(super) fn all(&self) -> Vec<&'static str> {
                vec![$(self.$name),*]
            }
        }
    };
}

declare! {
    /// Finds the user that has the account before it is saved, and whether it is active.
    owner,
    /// In `DO UPDATE`, a bare column is the row that is there, `excluded` the one that is to be written. Where `WHERE` is
    /// false, nothing is written and no row is returned.
    save,
    /// Selects the connection that is in use only because it was saved last: saving another one must not change that.
    select_current,
    select,
    unselect_others,
    of_user,
    by_id,
    by_account,
    by_other_account,
    list,
    list_of_user,
    disconnect,
    /// Claims connections that were not attempted yet.
    claim_new_for_refresh,
    /// Claims connections that have waited. The `+` keeps a condition from choosing an index that would have to be sorted.
    claim_waiting_for_refresh,
    claim_for_refresh,
    replace_token,
    reschedule_refresh,
    release_refresh,
    decide_refresh,
    first_due_for_refresh,
    claim_new_for_sync,
    claim_waiting_for_sync,
    update_profile,
    reschedule_sync,
    release_sync,
    set_scopes,
    mark,
    with_token,
    sealed_with,
    /// Ignores a change that another connection's account is in the way of.
    reseal,
    /// Looks at the index entry of each active connection: there is no other way to count.
    key_use,
    erase,
    /// Events of an earlier owner are gone: all that are there are the present owner's.
    events,
    /// Points of an earlier owner are gone: all that are there are the present owner's.
    history,
}

macro_rules! statements {
    ($provider:expr, $table:literal) => {
        Statements {
            provider: $provider,
            owner: concat!("SELECT user_id, is_active FROM ", $table, " WHERE provider_account_id = ?1"),
            save: concat!(
                "INSERT INTO ",
                $table,
                " (
                    id, user_id, provider_account_id, other_account_id, access_token, refresh_token, token_issued_at,
                    token_expires_at, expires_at, refresh_at, username, name, profile_picture_url, profile_url, biography,
                    website, followers_count, follows_count, media_count, product, scopes, connected_at,
                    last_connected_at, last_synced_at, selected_at, is_active, updated_at, created_at)
                VALUES (
                    :id, :user_id, :provider_account_id, :other_account_id, :access_token, :refresh_token,
                    :token_issued_at, :token_expires_at, :expires_at, :refresh_at, :username, :name,
                    :profile_picture_url, :profile_url, :biography, :website, :followers_count, :follows_count,
                    :media_count, :product, :scopes, :now, :now, :now, :now, 1, :now, :now)
                ON CONFLICT (provider_account_id) DO UPDATE SET
                    user_id = excluded.user_id,
                    other_account_id = excluded.other_account_id,
                    access_token = excluded.access_token,
                    refresh_token = excluded.refresh_token,
                    token_issued_at = excluded.token_issued_at,
                    token_expires_at = excluded.token_expires_at,
                    expires_at = excluded.expires_at,
                    refresh_at = excluded.refresh_at,
                    username = excluded.username,
                    name = excluded.name,
                    profile_picture_url = excluded.profile_picture_url,
                    profile_url = excluded.profile_url,
                    biography = excluded.biography,
                    website = excluded.website,
                    followers_count = excluded.followers_count,
                    follows_count = excluded.follows_count,
                    media_count = excluded.media_count,
                    product = excluded.product,
                    scopes = excluded.scopes,
                    connected_at = CASE WHEN user_id = excluded.user_id THEN connected_at ELSE excluded.connected_at END,
                    last_connected_at = excluded.last_connected_at,
                    last_synced_at = excluded.last_synced_at,
                    last_error = NULL,
                    needs_reauthorization_since = NULL,
                    refused_since = NULL,
                    refresh_lease_until = NULL,
                    refresh_not_before = NULL,
                    refresh_failures = 0,
                    sync_lease_until = NULL,
                    sync_not_before = NULL,
                    sync_failures = 0,
                    selected_at = CASE WHEN user_id = excluded.user_id AND is_active = 1
                        THEN selected_at ELSE excluded.selected_at END,
                    is_active = 1,
                    updated_at = excluded.updated_at
                WHERE user_id = excluded.user_id OR is_active = 0
                RETURNING ",
                columns!()
            ),
            select_current: concat!(
                concat!("UPDATE ", $table, " SET selected_at = last_connected_at WHERE id = (SELECT id FROM "),
                concat!($table, " WHERE user_id = ?1 AND is_active = 1 ", current_first!(), " LIMIT 1)"),
                " AND selected_at IS NULL"
            ),
            select: change!($table, "selected_at = ?3 WHERE id = ?1 AND user_id = ?2 AND is_active = 1"),
            unselect_others: concat!(
                "UPDATE ",
                $table,
                " SET selected_at = NULL
                WHERE user_id = ?1 AND is_active = 1 AND selected_at IS NOT NULL AND id <> ?2"
            ),
            of_user: find!($table, concat!("user_id = ?1 AND is_active = 1 ", current_first!())),
            by_id: find!($table, "id = ?1"),
            by_account: find!($table, "provider_account_id = ?1"),
            by_other_account: find!($table, "other_account_id = ?1"),
            list: find!($table, listed!()),
            list_of_user: find!($table, concat!("user_id = ?8 AND ", listed!())),
            disconnect: change!(
                $table,
                "access_token = '', refresh_token = NULL, selected_at = NULL, is_active = 0, updated_at = ?3
                WHERE id = ?1 AND user_id = ?2 AND is_active = 1"
            ),
            claim_new_for_refresh: claim!($table, "refresh", "IS NULL", "refresh_at <= :now", "refresh_at"),
            claim_waiting_for_refresh: claim!(
                $table,
                "refresh",
                "<= :now",
                "+refresh_at <= :now",
                "refresh_not_before"
            ),
            claim_for_refresh: concat!(
                "UPDATE ",
                $table,
                " SET
                    refresh_lease_until = ?3, refresh_failures = max(min(refresh_failures, 1000000), 0) + 1
                WHERE id = ?1 AND access_token = ?2 AND is_active = 1
                    AND (refresh_lease_until IS NULL OR refresh_lease_until <= ?4)
                RETURNING refresh_failures"
            ),
            replace_token: change!(
                $table,
                "access_token = ?3,
                refresh_token = coalesce(?4, refresh_token),
                token_issued_at = ?5,
                token_expires_at = ?6,
                expires_at = ?7,
                refresh_at = ?8,
                scopes = coalesce(?9, scopes),
                last_error = NULL,
                refused_since = NULL,
                refresh_lease_until = NULL,
                refresh_not_before = NULL,
                refresh_failures = 0,
                updated_at = ?10
                WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND needs_reauthorization_since IS NULL"
            ),
            reschedule_refresh: reschedule!($table, "refresh"),
            release_refresh: release!($table, "refresh"),
            decide_refresh: concat!(
                "UPDATE ",
                $table,
                " SET refresh_at = ?3, refresh_lease_until = NULL, refresh_not_before = NULL, refresh_failures = 0
                WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND refresh_lease_until = ?4"
            ),
            first_due_for_refresh: concat!(
                "SELECT refresh_at FROM ",
                $table,
                " WHERE is_active = 1 AND needs_reauthorization_since IS NULL AND refresh_at <= ?1
                ORDER BY refresh_at LIMIT 1"
            ),
            claim_new_for_sync: claim!(
                $table,
                "sync",
                "IS NULL",
                "last_synced_at <= :synced_by",
                "last_synced_at"
            ),
            claim_waiting_for_sync: claim!(
                $table,
                "sync",
                "<= :now",
                "+last_synced_at <= :synced_by",
                "sync_not_before"
            ),
            update_profile: change!(
                $table,
                "other_account_id = coalesce(:other_account_id, other_account_id),
                username = :username,
                name = :name,
                profile_picture_url = :profile_picture_url,
                profile_url = :profile_url,
                biography = :biography,
                website = :website,
                followers_count = :followers_count,
                follows_count = :follows_count,
                media_count = :media_count,
                product = :product,
                last_synced_at = :now,
                sync_lease_until = NULL,
                sync_not_before = NULL,
                sync_failures = 0,
                updated_at = :now
                WHERE id = :id AND user_id = :user_id AND is_active = 1"
            ),
            reschedule_sync: reschedule!($table, "sync"),
            release_sync: release!($table, "sync"),
            set_scopes: concat!("UPDATE ", $table, " SET scopes = ?2 WHERE id = ?1"),
            mark: change!(
                $table,
                "last_error = ?3, needs_reauthorization_since = ?4, updated_at = ?4
                WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND needs_reauthorization_since IS NULL"
            ),
            with_token: find!($table, "id = ?1 AND access_token = ?2 AND is_active = 1"),
            sealed_with: concat!(
                "SELECT id, provider_account_id, access_token, refresh_token FROM ",
                $table,
                " WHERE is_active = 1 AND token_key_id IS ?1 AND id > ?2 ORDER BY id"
            ),
            reseal: concat!(
                "UPDATE OR IGNORE ",
                $table,
                " SET access_token = ?4, refresh_token = ?5, provider_account_id = ?6
                WHERE id = ?1 AND access_token = ?2 AND refresh_token IS ?3 AND is_active = 1"
            ),
            key_use: concat!(
                "SELECT token_key_id, count(*) FROM ",
                $table,
                " WHERE is_active = 1 GROUP BY token_key_id ORDER BY token_key_id"
            ),
            erase: concat!(
                "DELETE FROM ",
                $table,
                " WHERE id = ?1 AND last_connected_at <= ?2 RETURNING ",
                columns!()
            ),
            events: concat!(
                "SELECT id, kind, at, succeeded, message FROM connection_events
                WHERE connection_id = ?1 AND (at, id) < (?2, ?3) AND (expires_at IS NULL OR expires_at > ?4)
                    AND (SELECT user_id FROM ",
                $table,
                " WHERE id = ?1) = ?5
                ORDER BY at DESC, id DESC"
            ),
            history: concat!(
                "SELECT at, followers_count, follows_count, media_count FROM connection_history
                WHERE connection_id = ?1 AND at >= ?2 AND at < ?3 AND (expires_at IS NULL OR expires_at > ?4)
                    AND (SELECT user_id FROM ",
                $table,
                " WHERE id = ?1) = ?5
                ORDER BY at"
            ),
        }
    };
}

/// Returns the statements about a provider's connections.
pub(super) fn of(provider: Provider) -> &'static Statements {
    static INSTAGRAM: Statements = statements!(Provider::Instagram, "instagram_connections");
    static SPOTIFY: Statements = statements!(Provider::Spotify, "spotify_connections");
    match provider {
        Provider::Instagram => &INSTAGRAM,
        Provider::Spotify => &SPOTIFY,
    }
}
