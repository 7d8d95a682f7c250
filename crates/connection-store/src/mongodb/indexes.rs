//! The indexes, made at start. Making one that exists is free.

use std::time::Duration;

use jiff::SignedDuration;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use tokio::time::timeout;

use super::MongoStore;
use super::connections::Connections;
use crate::{DELETION_LIFE, HISTORY_LIFE, StoreResult};

/// Time for which a start waits for indexes that no rule depends on.
const INDEX_PATIENCE: Duration = Duration::from_secs(10);

/// Time for which an expired document is kept. The database decides by its own clock that a document is old;
/// it must be wrong by more than this to forget a handle that could still be used.
const GRACE: Duration = Duration::from_secs(3600);

impl MongoStore {
    /// Makes the indexes that are missing. Those that rules depend on exist when this returns, however long that takes; without
    /// the others searches are slow, which is better than not to start: after a while they are made in the background.
    pub(super) async fn create_indexes(&self) -> StoreResult<()> {
        let unique = [
            (&self.instagram.collection, vec![of_account(&self.instagram)]),
            (&self.spotify.collection, vec![of_account(&self.spotify)]),
            (&self.users, vec![unique(doc! { "emailKey": 1 })]),
            // Sessions of an older version have no name of their own.
            (&self.sessions, vec![unique_where_set(doc! { "id": 1 })]),
            (&self.api_keys, vec![unique(doc! { "keyHash": 1 }), unique_where_set(doc! { "place": 1 })]),
        ];
        for (collection, indexes) in unique {
            let collection = collection.clone();
            self.operations.run_slow(async move { collection.create_indexes(indexes).await }).await?;
        }
        let others = self.search_indexes().map(|(collection, indexes)| (collection.clone(), indexes));
        let mut making = tokio::spawn(async move {
            for (collection, indexes) in others {
                collection.create_indexes(indexes).await?;
            }
            Ok::<_, mongodb::error::Error>(())
        });
        match timeout(INDEX_PATIENCE, &mut making).await {
            Ok(Ok(made)) => Ok(made?),
            // The runtime is shutting down.
            Ok(Err(_)) => Ok(()),
            Err(_) => {
                tracing::warn!(
                    "indexes are being made in the background; until they are there, searches are slow"
                );
                tokio::spawn(async move {
                    match making.await {
                        Ok(Ok(())) => tracing::info!("all indexes are made"),
                        Ok(Err(error)) => {
                            tracing::error!(%error, "an index was not made; the next start tries it again");
                        }
                        Err(_) => {}
                    }
                });
                Ok(())
            }
        }
    }

    /// The indexes that make searches fast, and remove what has ended.
    fn search_indexes(&self) -> [(&Collection<Document>, Vec<IndexModel>); 14] {
        let outbox = &self.instagram.outbox;
        [
            (&self.instagram.collection, of_connections(&self.instagram)),
            (&self.spotify.collection, of_connections(&self.spotify)),
            (&outbox.events, vec![index(doc! { "connectionId": 1, "at": -1, "_id": -1 }), expiring()]),
            (
                &self.deliveries,
                vec![index(doc! { "dueAt": 1 }), index(doc! { "connectionId": 1 }), expiring()],
            ),
            (
                &outbox.history,
                vec![
                    index(doc! { "connectionId": 1, "at": 1 }),
                    expiring(),
                    removing(doc! { "at": 1 }, HISTORY_LIFE),
                ],
            ),
            (
                &self.deletions,
                vec![
                    index(doc! { "completedAt": 1, "requestedAt": 1 }),
                    removing(doc! { "completedAt": 1 }, DELETION_LIFE),
                ],
            ),
            (&self.pauses, vec![expiring()]),
            (&self.sessions, vec![index(doc! { "userId": 1, "expiresAt": 1 }), expiring()]),
            (&self.oauth_states, vec![index(doc! { "userId": 1 }), expiring()]),
            (&self.used_handles, vec![expiring()]),
            (&self.api_keys, vec![index(doc! { "userId": 1, "createdAt": -1, "_id": -1 })]),
            (&self.host_links, vec![index(doc! { "userId": 1 }), expiring()]),
            (&self.tries, vec![expiring()]),
            (
                &self.repeatable_requests,
                vec![index(doc! { "keyId": 1, "_id": 1 }), index(doc! { "owner": 1 }), expiring()],
            ),
        ]
    }
}

/// The rule that an account has one document.
fn of_account(connections: &Connections) -> IndexModel {
    unique(doc! { connections.kind.account_id: 1 })
}

fn of_connections(connections: &Connections) -> Vec<IndexModel> {
    let kind = connections.kind;
    vec![
        index(doc! { "userId": 1, "isActive": 1 }),
        index(doc! { kind.expires_at: 1 }),
        index(doc! { kind.other_account_id: 1 }),
        index(doc! { "isActive": 1, "needsReauthorizationSince": 1, "refreshAt": 1 }),
        index(doc! {
            "isActive": 1, "needsReauthorizationSince": 1, "refreshNotBefore": 1, "refreshAt": 1,
        }),
        index(doc! {
            "isActive": 1, "needsReauthorizationSince": 1, "syncNotBefore": 1, "lastSyncedAt": 1,
        }),
        index(doc! { "isActive": 1, "tokenKeyId": 1, "_id": 1 }),
        sparse(doc! { "outbox.at": 1 }),
    ]
}

fn index(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).build()
}

fn unique(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).options(IndexOptions::builder().unique(true).build()).build()
}

/// An index of the documents alone that have the field.
fn sparse(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).options(IndexOptions::builder().sparse(true).build()).build()
}

/// As [`unique`], of the documents alone that have the field.
fn unique_where_set(keys: Document) -> IndexModel {
    let options = IndexOptions::builder().unique(true).sparse(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}

fn expiring() -> IndexModel {
    removing(doc! { "expiresAt": 1 }, SignedDuration::ZERO)
}

/// An index by which the database removes documents when so long has passed since the time in the field, and a little more.
fn removing(keys: Document, life: SignedDuration) -> IndexModel {
    let options = IndexOptions::builder().expire_after(life.unsigned_abs() + GRACE).build();
    IndexModel::builder().keys(keys).options(options).build()
}
