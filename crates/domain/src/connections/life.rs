//! Reading what a connection's life left behind: its history and its events.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_store::{Connection, Event, EventCursor, HistoryPoint, HistoryRange, Subject};
use jiff::{SignedDuration, Timestamp};
use shared::{ConnectionEvent, EventKind, EventOutcome, EventsAnswer, HistoryAnswer};

use super::{ConnectionOf, Connections};
use crate::clock::later;
use crate::error::{Error, Invalid};

/// The finest step of time that stores keep.
const TICK: SignedDuration = SignedDuration::from_millis(1);

/// Selects a part of a history.
pub struct HistoryPage {
    /// From this time on; `None` from the beginning.
    pub from: Option<Timestamp>,
    /// Up to this time; `None` to the end.
    pub to: Option<Timestamp>,
    /// At most so many points.
    pub limit: u32,
    /// The cursor that the page before gave.
    pub cursor: Option<String>,
}

impl Connections {
    /// Lists the counts of one of the user's connections over time.
    ///
    /// # Errors
    /// `not_connected`; `invalid_request` for a cursor that is not ours; `validation_failed` for a range that ends before it
    /// begins.
    pub async fn history(&self, which: ConnectionOf<'_>, page: HistoryPage) -> Result<HistoryAnswer, Error> {
        let from = page.from.unwrap_or(Timestamp::UNIX_EPOCH);
        let to = page.to.unwrap_or(Timestamp::MAX);
        if from > to {
            return Err(Invalid::Range.into());
        }
        let from = match &page.cursor {
            Some(cursor) => from.max(read_history_cursor(cursor).ok_or_else(bad_cursor)?),
            None => from,
        };
        // One more tells whether there is a next page.
        let until = later(to, TICK).min(LATEST);
        let range = HistoryRange { from, until, limit: page.limit + 1 };
        let connection = self.stored(which).await?;
        let mut points = self.kept().history(&connection.id, which.user_id, range, self.clock.now()).await?;
        let next_cursor = next(&mut points, page.limit, |last| cursor(later(last.at, TICK), ""));
        Ok(HistoryAnswer { points: points.iter().map(point).collect(), next_cursor })
    }

    /// Lists the events of one of the user's connections.
    ///
    /// # Errors
    /// `not_connected`; `invalid_request` for a cursor that is not ours.
    pub async fn events(
        &self,
        which: ConnectionOf<'_>,
        limit: u32,
        after: Option<&str>,
    ) -> Result<EventsAnswer, Error> {
        let after = after.map(|text| read_cursor(text).ok_or_else(bad_cursor)).transpose()?;
        let Connection { provider, id, .. } = self.stored(which).await?;
        let (subject, now) = (Subject::Connection { provider, id }, self.clock.now());
        let mut events = self.store.events(&subject, which.user_id, after, limit + 1, now).await?;
        let next_cursor = next(&mut events, limit, |last| cursor(last.at, &last.id));
        Ok(EventsAnswer { events: events.into_iter().map(event).collect(), next_cursor })
    }
}

/// The last moment of the year 9999: what the API's four-digit years can say, and stores can keep.
const LATEST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// Cuts a page down to `limit`, and gives the cursor to what was cut off.
pub(super) fn next<T>(page: &mut Vec<T>, limit: u32, cursor_after: impl Fn(&T) -> String) -> Option<String> {
    if page.len() <= limit as usize {
        return None;
    }
    page.truncate(limit as usize);
    page.last().map(cursor_after)
}

fn point(stored: &HistoryPoint) -> shared::HistoryPoint {
    shared::HistoryPoint {
        at: stored.at.into(),
        followers: stored.followers_count,
        following: stored.follows_count,
        media_count: stored.media_count,
    }
}

fn event(stored: Event) -> ConnectionEvent {
    ConnectionEvent {
        kind: EventKind::from_name(&stored.kind),
        id: stored.id,
        at: stored.at.into(),
        outcome: if stored.succeeded { EventOutcome::Succeeded } else { EventOutcome::Failed },
        message: stored.message,
    }
}

pub(super) fn bad_cursor() -> Error {
    Error::InvalidCursor
}

/// A place in a list as clients carry it: opaque, so that what is in it can change.
fn cursor(at: Timestamp, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{id}", at.as_millisecond()))
}

fn read_cursor(text: &str) -> Option<EventCursor> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at, id) = decoded.split_once('.')?;
    Some(EventCursor { at: Timestamp::from_millisecond(at.parse().ok()?).ok()?, id: id.to_owned() })
}

fn read_history_cursor(text: &str) -> Option<Timestamp> {
    read_cursor(text).filter(|cursor| cursor.id.is_empty()).map(|cursor| cursor.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_trip_and_rubbish_is_none() {
        let at = Timestamp::from_millisecond(1_762_788_600_123).unwrap();
        assert_eq!(read_cursor(&cursor(at, "evt_1")), Some(EventCursor { at, id: "evt_1".into() }));
        assert_eq!(read_history_cursor(&cursor(at, "")), Some(at));
        assert_eq!(read_history_cursor(&cursor(at, "evt_1")), None);
        for text in
            ["", "x", "....", &URL_SAFE_NO_PAD.encode("12"), &URL_SAFE_NO_PAD.encode("99999999999999999999.")]
        {
            assert_eq!(read_cursor(text), None, "{text}");
        }
    }
}
