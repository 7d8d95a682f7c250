//! The one list of what a user and a connection own, by which both stores erase.
//!
//! Everything that a table or collection keeps of somebody is on it, or is an exception with a reason in the
//! tests below.

/// A table and a collection of one name, whose rows and documents belong to a user or a connection.
pub(crate) struct Owned {
    /// Table and collection.
    pub(crate) kept_in: &'static str,
    /// The table's column that names the owner.
    pub(crate) column: &'static str,
    /// The same field of the collection's documents.
    pub(crate) field: &'static str,
}

/// The belongings of a user with a local account, in the order in which they go: first what lets somebody in. The
/// account itself goes last. The connections, of whichever provider, are the caller's to erase, each by itself.
pub(crate) const OF_USER: [Owned; 5] = [
    owned("sessions", "user_id", "userId"),
    owned("api_keys", "user_id", "userId"),
    owned("oauth_states", "user_id", "userId"),
    owned("host_links", "user_id", "userId"),
    owned("repeatable_requests", "owner", "owner"),
];

/// The part of a connection that its owner is shown. It goes, too, when the connection passes to another user.
pub(crate) const SHOWN: [Owned; 2] = [
    owned("connection_history", "connection_id", "connectionId"),
    owned("connection_events", "connection_id", "connectionId"),
];

/// The part of a connection that receivers have still to be told. It goes when the connection is erased.
pub(crate) const DELIVERIES: [Owned; 1] = [owned("webhook_deliveries", "connection_id", "connectionId")];

const fn owned(kept_in: &'static str, column: &'static str, field: &'static str) -> Owned {
    Owned { kept_in, column, field }
}

#[cfg(test)]
mod tests;
