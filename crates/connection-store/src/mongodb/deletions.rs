//! Requests to delete in MongoDB.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Document, doc, oid::ObjectId};
use mongodb::options::ReturnDocument;

use super::error::{is_duplicate_key, or_applied};
use super::fields::{self, count, required_text, required_time, text, time};
use super::outbox::{self, Entry};
use super::reading::{Wanted, readable};
use super::{MongoStore, date, literal};
use crate::times::earlier;
use crate::{Deletion, DeletionOf, Deletions, NewDeletion, NewEvent, StoreResult};

#[async_trait]
impl Deletions for MongoStore {
    async fn begin_deletion(&self, deletion: NewDeletion, now: Timestamp) -> StoreResult<bool> {
        let (of, id) = match deletion.of {
            DeletionOf::Account(id) => ("accountId", id),
            DeletionOf::User(id) => ("userId", id),
        };
        let document = doc! {
            "_id": deletion.code,
            of: id,
            "connectedBy": date(deletion.connected_by),
            "requestedAt": date(now),
            "completedAt": null,
            "connections": fields::number(deletion.connections),
        };
        let own = doc! { "_id": document.get("_id"), "requestedAt": date(now), "completedAt": null };
        let deletions = self.deletions.clone();
        let insert = async move {
            let inserted = deletions.insert_one(document).await.map(drop);
            let look = async { Ok(deletions.find_one(own).await?.map(drop)) };
            match or_applied(inserted, look).await {
                Ok(()) => Ok(true),
                Err(error) if is_duplicate_key(&error) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.operations.run(insert).await
    }

    async fn deletion(&self, code: &str) -> StoreResult<Option<Deletion>> {
        let found = self.find_one(&self.deletions, doc! { "_id": code }).await?;
        let Some(document) = found else { return Ok(None) };
        Ok(Some(Deletion {
            requested_at: required_time(&document, "requestedAt")?,
            completed_at: time(&document, "completedAt"),
            connections: count(&document, "connections"),
        }))
    }

    async fn unfinished_deletions(
        &self,
        older_than: SignedDuration,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<NewDeletion>> {
        let filter = doc! { "completedAt": null, "requestedAt": { "$lte": date(earlier(now, older_than)) } };
        let wanted = Wanted { filter, sort: doc! { "requestedAt": 1 }, limit };
        self.operations.run(readable(self.deletions.clone(), wanted, unfinished)).await
    }

    async fn complete_deletion(&self, code: &str, now: Timestamp) -> StoreResult<()> {
        let filter = doc! { "_id": code, "completedAt": null };
        let update =
            doc! { "$set": { "completedAt": date(now) }, "$unset": { "accountId": "", "userId": "" } };
        self.update_one(&self.deletions, filter, update).await.map(drop)
    }

    async fn erase_connection(
        &self,
        id: &str,
        connected_by: Timestamp,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let filter = doc! {
            "_id": id,
            // Documents of other programs may have the one or the other.
            "lastConnectedAt": { "$not": { "$gt": date(connected_by) } },
            "connectedAt": { "$not": { "$gt": date(connected_by) } },
        };
        let begun = doc! { "$ne": [{ "$ifNull": ["$erasingSince", null] }, null] };
        let update = vec![doc! { "$set": {
            "accessToken": "",
            "tokenKeyId": null,
            "isActive": false,
            "erasingSince": { "$ifNull": ["$erasingSince", date(now)] },
            // The event of a process that died at this stands for ours: one erasure is told of once.
            "erasureEvent": { "$ifNull": ["$erasureEvent", literal(&event.id)] },
            // Nothing else is told any more. So a full outbox keeps nobody from an erasure.
            "outbox": { "$cond": [begun, outbox::list("$outbox"), [Entry::of(&event, now).fields]] },
            "updatedAt": date(now),
        }}];
        let outbox = self.outbox.clone();
        let connections = self.connections.clone();
        let erase = async move {
            let begun = connections.find_one_and_update(filter, update);
            let Some(document) = begun.return_document(ReturnDocument::After).await? else {
                return Ok(false);
            };
            outbox.finish_erasure(&document).await?;
            Ok(true)
        };
        self.operations.run(erase).await
    }
}

fn unfinished(document: &Document) -> StoreResult<NewDeletion> {
    Ok(NewDeletion {
        code: required_text(document, "_id")?,
        of: match text(document, "userId") {
            Some(user_id) => DeletionOf::User(user_id),
            None => DeletionOf::Account(required_text(document, "accountId")?),
        },
        connected_by: required_time(document, "connectedBy")?,
        connections: count(document, "connections"),
    })
}
