//! Particulars of MongoDB: documents as others read and write them, indexes, and the server being away.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod away;
mod documents;
mod foreign;
mod indexes;
mod outbox;
mod sweep;
mod unconfirmed;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connection_store::mongodb::MongoStore;
use connection_store::test_support::{MongoServer, now, seconds};
use connection_store::{NewConnection, NewEvent, Profile, ReadProfile, Store, Subject};
use jiff::Timestamp;
use mongodb::Database;
use mongodb::bson::Document;
use shared::Provider::Instagram;

/// A store, and its database as the driver shows it.
struct Setup {
    store: MongoStore,
    url: String,
    database: Database,
    _server: Arc<MongoServer>,
}

impl Setup {
    async fn new() -> Self {
        let server = MongoServer::shared();
        let url = server.fresh_database_url();
        let database =
            mongodb::Client::with_uri_str(&url).await.unwrap().default_database().expect("the URL names one");
        let store = MongoStore::connect(&url).await.unwrap();
        Self { store, url, database, _server: server }
    }

    fn connections(&self) -> mongodb::Collection<Document> {
        self.database.collection("instagram_connections")
    }
}

fn new_connection(user_id: &str, provider_account_id: &str) -> NewConnection {
    NewConnection {
        user_id: user_id.to_owned(),
        provider_account_id: provider_account_id.to_owned(),
        other_account_id: None,
        access_token: "v1.k1.sealed".to_owned(),
        refresh_token: None,
        token_issued_at: now(),
        token_expires_at: now() + seconds(5_183_944),
        expires_at: now() + seconds(5_183_944),
        refresh_at: now() + seconds(2_591_944),
        profile: Profile {
            username: "wreckshoprecords".to_owned(),
            followers_count: Some(15_420),
            ..Profile::default()
        },
        scopes: vec!["instagram_business_basic".to_owned()],
    }
}

/// An event that nobody has to be told of, each with an id of its own.
fn event(kind: &str) -> NewEvent {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NewEvent {
        id: format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
        kind: kind.to_owned(),
        succeeded: true,
        message: format!("It was {kind}."),
        expires_at: None,
        notify: Vec::new(),
    }
}

fn connection(id: &str) -> Subject {
    Subject::Connection { provider: Instagram, id: id.to_owned() }
}

/// A profile that was read.
fn read(profile: Profile) -> ReadProfile {
    let granted_scope = Some("instagram_business_basic".to_owned());
    ReadProfile { profile, other_account_id: None, granted_scope }
}

/// Ends the connection that a user has.
async fn disconnect(store: &MongoStore, user_id: &str, now: Timestamp) -> bool {
    let connection = store.connections(Instagram).current_connection(user_id).await.unwrap().unwrap();
    store
        .connections(Instagram)
        .disconnect(&connection.id, user_id, event("disconnected"), now)
        .await
        .unwrap()
}
