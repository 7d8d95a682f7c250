//! Requests to delete in MongoDB.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Document, doc};

use super::error::{is_duplicate_key, or_applied};
use super::fields::{self, count, required_text, required_time, text, time};
use super::reading::{Wanted, readable};
use super::{MongoStore, date, kinds};
use crate::times::earlier;
use crate::{Deletion, DeletionOf, Deletions, NewDeletion, StoreResult};

#[async_trait]
impl Deletions for MongoStore {
    async fn begin_deletion(&self, deletion: NewDeletion, now: Timestamp) -> StoreResult<bool> {
        let mut document = match deletion.of {
            DeletionOf::Account(provider, id) => doc! { "provider": provider.as_str(), "accountId": id },
            DeletionOf::User(id) => doc! { "userId": id },
        };
        document.extend(doc! {
            "_id": deletion.code,
            "connectedBy": date(deletion.connected_by),
            "requestedAt": date(now),
            "completedAt": null,
            "connections": fields::number(deletion.connections),
        });
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
        let found = self.operations.find_one(&self.deletions, doc! { "_id": code }).await?;
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
        self.operations.update_one(&self.deletions, filter, update).await.map(drop)
    }
}

fn unfinished(document: &Document) -> StoreResult<NewDeletion> {
    Ok(NewDeletion {
        code: required_text(document, "_id")?,
        of: match text(document, "userId") {
            Some(user_id) => DeletionOf::User(user_id),
            None => DeletionOf::Account(kinds::provider(document)?, required_text(document, "accountId")?),
        },
        connected_by: required_time(document, "connectedBy")?,
        connections: count(document, "connections"),
    })
}
