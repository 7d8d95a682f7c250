//! The store in a MongoDB database, for any number of backends at once.
//!
//! Instagram's connections are the architecture document's collection: its field names, BSON dates and three indexes. Every rule
//! that concurrency could break is one operation on one document; what belongs to a change and is stored elsewhere goes through
//! that document, too (`outbox`).

mod api_keys;
mod claims;
mod commands;
mod connection_documents;
mod connection_saving;
mod connection_work;
mod connections;
mod consuming;
mod deletions;
mod error;
mod events;
mod existing;
mod fields;
mod history;
mod host_links;
mod idempotency;
mod indexes;
mod kinds;
mod limits;
mod oauth_states;
mod operation;
mod outbox;
mod pauses;
mod reading;
mod sessions;
mod used_handles;
mod users;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc, spec::BinarySubtype};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::{Acknowledgment, ClientOptions, ReadPreference, SelectionCriteria, WriteConcern};
use mongodb::{Client, Collection, Database};
use shared::Provider;

use self::connections::Connections;
use self::operation::Operations;
use crate::times::millis;
use crate::{SecretHash, Store, StoreError, StoreResult};

/// Time for which the driver looks for a server that can do what is asked, unless the URL says otherwise.
const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_millis(2500);

/// Time that one TCP and TLS handshake may take, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for which the server waits for a majority to have a write, unless the URL says otherwise. Shorter
/// than any caller here waits for it: else writes that no majority takes would hold the connections that
/// reads need.
const MAJORITY_TIMEOUT: Duration = Duration::from_secs(4);

/// Connections to one server, unless the URL says otherwise. The driver's own ten are soon all in use.
const MAX_POOL_SIZE: u32 = 50;

/// A store in a MongoDB database.
pub struct MongoStore {
    client: Client,
    pub(crate) database: Database,
    users: Collection<Document>,
    sessions: Collection<Document>,
    oauth_states: Collection<Document>,
    used_handles: Collection<Document>,
    instagram: Connections,
    spotify: Connections,
    deliveries: Collection<Document>,
    deletions: Collection<Document>,
    pauses: Collection<Document>,
    api_keys: Collection<Document>,
    host_links: Collection<Document>,
    tries: Collection<Document>,
    repeatable_requests: Collection<Document>,
    operations: Arc<Operations>,
    commands: Arc<AtomicU64>,
}

impl MongoStore {
    /// Connects to `mongodb://…/<database>` or `mongodb+srv://…/<database>` and makes the indexes that are missing.
    ///
    /// Writes are acknowledged by a majority within four seconds and journaled, each unless the URL says otherwise of it. Reads
    /// are from the primary.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the URL is wrong, names no database or asks for writes that nobody acknowledges, or when the
    /// server refuses, for instance an index that exists differently; [`StoreError::Unavailable`] when no server answers.
    /// Neither holds the URL.
    pub async fn connect(url: &str) -> StoreResult<Self> {
        let store = Self::open(url).await?;
        store.create_indexes().await?;
        Ok(store)
    }

    /// Connects, and makes nothing.
    async fn open(url: &str) -> StoreResult<Self> {
        let mut options = ClientOptions::parse(url).await.map_err(|error| error::from_url(url, error))?;
        let database = options.default_database.clone().ok_or_else(|| {
            StoreError::Failed("the MongoDB URL names no database: expected mongodb://HOST/DATABASE".into())
        })?;
        options.app_name.get_or_insert_with(|| "instagram-connect".to_owned());
        options.server_selection_timeout.get_or_insert(SERVER_SELECTION_TIMEOUT);
        options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
        options.write_concern = Some(write_concern(options.write_concern.take())?);
        options.max_pool_size.get_or_insert(MAX_POOL_SIZE);
        // In a URL, 0 stands for as many as are wanted.
        let turns = options.max_pool_size.filter(|&size| size > 0).unwrap_or(MAX_POOL_SIZE);
        // Whatever the URL says: what was written a moment ago has to be seen.
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));

        let commands = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commands);
        options.command_event_handler = Some(EventHandler::callback(move |event| {
            if matches!(event, CommandEvent::Started(_)) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }));

        let client = Client::with_options(options).map_err(|error| error::from_url(url, error))?;
        let database = client.database(&database);
        let operations = Arc::new(Operations::over(turns));
        let store = Self {
            users: database.collection("users"),
            sessions: database.collection("sessions"),
            oauth_states: database.collection("oauth_states"),
            used_handles: database.collection("used_handles"),
            instagram: Connections::of(Provider::Instagram, &database, &operations),
            spotify: Connections::of(Provider::Spotify, &database, &operations),
            deliveries: database.collection("webhook_deliveries"),
            deletions: database.collection("deletions"),
            pauses: database.collection("pauses"),
            api_keys: database.collection("api_keys"),
            host_links: database.collection("host_links"),
            tries: database.collection("tries"),
            repeatable_requests: database.collection("repeatable_requests"),
            operations,
            commands,
            client,
            database,
        };
        // Asked first, since making indexes may rightly take long, and the absence of a server may not.
        store.ping().await?;
        Ok(store)
    }

    /// Returns the connections of a provider.
    fn of(&self, provider: Provider) -> &Connections {
        match provider {
            Provider::Instagram => &self.instagram,
            Provider::Spotify => &self.spotify,
        }
    }
}

/// The name of the database alone: the driver's client would show its options.
impl fmt::Debug for MongoStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MongoStore").field("database", &self.database.name()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MongoStore {
    fn connections(&self, provider: Provider) -> &dyn crate::Connections {
        self.of(provider)
    }

    async fn ping(&self) -> StoreResult<()> {
        let database = self.database.clone();
        self.operations.run(async move { database.run_command(doc! { "ping": 1 }).await }).await?;
        Ok(())
    }

    async fn close(&self) {
        self.operations.close().await;
        // All operations are done, so nothing that is closed by this is in use.
        self.client.clone().shutdown().immediate(true).await;
    }

    fn calls(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }
}

/// The write concern that a URL asks for, filled up with what it says nothing of.
fn write_concern(given: Option<WriteConcern>) -> StoreResult<WriteConcern> {
    let mut concern = given.unwrap_or_default();
    if concern.w == Some(Acknowledgment::Nodes(0)) {
        return Err(StoreError::Failed(
            "the MongoDB URL asks for writes that nobody acknowledges (w=0), of which nothing would be known"
                .into(),
        ));
    }
    concern.w.get_or_insert(Acknowledgment::Majority);
    concern.journal.get_or_insert(true);
    // 0 would be for ever.
    concern.w_timeout = concern.w_timeout.filter(|timeout| !timeout.is_zero()).or(Some(MAJORITY_TIMEOUT));
    Ok(concern)
}

/// A time as BSON keeps it: to the millisecond.
fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(millis(time))
}

/// A hash as BSON binary.
fn binary(hash: &SecretHash) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: hash.to_vec() })
}

/// A value that means itself. Without this, a biography that begins with `$` would be read as the name of a field.
fn literal(value: impl Into<Bson>) -> Bson {
    doc! { "$literal": value.into() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_concern_is_filled_up_field_by_field() {
        let seconds = Duration::from_secs;
        for (query, w, journal, timeout) in [
            ("", Acknowledgment::Majority, true, seconds(4)),
            ("w=majority", Acknowledgment::Majority, true, seconds(4)),
            ("retryWrites=true&w=majority&appName=x", Acknowledgment::Majority, true, seconds(4)),
            ("wtimeoutMS=9000", Acknowledgment::Majority, true, seconds(9)),
            ("wtimeoutMS=0", Acknowledgment::Majority, true, seconds(4)),
            ("journal=false", Acknowledgment::Majority, false, seconds(4)),
            ("w=2", Acknowledgment::Nodes(2), true, seconds(4)),
            ("w=1&journal=false&wtimeoutMS=1000", Acknowledgment::Nodes(1), false, seconds(1)),
        ] {
            let options = ClientOptions::parse(format!("mongodb://db/app?{query}")).await.unwrap();
            let concern = write_concern(options.write_concern).unwrap();
            assert_eq!(concern.w, Some(w), "{query}");
            assert_eq!((concern.journal, concern.w_timeout), (Some(journal), Some(timeout)), "{query}");
        }
        let unacknowledged = ClientOptions::parse("mongodb://db/app?w=0").await.unwrap().write_concern;
        assert!(matches!(write_concern(unacknowledged), Err(StoreError::Failed(_))));
    }
}
