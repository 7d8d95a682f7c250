//! All connections of a host application's users, page by page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_store::{Connection, ConnectionFilter, Health};
use jiff::Timestamp;
use shared::{ConnectionStatus, ConnectionsAnswer, ListedConnection};

use super::Connections;
use super::life::{bad_cursor, next};
use super::view::REFRESH_WINDOW;
use crate::error::Error;
use crate::user_id::{LOCAL_PREFIX, public_user_id};

/// Length of a connection's id.
const ID_LENGTH: usize = 24;

/// Selects a part of the list.
pub struct ListPage {
    /// In this state only.
    pub status: Option<ConnectionStatus>,
    /// At most so many.
    pub limit: u32,
    /// The cursor that the page before gave.
    pub cursor: Option<String>,
}

impl Connections {
    /// The connections of the host application's users, never those of local accounts. A page begins after the last id of the
    /// page before, so what comes and goes meanwhile moves no other.
    ///
    /// # Errors
    /// `invalid_request` for a cursor that is not ours.
    pub async fn list(&self, page: ListPage) -> Result<ConnectionsAnswer, Error> {
        let after = page.cursor.map(|text| read_cursor(&text).ok_or_else(bad_cursor)).transpose()?;
        let filter = ConnectionFilter {
            not_of_users: Some(LOCAL_PREFIX.to_owned()),
            health: page.status.map(|status| health(status, self.clock.now())),
            keys: self.vault.key_ids().map(str::to_owned).collect(),
            after,
            ..ConnectionFilter::default()
        };
        // One more tells whether there is a next page.
        let mut found = self.store.list_connections(filter, page.limit + 1).await?;
        let next_cursor = next(&mut found, page.limit, |last| URL_SAFE_NO_PAD.encode(&last.id));
        let mut connections: Vec<_> = found.into_iter().map(|stored| self.listed(stored)).collect();
        // The store cannot know of a token that has a key and does not open. Such a page is a little shorter than it could be.
        connections.retain(|listed| page.status.is_none_or(|status| listed.connection.status == status));
        Ok(ConnectionsAnswer { connections, next_cursor })
    }

    fn listed(&self, stored: Connection) -> ListedConnection {
        ListedConnection {
            user_id: public_user_id(&stored.user_id).to_owned(),
            connection: self.view(stored),
        }
    }
}

/// Translates a status into what the store can know of it.
fn health(status: ConnectionStatus, now: Timestamp) -> Health {
    match status {
        ConnectionStatus::Active => Health::EndsAfter(now + REFRESH_WINDOW),
        ConnectionStatus::Expiring => Health::EndsWithin(now, now + REFRESH_WINDOW),
        ConnectionStatus::NeedsReauthorization => Health::DeadAt(now),
    }
}

/// The id in a cursor.
fn read_cursor(text: &str) -> Option<String> {
    let id = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let is_id = id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_an_id_or_refused() {
        let id = "6a6ecf14d35d3c1b0f4ab1f0";
        assert_eq!(read_cursor(&URL_SAFE_NO_PAD.encode(id)).as_deref(), Some(id));
        for text in ["", "!", "AAAA", id, &URL_SAFE_NO_PAD.encode("6a6ecf14d35d3c1b0f4ab1fz")] {
            assert_eq!(read_cursor(text), None, "{text}");
        }
    }
}
