//! Records that a connection's life leaves behind: `GET …/{userId}/history` and `GET …/{userId}/events`.

use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Answer of `GET …/{userId}/history`: the oldest point first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnswer {
    /// One for each time the profile was read; one a day for what is older than 90 days; none from more than five years ago.
    pub points: Vec<HistoryPoint>,
    /// Give it as `cursor` to read on; `null` at the end.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub next_cursor: Option<String>,
}

/// An account's counts at one time. `null` where the provider did not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HistoryPoint {
    /// When the profile was read.
    pub at: Timestamp,
    /// Followers.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub followers: Option<u64>,
    /// Accounts followed.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub following: Option<u64>,
    /// Posts.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub media_count: Option<u64>,
}

/// Answer of `GET …/{userId}/events`: the newest event first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventsAnswer {
    /// What happened.
    pub events: Vec<ConnectionEvent>,
    /// Give it as `cursor` to read on; `null` at the end.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub next_cursor: Option<String>,
}

/// Something that happened to a connection. One for each change of state: a failure that goes on is told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ConnectionEvent {
    /// Names the event for ever. The webhook that tells of it has the same id.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: EventOutcome,
    /// A sentence for the connection's owner.
    pub message: String,
}

/// What can happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Its owner connected it, for the first time or again.
    Connected,
    /// The provider refreshed the token.
    Refreshed,
    /// The provider did not refresh the token; it is tried again.
    RefreshFailed,
    /// The profile was read.
    Synced,
    /// The profile could not be read; it is tried again.
    SyncFailed,
    /// A permission that was granted is so no longer.
    PermissionLost,
    /// The token is dead; only the owner can heal the connection.
    NeedsReauthorization,
    /// It was ended.
    Disconnected,
    /// A program was given the provider's own access token.
    TokenRead,
    /// Something that this version of the program does not know.
    #[serde(other)]
    Unknown,
}

impl EventKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refreshed => "refreshed",
            Self::RefreshFailed => "refresh_failed",
            Self::Synced => "synced",
            Self::SyncFailed => "sync_failed",
            Self::PermissionLost => "permission_lost",
            Self::NeedsReauthorization => "needs_reauthorization",
            Self::Disconnected => "disconnected",
            Self::TokenRead => "token_read",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Self {
        let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Self::deserialize(name).unwrap_or(Self::Unknown)
    }
}

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    /// As wanted.
    Succeeded,
    /// Not as wanted.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name() {
        for kind in [
            EventKind::Connected,
            EventKind::Refreshed,
            EventKind::RefreshFailed,
            EventKind::Synced,
            EventKind::SyncFailed,
            EventKind::PermissionLost,
            EventKind::NeedsReauthorization,
            EventKind::Disconnected,
            EventKind::TokenRead,
            EventKind::Unknown,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(EventKind::from_name(kind.as_str()), kind);
        }
        assert_eq!(EventKind::from_name("something newer"), EventKind::Unknown);
    }
}
