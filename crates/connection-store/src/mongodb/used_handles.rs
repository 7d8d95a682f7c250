//! Sealed handles that were used, in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{doc, oid::ObjectId};

use super::error::{is_duplicate_key, or_applied};
use super::operation::in_time;
use super::{MongoStore, date};
use crate::{StoreResult, UsedHandles};

#[async_trait]
impl UsedHandles for MongoStore {
    async fn use_handle(&self, handle_id: &str, expires_at: Timestamp) -> StoreResult<bool> {
        // Named after this very use, by which it is known again.
        let own = doc! { "_id": handle_id, "usedBy": ObjectId::new() };
        let mut document = own.clone();
        document.insert("expiresAt", date(expires_at));
        let handles = self.used_handles.clone();
        let insert = async move {
            let inserted = handles.insert_one(document).await.map(drop);
            let look = async { Ok(handles.find_one(own.clone()).await?.map(drop)) };
            match or_applied(inserted, look).await {
                Ok(()) => match in_time() {
                    Ok(()) => Ok(true),
                    // Used when the caller waits no longer, it would be spent for nothing.
                    Err(late) => handles.delete_one(own).await.and(Err(late)),
                },
                Err(error) if is_duplicate_key(&error) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.operations.run(insert).await
    }

    async fn is_handle_used(&self, handle_id: &str) -> StoreResult<bool> {
        let found = self.operations.find_one(&self.used_handles, doc! { "_id": handle_id }).await?;
        Ok(found.is_some())
    }

    async fn release_handle(&self, handle_id: &str) -> StoreResult<()> {
        self.operations.delete_one(&self.used_handles, doc! { "_id": handle_id }).await.map(drop)
    }
}
