//! Connected Instagram accounts in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::oid::ObjectId;
use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::SqliteStore;
use super::columns::{Count, Millis, TextList};
use crate::{
    Connection, Connections, DueForRefresh, NewConnection, Profile, RenewedToken, SaveOutcome, StoreResult,
};

/// The columns of a [`Connection`], in the order in which [`connection`] reads them.
macro_rules! columns {
    () => {
        "id, user_id, instagram_user_id, app_scoped_user_id, access_token, token_issued_at, token_expires_at,
        username, name, profile_picture_url, biography, website, followers_count, follows_count, media_count,
        scopes, connected_at, last_synced_at, last_error, needs_reauthorization_since, refresh_failures"
    };
}

/// In `DO UPDATE`, a bare column is the row that is there, `excluded` the one that is to be written. Where `WHERE` is
/// false, nothing is written and no row is returned.
const SAVE: &str = concat!(
    "
    INSERT INTO instagram_connections (
        id, user_id, instagram_user_id, app_scoped_user_id, access_token, token_issued_at, token_expires_at,
        username, name, profile_picture_url, biography, website, followers_count, follows_count, media_count,
        scopes, connected_at, last_connected_at, last_synced_at, last_error, needs_reauthorization_since,
        is_active, updated_at, created_at)
    VALUES (
        :id, :user_id, :instagram_user_id, :app_scoped_user_id, :access_token, :token_issued_at, :token_expires_at,
        :username, :name, :profile_picture_url, :biography, :website, :followers_count, :follows_count, :media_count,
        :scopes, :now, :now, :now, NULL, NULL,
        1, :now, :now)
    ON CONFLICT (instagram_user_id) DO UPDATE SET
        user_id = excluded.user_id,
        app_scoped_user_id = excluded.app_scoped_user_id,
        access_token = excluded.access_token,
        token_issued_at = excluded.token_issued_at,
        token_expires_at = excluded.token_expires_at,
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
        refresh_not_before = NULL,
        refresh_failures = 0,
        is_active = 1,
        updated_at = excluded.updated_at
    WHERE user_id = excluded.user_id OR is_active = 0
    RETURNING ",
    columns!()
);

pub(super) const LATEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM instagram_connections WHERE user_id = ?1 AND is_active = 1
    ORDER BY last_connected_at DESC, id DESC LIMIT 1"
);

pub(super) const RENEW: &str = concat!(
    "
    UPDATE instagram_connections SET
        access_token = ?3,
        token_issued_at = ?4,
        token_expires_at = ?5,
        scopes = coalesce(?6, scopes),
        last_error = NULL,
        needs_reauthorization_since = NULL,
        refresh_not_before = NULL,
        refresh_failures = 0,
        updated_at = ?7
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1
    RETURNING ",
    columns!()
);

/// A failure is counted when a try begins, so that one that kills its worker counts, too.
pub(super) const CLAIM: &str = concat!(
    "
    UPDATE instagram_connections SET refresh_not_before = ?4, refresh_failures = refresh_failures + 1
    WHERE id IN (
        SELECT id FROM instagram_connections
        WHERE token_expires_at > ?1 AND token_expires_at <= ?2 AND token_issued_at <= ?3 AND is_active = 1
            AND needs_reauthorization_since IS NULL
            AND (refresh_not_before IS NULL OR refresh_not_before <= ?1)
        ORDER BY token_expires_at LIMIT ?5)
    RETURNING ",
    columns!()
);

pub(super) const POSTPONE: &str = "
    UPDATE instagram_connections SET refresh_not_before = ?3, last_error = ?4
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1";

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
        updated_at = ?11
    WHERE id = ?1 AND user_id = ?2 AND is_active = 1
    RETURNING ",
    columns!()
);

pub(super) const DISCONNECT: &str = "
    UPDATE instagram_connections SET access_token = '', is_active = 0, updated_at = ?2
    WHERE id = (SELECT id FROM instagram_connections WHERE user_id = ?1 AND is_active = 1
                ORDER BY last_connected_at DESC, id DESC LIMIT 1)";

pub(super) const MARK: &str = "
    UPDATE instagram_connections SET
        last_error = ?3,
        needs_reauthorization_since = coalesce(needs_reauthorization_since, ?4),
        updated_at = ?4
    WHERE id = ?1 AND access_token = ?2 AND is_active = 1";

#[async_trait]
impl Connections for SqliteStore {
    async fn save_connection(&self, new: NewConnection, now: Timestamp) -> StoreResult<SaveOutcome> {
        let saved = self.writer.write(move |transaction| {
            let mut statement = transaction.prepare_cached(SAVE)?;
            let row = statement.query_row(
                named_params! {
                    ":id": ObjectId::new().to_hex(),
                    ":user_id": new.user_id,
                    ":instagram_user_id": new.instagram_user_id,
                    ":app_scoped_user_id": new.app_scoped_user_id,
                    ":access_token": new.access_token,
                    ":token_issued_at": Millis(new.token_issued_at),
                    ":token_expires_at": Millis(new.token_expires_at),
                    ":username": new.profile.username,
                    ":name": new.profile.name,
                    ":profile_picture_url": new.profile.profile_picture_url,
                    ":biography": new.profile.biography,
                    ":website": new.profile.website,
                    ":followers_count": new.profile.followers_count.map(Count),
                    ":follows_count": new.profile.follows_count.map(Count),
                    ":media_count": new.profile.media_count.map(Count),
                    ":scopes": TextList(new.scopes),
                    ":now": Millis(now),
                },
                connection,
            );
            row.optional()
        });
        Ok(match saved.await? {
            Some(connection) => SaveOutcome::Saved(Box::new(connection)),
            None => SaveOutcome::AccountInUse,
        })
    }

    async fn latest_connection(&self, user_id: &str) -> StoreResult<Option<Connection>> {
        let found = self
            .readers
            .read(|database| database.prepare_cached(LATEST)?.query_row([user_id], connection).optional());
        Ok(found.await?)
    }

    async fn disconnect(&self, user_id: &str, now: Timestamp) -> StoreResult<bool> {
        let user_id = user_id.to_owned();
        let changed = self.writer.write(move |transaction| {
            transaction.prepare_cached(DISCONNECT)?.execute(params![user_id, Millis(now)])
        });
        Ok(changed.await? == 1)
    }

    async fn renew_token(
        &self,
        id: &str,
        old_access_token: &str,
        renewed: RenewedToken,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (id, old_access_token) = (id.to_owned(), old_access_token.to_owned());
        let stored = self.writer.write(move |transaction| {
            let values = params![
                id,
                old_access_token,
                renewed.access_token,
                Millis(renewed.token_issued_at),
                Millis(renewed.token_expires_at),
                renewed.scopes.map(TextList),
                Millis(now),
            ];
            transaction.prepare_cached(RENEW)?.query_row(values, connection).optional()
        });
        Ok(stored.await?)
    }

    async fn claim_due_for_refresh(
        &self,
        due: DueForRefresh,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        let claimed = self.writer.write(move |transaction| {
            let values = params![
                Millis(now),
                Millis(due.expires_by),
                Millis(due.issued_by),
                Millis(due.lease_until),
                due.limit
            ];
            transaction.prepare_cached(CLAIM)?.query_map(values, connection)?.collect()
        });
        Ok(claimed.await?)
    }

    async fn postpone_refresh(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        let (id, access_token, error) = (id.to_owned(), access_token.to_owned(), error.to_owned());
        let postponed = self.writer.write(move |transaction| {
            let values = params![id, access_token, Millis(not_before), error];
            transaction.prepare_cached(POSTPONE)?.execute(values)
        });
        postponed.await?;
        Ok(())
    }

    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        profile: Profile,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (id, user_id) = (id.to_owned(), user_id.to_owned());
        let stored = self.writer.write(move |transaction| {
            let values = params![
                id,
                user_id,
                profile.username,
                profile.name,
                profile.profile_picture_url,
                profile.biography,
                profile.website,
                profile.followers_count.map(Count),
                profile.follows_count.map(Count),
                profile.media_count.map(Count),
                Millis(now),
            ];
            transaction.prepare_cached(UPDATE_PROFILE)?.query_row(values, connection).optional()
        });
        Ok(stored.await?)
    }

    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (id, access_token, error) = (id.to_owned(), access_token.to_owned(), error.to_owned());
        let changed = self.writer.write(move |transaction| {
            transaction.prepare_cached(MARK)?.execute(params![id, access_token, error, Millis(now)])
        });
        Ok(changed.await? == 1)
    }
}

/// Reads `columns!()`: by place, since looking each up by its name would cost more than the rest of the read.
fn connection(row: &Row<'_>) -> rusqlite::Result<Connection> {
    let mut columns = Columns { row, next: 0 };
    Ok(Connection {
        id: columns.read()?,
        user_id: columns.read()?,
        instagram_user_id: columns.read()?,
        app_scoped_user_id: columns.read()?,
        access_token: columns.read()?,
        token_issued_at: columns.time()?,
        token_expires_at: columns.time()?,
        profile: Profile {
            username: columns.read()?,
            name: columns.read()?,
            profile_picture_url: columns.read()?,
            biography: columns.read()?,
            website: columns.read()?,
            followers_count: columns.count()?,
            follows_count: columns.count()?,
            media_count: columns.count()?,
        },
        scopes: columns.read::<TextList>()?.0,
        connected_at: columns.time()?,
        last_synced_at: columns.time()?,
        last_error: columns.read()?,
        needs_reauthorization_since: columns.read::<Option<Millis>>()?.map(|time| time.0),
        refresh_failures: columns.read()?,
    })
}

struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl Columns<'_, '_> {
    fn read<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let place = self.next;
        self.next += 1;
        self.row.get(place)
    }

    fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.read::<Millis>().map(|time| time.0)
    }

    fn count(&mut self) -> rusqlite::Result<Option<u64>> {
        Ok(self.read::<Option<Count>>()?.map(|count| count.0))
    }
}
