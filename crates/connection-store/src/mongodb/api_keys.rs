//! Keys of programs in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use super::error::is_duplicate_key;
use super::reading::{Wanted, readable};
use super::{MongoStore, binary, date, fields};
use crate::{ApiKey, ApiKeys, NewApiKey, SecretHash, StoreResult};

#[async_trait]
impl ApiKeys for MongoStore {
    async fn create_api_key(&self, key: NewApiKey) -> StoreResult<bool> {
        let key_hash = binary(&key.key_hash);
        let document = doc! {
            "_id": key.id,
            "keyHash": key_hash.clone(),
            "userId": key.user_id,
            "name": key.name,
            "scopes": key.scopes,
            "hint": key.hint,
            "createdAt": date(key.created_at),
            // Not `expiresAt`: one that has ended stays listed, and no index removes it.
            "endsAt": key.expires_at.map(date),
            "lastUsedAt": null,
        };
        let keys = self.api_keys.clone();
        let insert = async move {
            match keys.insert_one(document).await {
                Ok(_) => Ok(true),
                // The id is unique as well: look which of the two it was, rather than trust the server's wording.
                Err(error) if is_duplicate_key(&error) => {
                    match keys.find_one(doc! { "keyHash": key_hash }).await? {
                        Some(_) => Ok(false),
                        None => Err(error),
                    }
                }
                Err(error) => Err(error),
            }
        };
        self.operations.run(insert).await
    }

    async fn find_api_key(&self, key_hash: &SecretHash) -> StoreResult<Option<ApiKey>> {
        let filter = doc! { "keyHash": binary(key_hash) };
        let keys = self.api_keys.clone();
        let found = self.operations.run(async move { keys.find_one(filter).await }).await?;
        found.map(|document| api_key(&document)).transpose()
    }

    async fn api_keys(&self, user_id: Option<&str>) -> StoreResult<Vec<ApiKey>> {
        let filter = doc! { "userId": user_id };
        let wanted = Wanted { filter, sort: doc! { "createdAt": -1, "_id": -1 }, limit: u32::MAX };
        self.operations.run(readable(self.api_keys.clone(), wanted, api_key)).await
    }

    async fn delete_api_key(&self, id: &str, user_id: Option<&str>) -> StoreResult<bool> {
        let filter = doc! { "_id": id, "userId": user_id };
        let keys = self.api_keys.clone();
        let deleted = self.operations.run(async move { keys.delete_one(filter).await }).await?;
        Ok(deleted.deleted_count == 1)
    }

    async fn touch_api_key(&self, id: &str, now: Timestamp) -> StoreResult<()> {
        let filter = doc! { "_id": id };
        // Any date is more than `null`.
        let update = doc! { "$max": { "lastUsedAt": date(now) } };
        let keys = self.api_keys.clone();
        self.operations.run(async move { keys.update_one(filter, update).await }).await?;
        Ok(())
    }
}

fn api_key(document: &Document) -> StoreResult<ApiKey> {
    Ok(ApiKey {
        id: fields::required_text(document, "_id")?,
        user_id: fields::text(document, "userId"),
        name: fields::required_text(document, "name")?,
        scopes: fields::texts(document, "scopes"),
        hint: fields::required_text(document, "hint")?,
        created_at: fields::required_time(document, "createdAt")?,
        expires_at: fields::time(document, "endsAt"),
        last_used_at: fields::time(document, "lastUsedAt"),
    })
}
