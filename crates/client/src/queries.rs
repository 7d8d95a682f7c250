//! Parameters of calls.

use serde::Serialize;
use shared::ConnectionStatus;

/// Options of a login.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// The web app's path to land on, given back by the exchange.
    pub return_to: Option<String>,
    /// Has the provider ask the person again, whoever is signed in there: "use another account".
    pub force_reauth: bool,
    /// Connects the account in use again; the exchange says when the person came back with another one.
    pub reconnect: bool,
    /// As `reconnect`, for this one of several connections.
    pub connection_id: Option<String>,
}

/// Selects from all connections.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ConnectionsFilter {
    /// In this state only.
    pub status: Option<ConnectionStatus>,
}

/// A page of the history, the oldest point first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HistoryPage {
    /// The first moment, in RFC 3339.
    pub from: Option<String>,
    /// The last moment, in RFC 3339.
    pub to: Option<String>,
    /// Most points in the page: 100 unless told otherwise, at most 1000.
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of events, the newest first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventsPage {
    /// Most events in the page: 50 unless told otherwise, at most 100.
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}
