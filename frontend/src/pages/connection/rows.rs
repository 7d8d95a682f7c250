//! The timeline of a connection: what its rows say, without a browser.

use shared::{ConnectionEvent, EventKind, EventOutcome};

/// A row: one event, or several of the same kind in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The newest of them.
    pub event: ConnectionEvent,
    /// Number of events in the row.
    pub times: usize,
}

impl Row {
    /// Returns the row's text: a sentence on its events.
    pub fn sentence(&self) -> String {
        if self.times > 1 && self.event.kind == EventKind::Synced {
            return format!("Synced {} times", self.times);
        }
        if self.times > 1 {
            return format!("{} ({} times)", self.event.message.trim_end_matches('.'), self.times);
        }
        self.event.message.clone()
    }
}

/// The rows for events, the newest first. Syncs that follow each other make one row, and so does a program that is given the
/// access again and again: they are what is normal.
pub fn rows(events: &[ConnectionEvent]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for event in events {
        match rows.last_mut() {
            Some(row) if is_more_of(event, &row.event) => row.times += 1,
            _ => rows.push(Row { event: event.clone(), times: 1 }),
        }
    }
    rows
}

/// Tells whether an event says nothing beyond the later event.
fn is_more_of(event: &ConnectionEvent, later: &ConnectionEvent) -> bool {
    let is_read = later.kind == EventKind::TokenRead && event.kind == EventKind::TokenRead;
    is_sync(event) && is_sync(later) || is_read && event.message == later.message
}

fn is_sync(event: &ConnectionEvent) -> bool {
    event.kind == EventKind::Synced && event.outcome == EventOutcome::Succeeded
}

/// Puts newer events in front of those that are known. `None` where a gap may be between them.
pub fn joined(newest: &[ConnectionEvent], known: &[ConnectionEvent]) -> Option<Vec<ConnectionEvent>> {
    let first = known.first()?;
    let new = newest.iter().position(|event| event.id == first.id)?;
    Some(newest[..new].iter().chain(known).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u32, kind: &str) -> ConnectionEvent {
        let outcome = if kind.ends_with("failed") { "failed" } else { "succeeded" };
        let json = format!(
            r#"{{"id":"{id}","type":"{kind}","at":"2026-01-01T00:00:00.000Z","outcome":"{outcome}","message":"{kind} {id}"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn syncs_in_a_row_are_told_once() {
        let events = [
            (9, "synced"),
            (8, "synced"),
            (7, "refreshed"),
            (6, "synced"),
            (5, "sync_failed"),
            (4, "synced"),
        ]
        .map(|(id, kind)| event(id, kind));
        let sentences: Vec<_> = rows(&events).iter().map(Row::sentence).collect();
        assert_eq!(sentences, ["Synced 2 times", "refreshed 7", "synced 6", "sync_failed 5", "synced 4"]);
        assert_eq!(rows(&events)[0].event.id, "9");
    }

    #[test]
    fn a_program_that_is_given_the_access_again_is_told_once() {
        let told = |id, message: &str| ConnectionEvent { message: message.into(), ..event(id, "token_read") };
        let events = [told(5, "A was given it."), told(4, "A was given it."), told(3, "B was given it.")];
        let sentences: Vec<_> = rows(&events).iter().map(Row::sentence).collect();
        assert_eq!(sentences, ["A was given it (2 times)", "B was given it."]);
    }

    #[test]
    fn an_event_that_this_page_does_not_know_is_told_in_the_servers_words() {
        assert_eq!(rows(&[event(1, "renamed")])[0].sentence(), "renamed 1");
    }

    #[test]
    fn newer_events_are_put_in_front_unless_some_are_missing_between() {
        let events = |ids: &[u32]| ids.iter().map(|&id| event(id, "refreshed")).collect::<Vec<_>>();
        assert_eq!(joined(&events(&[4, 3, 2]), &events(&[3, 2, 1])), Some(events(&[4, 3, 2, 1])));
        assert_eq!(joined(&events(&[3]), &events(&[3, 2])), Some(events(&[3, 2])));
        assert_eq!(joined(&events(&[9, 8]), &events(&[3, 2])), None);
        assert_eq!(joined(&events(&[9]), &[]), None);
    }
}
