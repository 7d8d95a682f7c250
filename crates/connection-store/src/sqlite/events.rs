//! Events of connections in SQLite, and the deliveries that they make.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, Transaction, params};

use super::columns::{Lenient, Millis, NamedProvider, readable};
use super::{PURGED_PER_INSERT, SqliteStore, connection_sql};
use crate::events::DELIVERY_LIFE;
use crate::times::later;
use crate::{Connection, Delivery, Event, EventCursor, Events, NewEvent, StoreResult, Subject};

const INSERT: &str =
    "INSERT INTO connection_events (id, connection_id, kind, at, succeeded, message, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";

pub(super) const PURGE: &str = "DELETE FROM connection_events WHERE id IN
    (SELECT id FROM connection_events WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

const INSERT_DELIVERY: &str = "
    INSERT INTO webhook_deliveries (
        event_id, receiver, kind, at, provider, connection_id, user_id, provider_account_id, attempts, due_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?4, ?9) ON CONFLICT (event_id, receiver) DO NOTHING";

pub(super) const PURGE_DELIVERIES: &str = "DELETE FROM webhook_deliveries WHERE rowid IN
    (SELECT rowid FROM webhook_deliveries WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const CLAIM_DELIVERIES: &str = "
    UPDATE webhook_deliveries SET due_at = ?2, attempts = min(attempts, 1000000) + 1
    WHERE rowid IN (
        SELECT rowid FROM webhook_deliveries WHERE due_at <= ?1 AND +expires_at > ?1 ORDER BY due_at LIMIT ?3)
    RETURNING event_id, receiver, kind, at, provider, connection_id, user_id, provider_account_id, attempts";

pub(super) const FINISH_DELIVERY: &str =
    "DELETE FROM webhook_deliveries WHERE event_id = ?1 AND receiver = ?2";

pub(super) const RESCHEDULE_DELIVERY: &str =
    "UPDATE webhook_deliveries SET due_at = ?3 WHERE event_id = ?1 AND receiver = ?2";

pub(super) const RELEASE_DELIVERY: &str = "UPDATE webhook_deliveries SET
        due_at = ?3, attempts = max(min(attempts, 1000000) - 1, 0)
    WHERE event_id = ?1 AND receiver = ?2";

#[async_trait]
impl Events for SqliteStore {
    async fn events(
        &self,
        subject: &Subject,
        user_id: &str,
        cursor: Option<EventCursor>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Event>> {
        // No event is later than the end of time, so that a first page is one after it.
        let EventCursor { at, id } = cursor.unwrap_or(EventCursor { at: Timestamp::MAX, id: String::new() });
        let Subject::Connection { provider, id: connection_id } = subject;
        let page = connection_sql::of(*provider).events;
        let found = self.readers.read(|database| {
            let values = params![connection_id, Millis(at), id, Millis(now), user_id];
            readable(database.prepare_cached(page)?.query_map(values, event)?, limit as usize)
        });
        Ok(found.await?)
    }

    async fn claim_deliveries(
        &self,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Delivery>> {
        let claimed = self.writer.write(move |transaction| {
            let values = params![Millis(now), Millis(lease_until), limit];
            readable(transaction.prepare_cached(CLAIM_DELIVERIES)?.query_map(values, delivery)?, usize::MAX)
        });
        let mut claimed: Vec<Delivery> = claimed.await?;
        claimed.sort_unstable_by_key(|delivery| delivery.at);
        Ok(claimed)
    }

    async fn finish_delivery(&self, event_id: &str, receiver: &str) -> StoreResult<()> {
        let (event_id, receiver) = (event_id.to_owned(), receiver.to_owned());
        let finished = self.writer.write(move |transaction| {
            transaction.prepare_cached(FINISH_DELIVERY)?.execute([event_id, receiver])
        });
        finished.await?;
        Ok(())
    }

    async fn reschedule_delivery(
        &self,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        self.put_off(RESCHEDULE_DELIVERY, event_id, receiver, not_before).await
    }

    async fn release_delivery(
        &self,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        self.put_off(RELEASE_DELIVERY, event_id, receiver, not_before).await
    }

    async fn settle_events(&self, _older_than: SignedDuration, _now: Timestamp) -> StoreResult<u64> {
        // A change and its events are one transaction: there is nothing in between.
        Ok(0)
    }
}

impl SqliteStore {
    async fn put_off(
        &self,
        statement: &'static str,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        let (event_id, receiver) = (event_id.to_owned(), receiver.to_owned());
        let put_off = self.writer.write(move |transaction| {
            let values = params![event_id, receiver, Millis(not_before)];
            transaction.prepare_cached(statement)?.execute(values)
        });
        put_off.await?;
        Ok(())
    }
}

/// Stores the event of a change, and makes its deliveries. One that is there already is left as it is.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    connection: &Connection,
    event: &NewEvent,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.prepare_cached(PURGE)?.execute(params![Millis(now), PURGED_PER_INSERT])?;
    let inserted = transaction.prepare_cached(INSERT)?.execute(params![
        event.id,
        connection.id,
        event.kind,
        Millis(now),
        event.succeeded,
        event.message,
        event.expires_at.map(Millis),
    ])?;
    if inserted == 1 { insert_deliveries(transaction, connection, event, now) } else { Ok(()) }
}

/// Makes an event's deliveries.
pub(super) fn insert_deliveries(
    transaction: &Transaction<'_>,
    connection: &Connection,
    event: &NewEvent,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if event.notify.is_empty() {
        return Ok(());
    }
    transaction.prepare_cached(PURGE_DELIVERIES)?.execute(params![Millis(now), PURGED_PER_INSERT])?;
    let mut insert = transaction.prepare_cached(INSERT_DELIVERY)?;
    for receiver in &event.notify {
        insert.execute(params![
            event.id,
            receiver,
            event.kind,
            Millis(now),
            NamedProvider(connection.provider),
            connection.id,
            connection.user_id,
            connection.provider_account_id,
            Millis(later(now, DELIVERY_LIFE)),
        ])?;
    }
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get(0)?,
        kind: row.get(1)?,
        at: row.get::<_, Millis>(2)?.0,
        succeeded: row.get(3)?,
        message: row.get(4)?,
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        event_id: row.get(0)?,
        receiver: row.get(1)?,
        kind: row.get(2)?,
        at: row.get::<_, Millis>(3)?.0,
        subject: Subject::Connection { provider: row.get::<_, NamedProvider>(4)?.0, id: row.get(5)? },
        user_id: row.get(6)?,
        provider_account_id: row.get(7)?,
        attempts: row.get::<_, Lenient<u32>>(8)?.0.unwrap_or(u32::MAX),
    })
}
