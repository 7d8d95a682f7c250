//! Events of a connection, written with each change, and the receivers that are told of them.

use connection_store::NewEvent;
use jiff::SignedDuration;
use shared::EventKind;
use uuid::Uuid;

use super::Connections;

/// Life of an event that tells of a token given to a program: programs ask for one again and again.
const TOKEN_READ_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Life of routine events: of work that is done every few hours, and of failures that pass by themselves.
const ROUTINE_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Connections {
    /// An event to be written with the change that it tells of.
    pub(super) fn event(&self, kind: EventKind, message: impl Into<String>) -> NewEvent {
        let life = match kind {
            EventKind::Synced | EventKind::SyncFailed | EventKind::RefreshFailed => Some(ROUTINE_LIFE),
            EventKind::TokenRead => Some(TOKEN_READ_LIFE),
            _ => None,
        };
        // Whoever is told acts on it, so only what calls for that: routine and passing failures do not.
        let is_told = matches!(
            kind,
            EventKind::Connected
                | EventKind::Refreshed
                | EventKind::NeedsReauthorization
                | EventKind::Disconnected
        );
        NewEvent {
            // In the order of time, which keeps the indexes of both stores compact.
            id: format!("evt_{}", Uuid::now_v7().simple()),
            kind: kind.as_str().to_owned(),
            succeeded: is_success(kind),
            message: message.into(),
            expires_at: life.map(|life| self.clock.now() + life),
            notify: if is_told { self.receivers.clone() } else { Vec::new() },
        }
    }

    /// That a permission is granted no longer.
    pub(super) fn permission_lost(&self, scope: &str) -> NewEvent {
        self.event(EventKind::PermissionLost, self.rules.permission_lost(scope))
    }
}

fn is_success(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Connected
            | EventKind::Refreshed
            | EventKind::Synced
            | EventKind::Disconnected
            | EventKind::TokenRead
    )
}
