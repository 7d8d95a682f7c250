//! Histories in SQLite.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::PURGED_PER_INSERT;
use super::columns::{Count, Lenient, Millis, readable};
use crate::times::{TICK, earlier, later};
use crate::{HISTORY_DETAIL, HISTORY_LIFE, HistoryPoint, HistoryRange};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Tells whether a point of a day (from `?2`, before `?3`) is kept for [`HISTORY_LIFE`].
pub(super) const HAS_DAY: &str = "
    SELECT 1 FROM connection_history
    WHERE connection_id = ?1 AND at >= ?2 AND at < ?3 AND +expires_at IS NULL LIMIT 1";

const INSERT: &str = "
    INSERT INTO connection_history (connection_id, at, followers_count, follows_count, media_count, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (connection_id, at) DO NOTHING";

pub(super) const PURGE: &str = "DELETE FROM connection_history WHERE (connection_id, at) IN
    (SELECT connection_id, at FROM connection_history WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) const PURGE_DAYS: &str = "DELETE FROM connection_history WHERE (connection_id, at) IN
    (SELECT connection_id, at FROM connection_history WHERE expires_at IS NULL AND at <= ?1 ORDER BY at LIMIT ?2)";

/// Returns the points of a connection by the query of its table.
pub(super) fn range(
    database: &Connection,
    query: &str,
    connection_id: &str,
    user_id: &str,
    range: HistoryRange,
    now: Timestamp,
) -> rusqlite::Result<Vec<HistoryPoint>> {
    let from = Millis(range.from.max(later(earlier(now, HISTORY_LIFE), TICK)));
    let values = params![connection_id, from, Millis(range.until), Millis(now), user_id];
    readable(database.prepare_cached(query)?.query_map(values, point)?, range.limit as usize)
}

/// Adds the profile of a connection, which was read at `now`, to its history.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    connection: &crate::Connection,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.prepare_cached(PURGE)?.execute(params![Millis(now), PURGED_PER_INSERT])?;
    let begin = Millis(earlier(now, HISTORY_LIFE));
    transaction.prepare_cached(PURGE_DAYS)?.execute(params![begin, PURGED_PER_INSERT])?;
    let at = now.as_millisecond();
    let day = at - at.rem_euclid(MILLIS_PER_DAY);
    let has_day =
        transaction.prepare_cached(HAS_DAY)?.exists(params![connection.id, day, day + MILLIS_PER_DAY])?;
    transaction.prepare_cached(INSERT)?.execute(params![
        connection.id,
        at,
        connection.profile.followers_count.map(Count),
        connection.profile.follows_count.map(Count),
        connection.profile.media_count.map(Count),
        has_day.then(|| Millis(later(now, HISTORY_DETAIL))),
    ])?;
    Ok(())
}

fn point(row: &Row<'_>) -> rusqlite::Result<HistoryPoint> {
    let count = |place| row.get::<_, Lenient<Count>>(place).map(|count| count.0.map(|count| count.0));
    Ok(HistoryPoint {
        at: row.get::<_, Millis>(0)?.0,
        followers_count: count(1)?,
        follows_count: count(2)?,
        media_count: count(3)?,
    })
}
