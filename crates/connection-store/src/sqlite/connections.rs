//! Connected Instagram accounts in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::oid::ObjectId;
use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Params, Row, ToSql, Transaction, named_params, params};

use super::columns::{Count, Lenient, Millis, TextList, is_unreadable, readable, warn_of};
use super::{SqliteStore, connection_sql as sql, deletions, events, history};
use crate::erasure::SHOWN;
use crate::{
    Connection, ConnectionFilter, Connections, Health, KeyUse, NewConnection, NewEvent, NextAttempt, Profile,
    RefreshedToken, SaveOutcome, SealedToken, StoreResult,
};

#[async_trait]
impl Connections for SqliteStore {
    async fn save_connection(
        &self,
        new: NewConnection,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<SaveOutcome> {
        let saved = self.writer.write(move |transaction| {
            let before = owner(transaction, &new.instagram_user_id)?;
            let passes = before.is_some_and(|owner| owner != new.user_id);
            let Some(connection) = save(transaction, new, now)? else { return Ok(SaveOutcome::AccountInUse) };
            if passes {
                deletions::erase(transaction, &SHOWN, &connection.id)?;
            }
            history::insert(transaction, &connection, now)?;
            events::insert(transaction, &connection, &event, now)?;
            Ok(SaveOutcome::Saved(Box::new(connection)))
        });
        Ok(saved.await?)
    }

    async fn latest_connection(&self, user_id: &str) -> StoreResult<Option<Connection>> {
        let found = self.readers.read(|database| {
            database.prepare_cached(sql::OF_USER)?.query_row([user_id], connection).optional()
        });
        Ok(found.await?)
    }

    async fn connections_of_user(&self, user_id: &str, limit: u32) -> StoreResult<Vec<Connection>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(sql::OF_USER)?;
            readable(statement.query_map([user_id], connection)?, limit as usize)
        });
        Ok(found.await?)
    }

    async fn connection(&self, id: &str) -> StoreResult<Option<Connection>> {
        let found = self
            .readers
            .read(|database| database.prepare_cached(sql::BY_ID)?.query_row([id], connection).optional());
        Ok(found.await?)
    }

    async fn connections_of_account(&self, account_id: &str) -> StoreResult<Vec<Connection>> {
        let found = self.readers.read(|database| {
            let mut found: Vec<Connection> = Vec::new();
            for query in [sql::BY_ACCOUNT, sql::BY_APP_SCOPED_ACCOUNT] {
                let mut statement = database.prepare_cached(query)?;
                for row in statement.query_map([account_id], connection)? {
                    let row = row?;
                    if found.iter().all(|other| other.id != row.id) {
                        found.push(row);
                    }
                }
            }
            Ok(found)
        });
        Ok(found.await?)
    }

    async fn list_connections(&self, filter: ConnectionFilter, limit: u32) -> StoreResult<Vec<Connection>> {
        let limit = limit as usize;
        let found = self.readers.read(|database| {
            let after = filter.after.as_deref().unwrap_or_default();
            // A disconnected account has no token, and so no health.
            let at_least_active = !filter.with_inactive || filter.health.is_some();
            let (ends_after, ends_by, dead_at) = match filter.health {
                None => (None, None, None),
                Some(Health::EndsAfter(after)) => (Some(Millis(after)), None, None),
                Some(Health::EndsWithin(after, by)) => (Some(Millis(after)), Some(Millis(by)), None),
                Some(Health::DeadAt(at)) => (None, None, Some(Millis(at))),
            };
            let not_of = &filter.not_of_users;
            // No key's id has such a line in it.
            let keys = (!filter.keys.is_empty()).then(|| format!("|{}|", filter.keys.join("|")));
            match &filter.user_id {
                Some(user_id) => {
                    let values =
                        params![after, at_least_active, not_of, ends_after, ends_by, dead_at, keys, user_id];
                    let mut statement = database.prepare_cached(sql::LIST_OF_USER)?;
                    readable(statement.query_map(values, connection)?, limit)
                }
                None => {
                    let values = params![after, at_least_active, not_of, ends_after, ends_by, dead_at, keys];
                    let mut statement = database.prepare_cached(sql::LIST)?;
                    readable(statement.query_map(values, connection)?, limit)
                }
            }
        });
        Ok(found.await?)
    }

    async fn disconnect(
        &self,
        id: &str,
        user_id: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (id, user_id) = (id.to_owned(), user_id.to_owned());
        let ended = self.writer.erase(move |transaction| {
            let ended = changed(transaction, sql::DISCONNECT, params![id, user_id, Millis(now)])?;
            tell(transaction, ended.as_ref(), [&event], now)?;
            Ok(ended.is_some())
        });
        Ok(ended.await?)
    }

    async fn claim_due_for_refresh(
        &self,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        let claimed = self.writer.write(move |transaction| {
            let values = named_params! { ":now": Millis(now), ":lease_until": Millis(lease_until) };
            let due_first = |connection: &Connection| connection.refresh_at;
            claim(transaction, sql::CLAIM_DUE_FOR_REFRESH, values, due_first, limit)
        });
        Ok(claimed.await?)
    }

    async fn decide_refresh(
        &self,
        id: &str,
        access_token: &str,
        refresh_at: Timestamp,
        lease: Timestamp,
    ) -> StoreResult<()> {
        let (id, access_token) = (id.to_owned(), access_token.to_owned());
        let decided = self.writer.write(move |transaction| {
            let values = params![id, access_token, Millis(refresh_at), Millis(lease)];
            transaction.prepare_cached(sql::DECIDE_REFRESH)?.execute(values)
        });
        decided.await?;
        Ok(())
    }

    async fn claim_for_refresh(
        &self,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (id, access_token) = (id.to_owned(), access_token.to_owned());
        let claimed = self.writer.write(move |transaction| {
            let values = params![id, access_token, Millis(lease_until), Millis(now)];
            transaction.prepare_cached(sql::CLAIM_FOR_REFRESH)?.execute(values)
        });
        Ok(claimed.await? == 1)
    }

    async fn replace_token(
        &self,
        id: &str,
        old_access_token: &str,
        refreshed: RefreshedToken,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (id, old_access_token) = (id.to_owned(), old_access_token.to_owned());
        let stored = self.writer.write(move |transaction| {
            let values = params![
                id,
                old_access_token,
                refreshed.access_token,
                Millis(refreshed.token_issued_at),
                Millis(refreshed.token_expires_at),
                Millis(refreshed.refresh_at),
                refreshed.scopes.map(TextList),
                Millis(now),
            ];
            let stored = changed(transaction, sql::REPLACE_TOKEN, values)?;
            tell(transaction, stored.as_ref(), &events, now)?;
            Ok(stored)
        });
        Ok(stored.await?)
    }

    async fn reschedule_refresh(
        &self,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.reschedule(sql::RESCHEDULE_REFRESH, id, access_token, next, now).await
    }

    async fn release_refreshes(
        &self,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.release(sql::RELEASE_REFRESH, ids, lease_until, now).await
    }

    async fn first_due_for_refresh(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(sql::FIRST_DUE_FOR_REFRESH)?;
            statement.query_row([Millis(now)], |row| row.get::<_, Millis>(0)).optional()
        });
        Ok(found.await?.map(|time| time.0))
    }

    async fn claim_due_for_sync(
        &self,
        synced_by: Timestamp,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        let claimed = self.writer.write(move |transaction| {
            let values = named_params! {
                ":now": Millis(now),
                ":synced_by": Millis(synced_by),
                ":lease_until": Millis(lease_until),
            };
            let read_first = |connection: &Connection| Some(connection.last_synced_at);
            claim(transaction, sql::CLAIM_DUE_FOR_SYNC, values, read_first, limit)
        });
        Ok(claimed.await?)
    }

    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        profile: Profile,
        granted_scope: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (id, user_id, granted_scope) = (id.to_owned(), user_id.to_owned(), granted_scope.to_owned());
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
            let Some(mut connection) = changed(transaction, sql::UPDATE_PROFILE, values)? else {
                return Ok(None);
            };
            if !connection.scopes.contains(&granted_scope) {
                connection.scopes.push(granted_scope);
                set_scopes(transaction, &connection)?;
            }
            history::insert(transaction, &connection, now)?;
            events::insert(transaction, &connection, &event, now)?;
            Ok(Some(connection))
        });
        Ok(stored.await?)
    }

    async fn reschedule_sync(
        &self,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.reschedule(sql::RESCHEDULE_SYNC, id, access_token, next, now).await
    }

    async fn release_syncs(&self, ids: &[&str], lease_until: Timestamp, now: Timestamp) -> StoreResult<()> {
        self.release(sql::RELEASE_SYNC, ids, lease_until, now).await
    }

    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (id, access_token, error) = (id.to_owned(), access_token.to_owned(), error.to_owned());
        let marked = self.writer.write(move |transaction| {
            let marked = changed(transaction, sql::MARK, params![id, access_token, error, Millis(now)])?;
            tell(transaction, marked.as_ref(), [&event], now)?;
            Ok(marked.is_some())
        });
        Ok(marked.await?)
    }

    async fn record_event(
        &self,
        id: &str,
        access_token: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (id, access_token) = (id.to_owned(), access_token.to_owned());
        let recorded = self.writer.write(move |transaction| {
            let mut statement = transaction.prepare_cached(sql::WITH_TOKEN)?;
            let found = statement.query_row(params![id, access_token], connection).optional()?;
            tell(transaction, found.as_ref(), [&event], now)?;
            Ok(found.is_some())
        });
        Ok(recorded.await?)
    }

    async fn sealed_with(
        &self,
        key_id: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> StoreResult<Vec<SealedToken>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(sql::SEALED_WITH)?;
            let rows = statement.query_map(params![key_id, after.unwrap_or_default()], |row| {
                Ok(SealedToken {
                    connection_id: row.get(0)?,
                    instagram_user_id: row.get(1)?,
                    access_token: row.get(2)?,
                })
            })?;
            readable(rows, limit as usize)
        });
        Ok(found.await?)
    }

    async fn reencrypt_token(&self, old: &SealedToken, access_token: &str) -> StoreResult<bool> {
        let (old, access_token) = (old.clone(), access_token.to_owned());
        let reencrypted = self.writer.write(move |transaction| {
            let values = params![old.connection_id, old.access_token, access_token];
            transaction.prepare_cached(sql::REENCRYPT)?.execute(values)
        });
        Ok(reencrypted.await? == 1)
    }

    async fn key_use(&self) -> StoreResult<Vec<KeyUse>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(sql::KEY_USE)?;
            let rows = statement
                .query_map([], |row| Ok(KeyUse { key_id: row.get(0)?, tokens: row.get::<_, Count>(1)?.0 }))?;
            rows.collect()
        });
        Ok(found.await?)
    }
}

impl SqliteStore {
    async fn reschedule(
        &self,
        statement: &'static str,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        let (id, access_token) = (id.to_owned(), access_token.to_owned());
        let rescheduled = self.writer.write(move |transaction| {
            let NextAttempt { lease, at, failures, error, missing_scope, event } = next;
            let (at, lease) = (Millis(at), lease.map(Millis));
            let values = params![id, access_token, at, error, Millis(now), lease, failures];
            let Some(mut connection) = changed(transaction, statement, values)? else { return Ok(()) };
            if let Some(missing) = missing_scope.filter(|scope| connection.scopes.contains(scope)) {
                connection.scopes.retain(|scope| *scope != missing);
                set_scopes(transaction, &connection)?;
            }
            tell(transaction, Some(&connection), &event, now)
        });
        Ok(rescheduled.await?)
    }

    async fn release(
        &self,
        statement: &'static str,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
        let released = self.writer.write(move |transaction| {
            let mut statement = transaction.prepare_cached(statement)?;
            ids.iter()
                .try_for_each(|id| statement.execute(params![id, Millis(lease_until), Millis(now)]).map(drop))
        });
        Ok(released.await?)
    }
}

/// Returns the user that has an account, active or not.
fn owner(transaction: &Transaction<'_>, instagram_user_id: &str) -> rusqlite::Result<Option<String>> {
    transaction.prepare_cached(sql::OWNER)?.query_row([instagram_user_id], |row| row.get(0)).optional()
}

/// The connection as it is stored then; `None` when the account is active under another user.
fn save(
    transaction: &Transaction<'_>,
    new: NewConnection,
    now: Timestamp,
) -> rusqlite::Result<Option<Connection>> {
    let mut statement = transaction.prepare_cached(sql::SAVE)?;
    let row = statement.query_row(
        named_params! {
            ":id": ObjectId::new().to_hex(),
            ":user_id": new.user_id,
            ":instagram_user_id": new.instagram_user_id,
            ":app_scoped_user_id": new.app_scoped_user_id,
            ":access_token": new.access_token,
            ":token_issued_at": Millis(new.token_issued_at),
            ":token_expires_at": Millis(new.token_expires_at),
            ":refresh_at": Millis(new.refresh_at),
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
}

/// Claims with each statement in turn until there are enough or nothing more is due.
fn claim(
    transaction: &Transaction<'_>,
    statements: [&str; 2],
    values: &[(&str, &dyn ToSql)],
    order: impl Fn(&Connection) -> Option<Timestamp>,
    limit: u32,
) -> rusqlite::Result<Vec<Connection>> {
    let (mut claimed, mut passed_over) = (Vec::new(), 0);
    for statement in statements {
        let (mut statement, begin) = (transaction.prepare_cached(statement)?, claimed.len());
        loop {
            let missing = i64::from(limit) - claimed.len() as i64;
            let values = [values, &[(":limit", &missing)]].concat();
            let mut found = 0;
            for row in statement.query_map(&*values, connection)? {
                found += 1;
                match row {
                    Ok(connection) => claimed.push(connection),
                    Err(error) if is_unreadable(&error) => passed_over += 1,
                    Err(error) => return Err(error),
                }
            }
            // One that cannot be read has a lease now, and another look finds what is behind it.
            if found < missing || claimed.len() == limit as usize {
                break;
            }
        }
        claimed[begin..].sort_unstable_by_key(&order);
    }
    warn_of(passed_over);
    Ok(claimed)
}

/// Runs a statement that returns the connection as it is stored then, if it changed one.
fn changed(
    transaction: &Transaction<'_>,
    statement: &str,
    values: impl Params,
) -> rusqlite::Result<Option<Connection>> {
    transaction.prepare_cached(statement)?.query_row(values, connection).optional()
}

/// Stores the events of a change, if there was one.
fn tell<'event>(
    transaction: &Transaction<'_>,
    changed: Option<&Connection>,
    events: impl IntoIterator<Item = &'event NewEvent>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(connection) = changed else { return Ok(()) };
    events.into_iter().try_for_each(|event| events::insert(transaction, connection, event, now))
}

fn set_scopes(transaction: &Transaction<'_>, connection: &Connection) -> rusqlite::Result<()> {
    let scopes = TextList(connection.scopes.clone());
    transaction.prepare_cached(sql::SET_SCOPES)?.execute(params![connection.id, scopes])?;
    Ok(())
}

/// Reads `columns!()`: by place, since looking each up by its name would cost more than the rest of the read.
///
/// Fails only where it is not known whose it is, or what the token is: anything else that cannot be read, as after a repair
/// by hand, shows as well as it can.
pub(super) fn connection(row: &Row<'_>) -> rusqlite::Result<Connection> {
    let mut columns = Columns { row, next: 0 };
    Ok(Connection {
        id: columns.read()?,
        user_id: columns.read()?,
        instagram_user_id: columns.read()?,
        app_scoped_user_id: columns.lenient()?,
        access_token: columns.read()?,
        token_issued_at: columns.time()?,
        // A token whose end nobody knows is taken for one that has ended, rather than for one that never does.
        token_expires_at: columns.time()?,
        refresh_at: columns.optional_time()?,
        profile: Profile {
            username: columns.lenient()?.unwrap_or_default(),
            name: columns.lenient()?,
            profile_picture_url: columns.lenient()?,
            biography: columns.lenient()?,
            website: columns.lenient()?,
            followers_count: columns.count()?,
            follows_count: columns.count()?,
            media_count: columns.count()?,
        },
        scopes: columns.lenient::<TextList>()?.map(|list| list.0).unwrap_or_default(),
        connected_at: columns.time()?,
        last_connected_at: columns.time()?,
        last_synced_at: columns.time()?,
        last_error: columns.lenient()?,
        needs_reauthorization_since: columns.optional_time()?,
        refresh_failures: columns.failures()?,
        refresh_lease_until: columns.optional_time()?,
        sync_failures: columns.failures()?,
        sync_lease_until: columns.optional_time()?,
        is_active: columns.read()?,
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

    fn lenient<T: FromSql>(&mut self) -> rusqlite::Result<Option<T>> {
        self.read::<Lenient<T>>().map(|value| value.0)
    }

    /// A time that cannot be told is taken for long ago.
    fn time(&mut self) -> rusqlite::Result<Timestamp> {
        Ok(self.lenient::<Millis>()?.map_or(Timestamp::UNIX_EPOCH, |time| time.0))
    }

    /// As [`time`](Self::time); what is set stays set.
    fn optional_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        let time = self.read::<Option<Lenient<Millis>>>()?;
        Ok(time.map(|time| time.0.map_or(Timestamp::UNIX_EPOCH, |time| time.0)))
    }

    fn count(&mut self) -> rusqlite::Result<Option<u64>> {
        Ok(self.lenient::<Count>()?.map(|count| count.0))
    }

    fn failures(&mut self) -> rusqlite::Result<u32> {
        Ok(self.count()?.map_or(0, |count| count.try_into().unwrap_or(u32::MAX)))
    }
}
