//! Connected accounts in SQLite: a table for each provider, and the same statements about each.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::oid::ObjectId;
use rusqlite::{OptionalExtension, Params, Row, ToSql, Transaction, named_params, params};
use shared::Provider;

use super::columns::{Count, Millis, TextList, is_unreadable, readable, warn_of};
use super::connection_rows::{self, sealed_token};
use super::connection_sql::{self, Statements};
use super::readers::Readers;
use super::writer::Writer;
use super::{deletions, events, history};
use crate::erasure::{DELIVERIES, SHOWN};
use crate::{
    Connection, ConnectionFilter, Health, HistoryPoint, HistoryRange, KeyUse, NewConnection, NewEvent,
    NextAttempt, ReadProfile, RefreshedToken, SaveOutcome, SealedToken, StoreResult,
};

/// The values of a profile's columns, by their names.
macro_rules! profile_values {
    ($profile:expr) => {
        named_params! {
            ":username": $profile.username,
            ":name": $profile.name,
            ":profile_picture_url": $profile.profile_picture_url,
            ":profile_url": $profile.profile_url,
            ":biography": $profile.biography,
            ":website": $profile.website,
            ":followers_count": $profile.followers_count.map(Count),
            ":follows_count": $profile.follows_count.map(Count),
            ":media_count": $profile.media_count.map(Count),
            ":product": $profile.product,
        }
    };
}

/// The connections of one provider.
#[derive(Debug)]
pub(super) struct Connections {
    sql: &'static Statements,
    readers: Arc<Readers>,
    writer: Arc<Writer>,
}

#[async_trait]
impl crate::Connections for Connections {
    async fn save_connection(
        &self,
        new: NewConnection,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<SaveOutcome> {
        let sql = self.sql;
        let saved = self.writer.write(move |transaction| {
            let before = owner(transaction, sql, &new.provider_account_id)?;
            let passes = before.as_ref().is_some_and(|(owner, _)| *owner != new.user_id);
            let was_connected = before.is_some_and(|(owner, is_active)| owner == new.user_id && is_active);
            transaction.prepare_cached(sql.select_current)?.execute([&new.user_id])?;
            let Some(connection) = save(transaction, sql, new, now)? else {
                return Ok(SaveOutcome::AccountInUse);
            };
            if !was_connected {
                unselect_others(transaction, sql, &connection)?;
            }
            if passes {
                deletions::erase(transaction, &SHOWN, &connection.id)?;
            }
            history::insert(transaction, &connection, now)?;
            events::insert(transaction, &connection, &event, now)?;
            Ok(SaveOutcome::Saved(Box::new(connection)))
        });
        Ok(saved.await?)
    }

    async fn current_connection(&self, user_id: &str) -> StoreResult<Option<Connection>> {
        self.find_one(self.sql.of_user, user_id).await
    }

    async fn select_connection(
        &self,
        id: &str,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (sql, id, user_id) = (self.sql, id.to_owned(), user_id.to_owned());
        let selected = self.writer.write(move |transaction| {
            let selected = changed(transaction, sql, sql.select, params![id, user_id, Millis(now)])?;
            if let Some(connection) = &selected {
                unselect_others(transaction, sql, connection)?;
            }
            Ok(selected)
        });
        Ok(selected.await?)
    }

    async fn connections_of_user(&self, user_id: &str, limit: u32) -> StoreResult<Vec<Connection>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(self.sql.of_user)?;
            readable(statement.query_map([user_id], connection(self.sql))?, limit as usize)
        });
        Ok(found.await?)
    }

    async fn connection(&self, id: &str) -> StoreResult<Option<Connection>> {
        self.find_one(self.sql.by_id, id).await
    }

    async fn connections_of_account(&self, account_id: &str) -> StoreResult<Vec<Connection>> {
        let found = self.readers.read(|database| {
            let mut found: Vec<Connection> = Vec::new();
            for query in [self.sql.by_account, self.sql.by_other_account] {
                let mut statement = database.prepare_cached(query)?;
                for row in statement.query_map([account_id], connection(self.sql))? {
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
                    let mut statement = database.prepare_cached(self.sql.list_of_user)?;
                    readable(statement.query_map(values, connection(self.sql))?, limit)
                }
                None => {
                    let values = params![after, at_least_active, not_of, ends_after, ends_by, dead_at, keys];
                    let mut statement = database.prepare_cached(self.sql.list)?;
                    readable(statement.query_map(values, connection(self.sql))?, limit)
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
        let (sql, id, user_id) = (self.sql, id.to_owned(), user_id.to_owned());
        let ended = self.writer.erase(move |transaction| {
            let ended = changed(transaction, sql, sql.disconnect, params![id, user_id, Millis(now)])?;
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
        let sql = self.sql;
        let claimed = self.writer.write(move |transaction| {
            let values = named_params! { ":now": Millis(now), ":lease_until": Millis(lease_until) };
            let due_first = |connection: &Connection| connection.refresh_at;
            let statements = [sql.claim_new_for_refresh, sql.claim_waiting_for_refresh];
            claim(transaction, sql, statements, values, due_first, limit)
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
        let (sql, id, access_token) = (self.sql, id.to_owned(), access_token.to_owned());
        let decided = self.writer.write(move |transaction| {
            let values = params![id, access_token, Millis(refresh_at), Millis(lease)];
            transaction.prepare_cached(sql.decide_refresh)?.execute(values)
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
    ) -> StoreResult<Option<u32>> {
        let (sql, id, access_token) = (self.sql, id.to_owned(), access_token.to_owned());
        let failures = self.writer.write(move |transaction| {
            let values = params![id, access_token, Millis(lease_until), Millis(now)];
            let mut statement = transaction.prepare_cached(sql.claim_for_refresh)?;
            statement.query_row(values, |row| row.get(0)).optional()
        });
        Ok(failures.await?)
    }

    async fn replace_token(
        &self,
        id: &str,
        old_access_token: &str,
        refreshed: RefreshedToken,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (sql, id, old_access_token) = (self.sql, id.to_owned(), old_access_token.to_owned());
        let stored = self.writer.write(move |transaction| {
            let values = params![
                id,
                old_access_token,
                refreshed.access_token,
                refreshed.refresh_token,
                Millis(refreshed.token_issued_at),
                Millis(refreshed.token_expires_at),
                Millis(refreshed.expires_at),
                Millis(refreshed.refresh_at),
                refreshed.scopes.map(TextList),
                Millis(now),
            ];
            let stored = changed(transaction, sql, sql.replace_token, values)?;
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
        self.reschedule(self.sql.reschedule_refresh, id, access_token, next, now).await
    }

    async fn release_refreshes(
        &self,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.release(self.sql.release_refresh, ids, lease_until, now).await
    }

    async fn first_due_for_refresh(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(self.sql.first_due_for_refresh)?;
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
        let sql = self.sql;
        let claimed = self.writer.write(move |transaction| {
            let values = named_params! {
                ":now": Millis(now),
                ":synced_by": Millis(synced_by),
                ":lease_until": Millis(lease_until),
            };
            let read_first = |connection: &Connection| Some(connection.last_synced_at);
            let statements = [sql.claim_new_for_sync, sql.claim_waiting_for_sync];
            claim(transaction, sql, statements, values, read_first, limit)
        });
        Ok(claimed.await?)
    }

    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        read: ReadProfile,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let (sql, id, user_id) = (self.sql, id.to_owned(), user_id.to_owned());
        let stored = self.writer.write(move |transaction| {
            let ReadProfile { profile, other_account_id, granted_scope } = read;
            let of_connection = named_params! {
                ":id": id,
                ":user_id": user_id,
                ":other_account_id": other_account_id,
                ":now": Millis(now),
            };
            let of_profile = profile_values!(profile);
            let values = [of_connection, of_profile].concat();
            let Some(mut connection) = changed(transaction, sql, sql.update_profile, &*values)? else {
                return Ok(None);
            };
            if let Some(granted) = granted_scope.filter(|scope| !connection.scopes.contains(scope)) {
                connection.scopes.push(granted);
                set_scopes(transaction, sql, &connection)?;
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
        self.reschedule(self.sql.reschedule_sync, id, access_token, next, now).await
    }

    async fn release_syncs(&self, ids: &[&str], lease_until: Timestamp, now: Timestamp) -> StoreResult<()> {
        self.release(self.sql.release_sync, ids, lease_until, now).await
    }

    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (sql, id) = (self.sql, id.to_owned());
        let (access_token, error) = (access_token.to_owned(), error.to_owned());
        let marked = self.writer.write(move |transaction| {
            let marked = changed(transaction, sql, sql.mark, params![id, access_token, error, Millis(now)])?;
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
        let (sql, id, access_token) = (self.sql, id.to_owned(), access_token.to_owned());
        let recorded = self.writer.write(move |transaction| {
            let found = changed(transaction, sql, sql.with_token, params![id, access_token])?;
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
            let mut statement = database.prepare_cached(self.sql.sealed_with)?;
            let rows = statement.query_map(params![key_id, after.unwrap_or_default()], sealed_token)?;
            readable(rows, limit as usize)
        });
        Ok(found.await?)
    }

    async fn reseal(&self, old: &SealedToken, new: &SealedToken) -> StoreResult<bool> {
        let (sql, old, new) = (self.sql, old.clone(), new.clone());
        let resealed = self.writer.write(move |transaction| {
            transaction.prepare_cached(sql.reseal)?.execute(params![
                old.connection_id,
                old.access_token,
                old.refresh_token,
                new.access_token,
                new.refresh_token,
                new.provider_account_id,
            ])
        });
        Ok(resealed.await? == 1)
    }

    async fn key_use(&self) -> StoreResult<Vec<KeyUse>> {
        let found = self.readers.read(|database| {
            let mut statement = database.prepare_cached(self.sql.key_use)?;
            let rows = statement
                .query_map([], |row| Ok(KeyUse { key_id: row.get(0)?, tokens: row.get::<_, Count>(1)?.0 }))?;
            rows.collect()
        });
        Ok(found.await?)
    }

    async fn history(
        &self,
        connection_id: &str,
        user_id: &str,
        range: HistoryRange,
        now: Timestamp,
    ) -> StoreResult<Vec<HistoryPoint>> {
        let found = self
            .readers
            .read(|database| history::range(database, self.sql.history, connection_id, user_id, range, now));
        Ok(found.await?)
    }

    async fn erase_connection(
        &self,
        id: &str,
        connected_by: Timestamp,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (sql, id) = (self.sql, id.to_owned());
        let erased = self.writer.erase(move |transaction| {
            let erased = changed(transaction, sql, sql.erase, params![id, Millis(connected_by)])?;
            let Some(connection) = erased else { return Ok(false) };
            deletions::erase(transaction, &SHOWN, &id)?;
            deletions::erase(transaction, &DELIVERIES, &id)?;
            events::insert_deliveries(transaction, &connection, &event, now)?;
            Ok(true)
        });
        Ok(erased.await?)
    }
}

impl Connections {
    /// Returns the connections of a provider in the file that `readers` and `writer` use.
    pub(super) fn of(provider: Provider, readers: &Arc<Readers>, writer: &Arc<Writer>) -> Self {
        let sql = connection_sql::of(provider);
        Self { sql, readers: Arc::clone(readers), writer: Arc::clone(writer) }
    }

    async fn find_one(&self, query: &'static str, value: &str) -> StoreResult<Option<Connection>> {
        let found = self.readers.read(|database| {
            database.prepare_cached(query)?.query_row([value], connection(self.sql)).optional()
        });
        Ok(found.await?)
    }

    async fn reschedule(
        &self,
        statement: &'static str,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        let (sql, id, access_token) = (self.sql, id.to_owned(), access_token.to_owned());
        let rescheduled = self.writer.write(move |transaction| {
            let NextAttempt { lease, at, failures, error, missing_scope, refused_since, event } = next;
            let (at, lease, refused_since) = (Millis(at), lease.map(Millis), refused_since.map(Millis));
            let values = params![id, access_token, at, error, Millis(now), lease, failures, refused_since];
            let Some(mut connection) = changed(transaction, sql, statement, values)? else { return Ok(()) };
            if let Some(missing) = missing_scope.filter(|scope| connection.scopes.contains(scope)) {
                connection.scopes.retain(|scope| *scope != missing);
                set_scopes(transaction, sql, &connection)?;
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

/// Reads a row of a provider's table.
fn connection(sql: &Statements) -> impl Fn(&Row<'_>) -> rusqlite::Result<Connection> + Copy {
    let provider = sql.provider;
    move |row| connection_rows::connection(row, provider)
}

/// Returns the user that has an account, and whether it is active.
fn owner(
    transaction: &Transaction<'_>,
    sql: &Statements,
    account_id: &str,
) -> rusqlite::Result<Option<(String, bool)>> {
    let mut statement = transaction.prepare_cached(sql.owner)?;
    statement.query_row([account_id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// The connection as it is stored then; `None` when the account is active under another user.
fn save(
    transaction: &Transaction<'_>,
    sql: &Statements,
    new: NewConnection,
    now: Timestamp,
) -> rusqlite::Result<Option<Connection>> {
    let (id, scopes) = (ObjectId::new().to_hex(), TextList(new.scopes));
    let of_connection = named_params! {
        ":id": id,
        ":user_id": new.user_id,
        ":provider_account_id": new.provider_account_id,
        ":other_account_id": new.other_account_id,
        ":access_token": new.access_token,
        ":refresh_token": new.refresh_token,
        ":token_issued_at": Millis(new.token_issued_at),
        ":token_expires_at": Millis(new.token_expires_at),
        ":expires_at": Millis(new.expires_at),
        ":refresh_at": Millis(new.refresh_at),
        ":scopes": scopes,
        ":now": Millis(now),
    };
    let of_profile = profile_values!(new.profile);
    changed(transaction, sql, sql.save, &*[of_connection, of_profile].concat())
}

/// Leaves a connection as the only one of its user that is selected.
fn unselect_others(
    transaction: &Transaction<'_>,
    sql: &Statements,
    selected: &Connection,
) -> rusqlite::Result<()> {
    let values = params![selected.user_id, selected.id];
    transaction.prepare_cached(sql.unselect_others)?.execute(values)?;
    Ok(())
}

/// Claims with each statement in turn until there are enough or nothing more is due.
fn claim(
    transaction: &Transaction<'_>,
    sql: &Statements,
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
            for row in statement.query_map(&*values, connection(sql))? {
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
    sql: &Statements,
    statement: &str,
    values: impl Params,
) -> rusqlite::Result<Option<Connection>> {
    transaction.prepare_cached(statement)?.query_row(values, connection(sql)).optional()
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

fn set_scopes(
    transaction: &Transaction<'_>,
    sql: &Statements,
    connection: &Connection,
) -> rusqlite::Result<()> {
    let scopes = TextList(connection.scopes.clone());
    transaction.prepare_cached(sql.set_scopes)?.execute(params![connection.id, scopes])?;
    Ok(())
}
