//! The statements about connected accounts.
//!
//! A lease or a wait that is unset is over. Lists have no limit of their own: whoever reads one stops where it is long enough,
//! and rows that cannot be read do not count. Where a statement returns `columns!()`, no row means that nothing was changed.

/// The columns of a [`Connection`](crate::Connection), in the order in which they are read.
macro_rules! columns {
    () => {
        "id, user_id, instagram_user_id, app_scoped_user_id, access_token, token_issued_at, token_expires_at,
        refresh_at, username, name, profile_picture_url, biography, website, followers_count, follows_count, media_count,
        scopes, connected_at, last_connected_at, last_synced_at, last_error, needs_reauthorization_since,
        refresh_failures, refresh_lease_until, sync_failures, sync_lease_until, is_active"
    };
}

/// Finds the user that has the account before it is saved.
pub(super) const OWNER: &str = "SELECT user_id FROM instagram_connections WHERE instagram_user_id = ?1";

/// In `DO UPDATE`, a bare column is the row that is there, `excluded` the one that is to be written. Where `WHERE` is
/// false, nothing is written and no row is returned.
pub(super) const SAVE: &str = concat!(
    "
    INSERT INTO instagram_connections (
        id, user_id, instagram_user_id, app_scoped_user_id, access_token, token_issued_at,
        token_expires_at, refresh_at, username, name, profile_picture_url, biography, website, followers_count, follows_count,
        media_count, scopes, connected_at, last_connected_at, last_synced_at, last_error,
        needs_reauthorization_since, is_active, updated_at, created_at)
    VALUES (
        :id, :user_id, :instagram_user_id, :app_scoped_user_id, :access_token, :token_issued_at,
        :token_expires_at, :refresh_at, :username, :name, :profile_picture_url, :biography, :website, :followers_count, :follows_count,
        :media_count, :scopes, :now, :now, :now, NULL,
        NULL, 1, :now, :now)
    ON CONFLICT (instagram_user_id) DO UPDATE SET
        user_id = excluded.user_id,
        app_scoped_user_id = excluded.app_scoped_user_id,
        access_token = excluded.access_token,
        token_issued_at = excluded.token_issued_at,
        token_expires_at = excluded.token_expires_at,
        refresh_at = excluded.refresh_at,
        username = excluded.username,
        name = excluded.name,
        profile_picture_url = excluded.profile_picture_url,
        biography = excluded.biography,
        website = excluded.website,
        followers_count = excluded.followers_count,
        follows_count = excluded.follows_count,
        media_count = excluded.media_count,
        scopes = excluded.scopes,
        connected_at = CASE WHEN user_id = excluded.user_id THEN connected_at ELSE excluded.connected_at END,
        last_connected_at = excluded.last_connected_at,
        last_synced_at = excluded.last_synced_at,
        last_error = NULL,
        needs_reauthorization_since = NULL,
        refresh_lease_until = NULL,
        refresh_not_before = NULL,
        refresh_failures = 0,
        sync_lease_until = NULL,
        sync_not_before = NULL,
        sync_failures = 0,
        is_active = 1,
        updated_at = excluded.updated_at
    WHERE user_id = excluded.user_id OR is_active = 0
    RETURNING ",
    columns!()
);

/// The one that was saved last first.
pub(super) const OF_USER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM instagram_connections WHERE user_id = ?1 AND is_active = 1
    ORDER BY last_connected_at DESC, id DESC"
);

pub(super) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM instagram_connections WHERE id = ?1");

pub(super) const BY_ACCOUNT: &str =
    concat!("SELECT ", columns!(), " FROM instagram_connections WHERE instagram_user_id = ?1");

pub(super) const BY_APP_SCOPED_ACCOUNT: &str =
    concat!("SELECT ", columns!(), " FROM instagram_connections WHERE app_scoped_user_id = ?1");

/// Leaves connections out of a list: of users whose id begins with `?3`, with a token that is dead or does
/// not expire after `?4`, with a token that expires after `?5`, with a token that is not dead at `?6`. A
/// value that is unset leaves nothing out.
///
/// The `+` keeps a condition from choosing an index that would have to be sorted.
macro_rules! listed {
    () => {
        "id > ?1 AND +is_active >= ?2
        AND (?3 IS NULL OR substr(user_id, 1, length(?3)) <> ?3)
        AND (?4 IS NULL OR (needs_reauthorization_since IS NULL AND token_expires_at > ?4))
        AND (?5 IS NULL OR token_expires_at <= ?5)
        AND (?6 IS NULL OR needs_reauthorization_since IS NOT NULL OR token_expires_at <= ?6
            OR (?7 IS NOT NULL AND instr(?7, '|' || ifnull(token_key_id, '') || '|') = 0))
        ORDER BY id"
    };
}

pub(super) const LIST: &str = concat!("SELECT ", columns!(), " FROM instagram_connections WHERE ", listed!());

pub(super) const LIST_OF_USER: &str =
    concat!("SELECT ", columns!(), " FROM instagram_connections WHERE user_id = ?8 AND ", listed!());

pub(super) const DISCONNECT: &str = concat!(
    "
    UPDATE instagram_connections SET access_token = '', is_active = 0, updated_at = ?3
    WHERE id = ?1 AND user_id = ?2 AND is_active = 1
    RETURNING ",
    columns!()
);

/// A claim of the work `$kind`, for what is `$due` and `$waits`, in an order.
///
/// A failure is counted when a try begins, so that one that kills its worker counts, too; the bounds keep what somebody has
/// written there from overflowing. For the same reason a try begins with a wait: should nothing come of it, others go first.
macro_rules! claim {
    ($kind:literal, $waits:literal, $due:literal, $order:literal) => {
        concat!(
            "UPDATE instagram_connections SET ",
            concat!($kind, "_lease_until = :lease_until, ", $kind, "_not_before = :lease_until, "),
            concat!($kind, "_failures = max(min(", $kind, "_failures, 1000000), 0) + 1 "),
            "WHERE id IN (
                SELECT id FROM instagram_connections
                WHERE is_active = 1 AND needs_reauthorization_since IS NULL AND ",
            concat!($kind, "_not_before ", $waits, " AND ", $due),
            concat!(" AND (", $kind, "_lease_until IS NULL OR ", $kind, "_lease_until <= :now)"),
            concat!(" ORDER BY ", $order, " LIMIT :limit) RETURNING "),
            columns!()
        )
    };
}

/// The end of a claim of which nothing came, not even an attempt.
macro_rules! release {
    ($kind:literal) => {
        concat!(
            "UPDATE instagram_connections SET ",
            concat!($kind, "_lease_until = NULL, "),
            concat!($kind, "_not_before = CASE WHEN ", $kind, "_failures > 1 THEN ?3 END, "),
            concat!($kind, "_failures = max(min(", $kind, "_failures, 1000000) - 1, 0) "),
            concat!("WHERE id = ?1 AND ", $kind, "_lease_until = ?2"),
        )
    };
}

/// Claims connections that were not attempted yet, then connections that have waited. The `+` keeps a
/// condition from choosing an index that would have to be sorted.
pub(super) const CLAIM_DUE_FOR_REFRESH: [&str; 2] = [
    claim!("refresh", "IS NULL", "refresh_at <= :now", "refresh_at"),
    claim!("refresh", "<= :now", "+refresh_at <= :now", "refresh_not_before"),
];

pub(super) const CLAIM_FOR_REFRESH: &str = "
    UPDATE instagram_connections SET
        refresh_lease_until = ?3, refresh_failures = max(min(refresh_failures, 1000000), 0) + 1
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1
        AND (refresh_lease_until IS NULL OR refresh_lease_until <= ?4)";

pub(super) const REPLACE_TOKEN: &str = concat!(
    "
    UPDATE instagram_connections SET
        access_token = ?3,
        token_issued_at = ?4,
        token_expires_at = ?5,
        refresh_at = ?6,
        scopes = coalesce(?7, scopes),
        last_error = NULL,
        refresh_lease_until = NULL,
        refresh_not_before = NULL,
        refresh_failures = 0,
        updated_at = ?8
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND needs_reauthorization_since IS NULL
    RETURNING ",
    columns!()
);

pub(super) const RESCHEDULE_REFRESH: &str = concat!(
    "
    UPDATE instagram_connections SET
        refresh_lease_until = NULL,
        refresh_not_before = CASE WHEN ?6 IS NULL THEN max(coalesce(refresh_not_before, ?3), ?3) ELSE ?3 END,
        refresh_failures = coalesce(?7, refresh_failures),
        last_error = coalesce(?4, last_error),
        updated_at = ?5
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND refresh_lease_until IS ?6
    RETURNING ",
    columns!()
);

pub(super) const RELEASE_REFRESH: &str = release!("refresh");

pub(super) const DECIDE_REFRESH: &str = "
    UPDATE instagram_connections SET
        refresh_at = ?3, refresh_lease_until = NULL, refresh_not_before = NULL, refresh_failures = 0
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND refresh_lease_until = ?4";

pub(super) const FIRST_DUE_FOR_REFRESH: &str = "
    SELECT refresh_at FROM instagram_connections
    WHERE is_active = 1 AND needs_reauthorization_since IS NULL AND refresh_at <= ?1
    ORDER BY refresh_at LIMIT 1";

/// As [`CLAIM_DUE_FOR_REFRESH`].
pub(super) const CLAIM_DUE_FOR_SYNC: [&str; 2] = [
    claim!("sync", "IS NULL", "last_synced_at <= :synced_by", "last_synced_at"),
    claim!("sync", "<= :now", "+last_synced_at <= :synced_by", "sync_not_before"),
];

pub(super) const UPDATE_PROFILE: &str = concat!(
    "
    UPDATE instagram_connections SET
        username = ?3,
        name = ?4,
        profile_picture_url = ?5,
        biography = ?6,
        website = ?7,
        followers_count = ?8,
        follows_count = ?9,
        media_count = ?10,
        last_synced_at = ?11,
        sync_lease_until = NULL,
        sync_not_before = NULL,
        sync_failures = 0,
        updated_at = ?11
    WHERE id = ?1 AND user_id = ?2 AND is_active = 1
    RETURNING ",
    columns!()
);

pub(super) const RESCHEDULE_SYNC: &str = concat!(
    "
    UPDATE instagram_connections SET
        sync_lease_until = NULL,
        sync_not_before = CASE WHEN ?6 IS NULL THEN max(coalesce(sync_not_before, ?3), ?3) ELSE ?3 END,
        sync_failures = coalesce(?7, sync_failures),
        last_error = coalesce(?4, last_error),
        updated_at = ?5
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND sync_lease_until IS ?6
    RETURNING ",
    columns!()
);

pub(super) const RELEASE_SYNC: &str = release!("sync");

pub(super) const SET_SCOPES: &str = "UPDATE instagram_connections SET scopes = ?2 WHERE id = ?1";

pub(super) const MARK: &str = concat!(
    "
    UPDATE instagram_connections SET last_error = ?3, needs_reauthorization_since = ?4, updated_at = ?4
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1 AND needs_reauthorization_since IS NULL
    RETURNING ",
    columns!()
);

pub(super) const WITH_TOKEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM instagram_connections WHERE id = ?1 AND access_token = ?2 AND is_active = 1"
);

pub(super) const SEALED_WITH: &str = "
    SELECT id, instagram_user_id, access_token FROM instagram_connections
    WHERE is_active = 1 AND token_key_id IS ?1 AND id > ?2 ORDER BY id";

pub(super) const REENCRYPT: &str = "
    UPDATE instagram_connections SET access_token = ?3
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1";

/// Looks at the index entry of each active connection: there is no other way to count.
pub(super) const KEY_USE: &str = "
    SELECT token_key_id, count(*) FROM instagram_connections WHERE is_active = 1
    GROUP BY token_key_id ORDER BY token_key_id";

pub(super) const ERASE: &str = concat!(
    "DELETE FROM instagram_connections WHERE id = ?1 AND last_connected_at <= ?2 RETURNING ",
    columns!()
);
