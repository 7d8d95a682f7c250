//! All connections of a host application's users, page by page, of one provider after the other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_store::{Connection, ConnectionFilter, Health};
use jiff::Timestamp;
use shared::{ConnectionStatus, ConnectionsAnswer, ListedConnection, Provider};

use super::Connections;
use super::life::{bad_cursor, next};
use crate::Providers;
use crate::error::Error;
use crate::providers::Rules;
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

impl Providers {
    /// Lists the connections of the host application's users, never those of local accounts. A page begins after the last connection of
    /// the page before, so what comes and goes meanwhile moves no other.
    ///
    /// # Errors
    /// `invalid_request` for a cursor that is not ours.
    pub async fn list(&self, page: ListPage) -> Result<ConnectionsAnswer, Error> {
        let after = page.cursor.map(|text| read_cursor(&text).ok_or_else(bad_cursor)).transpose()?;
        let (first, mut after) =
            after.map_or((Provider::ALL[0], None), |(provider, id)| (provider, Some(id)));
        // One more tells whether there is a next page.
        let mut found: Vec<Connection> = Vec::new();
        for connections in self.iter().filter(|connections| connections.rules.provider >= first) {
            let room = page.limit + 1 - found.len() as u32;
            found.extend(connections.list(page.status, after.take(), room).await?);
            if found.len() > page.limit as usize {
                break;
            }
        }
        let next_cursor = next(&mut found, page.limit, |last| cursor(last.provider, &last.id));
        let listed = found.into_iter().map(|stored| self.get(stored.provider).listed(stored));
        let mut connections: Vec<_> = listed.collect();
        // The store cannot know of a token that has a key and does not open. Such a page is a little shorter than it could be.
        connections.retain(|listed| page.status.is_none_or(|status| listed.connection.status == status));
        Ok(ConnectionsAnswer { connections, next_cursor })
    }
}

impl Connections {
    /// Reads a part of the list, after the connection `after`.
    async fn list(
        &self,
        status: Option<ConnectionStatus>,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Connection>, Error> {
        let filter = ConnectionFilter {
            not_of_users: Some(LOCAL_PREFIX.to_owned()),
            health: status.map(|status| health(status, self.rules, self.clock.now())),
            keys: self.vault.key_ids().map(str::to_owned).collect(),
            after,
            ..ConnectionFilter::default()
        };
        Ok(self.kept().list_connections(filter, limit).await?)
    }

    fn listed(&self, stored: Connection) -> ListedConnection {
        ListedConnection {
            user_id: public_user_id(&stored.user_id).to_owned(),
            connection: self.view(stored),
        }
    }
}

/// Translates a status into what the store can know of it.
fn health(status: ConnectionStatus, rules: &Rules, now: Timestamp) -> Health {
    let soon = now + rules.expiring;
    // Where an end alone is no end, a connection beyond it is expiring still.
    let ended = if rules.has_ended(now, now) { now } else { Timestamp::UNIX_EPOCH };
    match status {
        ConnectionStatus::Active => Health::EndsAfter(soon),
        ConnectionStatus::Expiring => Health::EndsWithin(ended, soon),
        ConnectionStatus::NeedsReauthorization => Health::DeadAt(ended),
    }
}

/// Names a connection in the list. That of an Instagram account is its id alone, as it was before there were others.
fn cursor(provider: Provider, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(match provider {
        Provider::Instagram => id.to_owned(),
        Provider::Spotify => format!("{}.{id}", provider.as_str()),
    })
}

/// Reads the connection that a cursor names.
fn read_cursor(text: &str) -> Option<(Provider, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (provider, id) = match text.split_once('.') {
        Some((provider, id)) => (Provider::from_name(provider)?, id),
        None => (Provider::Instagram, text.as_str()),
    };
    let is_id = id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| (provider, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_connection_or_refused() {
        let id = "6a6ecf14d35d3c1b0f4ab1f0";
        for provider in Provider::ALL {
            assert_eq!(read_cursor(&cursor(provider, id)), Some((provider, id.to_owned())));
        }
        for text in ["6a6ecf14d35d3c1b0f4ab1fz", "other.6a6ecf14d35d3c1b0f4ab1f0", "spotify.", ""] {
            assert_eq!(read_cursor(&URL_SAFE_NO_PAD.encode(text)), None, "{text}");
        }
        for text in ["!", "AAAA", id] {
            assert_eq!(read_cursor(text), None, "{text}");
        }
    }
}
