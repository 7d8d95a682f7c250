//! The indexes, made at start. Making one that exists is free.

use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;

use super::MongoStore;
use crate::StoreResult;

/// How long an ended document is kept. The database decides by its own clock that a document is old; it must be wrong by
/// more than this to forget a handle that could still be used.
const GRACE: Duration = Duration::from_secs(3600);

impl MongoStore {
    pub(super) async fn create_indexes(&self) -> StoreResult<()> {
        let wanted = [
            (
                &self.connections,
                vec![
                    index(doc! { "userId": 1, "isActive": 1 }),
                    unique(doc! { "instagramUserId": 1 }),
                    index(doc! { "tokenExpiresAt": 1 }),
                    index(doc! { "appScopedUserId": 1 }),
                    index(doc! { "isActive": 1, "needsReauthorizationSince": 1, "tokenExpiresAt": 1 }),
                    index(doc! {
                        "isActive": 1, "needsReauthorizationSince": 1, "refreshNotBefore": 1, "tokenExpiresAt": 1,
                    }),
                    index(doc! {
                        "isActive": 1, "needsReauthorizationSince": 1, "syncNotBefore": 1, "lastSyncedAt": 1,
                    }),
                    index(doc! { "isActive": 1, "tokenKeyId": 1, "_id": 1 }),
                    sparse(doc! { "outbox.at": 1 }),
                ],
            ),
            (&self.outbox.events, vec![index(doc! { "connectionId": 1, "at": -1, "_id": -1 }), expiring()]),
            (
                &self.outbox.deliveries,
                vec![index(doc! { "dueAt": 1 }), index(doc! { "connectionId": 1 }), expiring()],
            ),
            (&self.outbox.history, vec![index(doc! { "connectionId": 1, "at": 1 }), expiring()]),
            (&self.deletions, vec![index(doc! { "completedAt": 1, "requestedAt": 1 })]),
            (&self.pauses, vec![expiring()]),
            (&self.users, vec![unique(doc! { "emailKey": 1 })]),
            (
                &self.sessions,
                // Sessions of an older version have no name of their own.
                vec![
                    unique_where_set(doc! { "id": 1 }),
                    index(doc! { "userId": 1, "expiresAt": 1 }),
                    expiring(),
                ],
            ),
            (&self.oauth_states, vec![index(doc! { "userId": 1 }), expiring()]),
            (&self.used_handles, vec![expiring()]),
            (
                &self.api_keys,
                vec![
                    unique(doc! { "keyHash": 1 }),
                    unique_where_set(doc! { "place": 1 }),
                    index(doc! { "userId": 1, "createdAt": -1, "_id": -1 }),
                ],
            ),
            (&self.host_links, vec![index(doc! { "userId": 1 }), expiring()]),
            (&self.tries, vec![expiring()]),
            (
                &self.repeatable_requests,
                vec![index(doc! { "keyId": 1, "_id": 1 }), index(doc! { "owner": 1 }), expiring()],
            ),
        ];
        for (collection, indexes) in wanted {
            let collection = collection.clone();
            self.operations.run_slow(async move { collection.create_indexes(indexes).await }).await?;
        }
        Ok(())
    }
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
    let options = IndexOptions::builder().expire_after(GRACE).build();
    IndexModel::builder().keys(doc! { "expiresAt": 1 }).options(options).build()
}
