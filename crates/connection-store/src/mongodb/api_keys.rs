//! Keys of programs in MongoDB.

use std::collections::HashSet;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use secrecy::ExposeSecret;

use super::error::{is_duplicate_key, or_applied};
use super::operation::in_time;
use super::reading::{Wanted, readable};
use super::{MongoStore, binary, date, fields};
use crate::{ApiKey, ApiKeys, KeyOutcome, NewApiKey, SecretHash, StoreResult};

#[async_trait]
impl ApiKeys for MongoStore {
    async fn create_api_key(&self, key: NewApiKey, most: Option<u32>) -> StoreResult<KeyOutcome> {
        let (keys, user_id) = (self.api_keys.clone(), key.user_id.clone());
        let same_hash = doc! { "keyHash": binary(&key.key_hash) };
        let owner = key.password_hash.as_ref().map(|hash| {
            doc! { "_id": &user_id, "passwordHash": hash.expose_secret() }
        });
        let session = key.session.as_ref().map(|hash| {
            doc! { "_id": binary(hash), "expiresAt": { "$gt": date(key.created_at) } }
        });
        let (users, sessions) = (self.users.clone(), self.sessions.clone());
        let mut document = new_document(key);
        let create = async move {
            let own = doc! { "_id": document.get("_id"), "keyHash": document.get("keyHash") };
            loop {
                in_time()?;
                if let Some(most) = most {
                    match free_place(&keys, user_id.as_deref(), most).await? {
                        Some(place) => document.insert("place", place),
                        None if keys.find_one(same_hash).await?.is_some() => return Ok(KeyOutcome::Taken),
                        None => return Ok(KeyOutcome::TooMany),
                    };
                }
                let inserted = keys.insert_one(&document).await.map(drop);
                let look = async { Ok(keys.find_one(own.clone()).await?.map(drop)) };
                let Err(error) = or_applied(inserted, look).await else {
                    // Looked at after the insert, as for sessions.
                    let prove = async {
                        in_time()?;
                        Ok(match (owner, session) {
                            (Some(owner), _) => users.find_one(owner).await?.is_some(),
                            (None, Some(session)) => sessions.find_one(session).await?.is_some(),
                            (None, None) => true,
                        })
                    };
                    let is_proved: mongodb::error::Result<bool> = prove.await;
                    if !matches!(is_proved, Ok(true)) {
                        keys.delete_one(doc! { "_id": document.get("_id") }).await?;
                    }
                    return Ok(if is_proved? { KeyOutcome::Created } else { KeyOutcome::Unproved });
                };
                // Three things are unique: look which of them it was, rather than trust the server's wording.
                if !is_duplicate_key(&error) {
                    return Err(error);
                }
                if keys.find_one(same_hash.clone()).await?.is_some() {
                    return Ok(KeyOutcome::Taken);
                }
                if keys.find_one(doc! { "_id": document.get("_id") }).await?.is_some() {
                    return Err(error);
                }
                // Another key was faster to take the place, which happens no oftener than there are places.
            }
        };
        self.operations.run(create).await
    }

    async fn find_api_key(&self, key_hash: &SecretHash) -> StoreResult<Option<ApiKey>> {
        let found = self.operations.find_one(&self.api_keys, doc! { "keyHash": binary(key_hash) }).await?;
        found.map(|document| api_key(&document)).transpose()
    }

    async fn api_keys(&self, user_id: Option<&str>) -> StoreResult<Vec<ApiKey>> {
        let filter = doc! { "userId": user_id };
        let wanted = Wanted { filter, sort: doc! { "createdAt": -1, "_id": -1 }, limit: u32::MAX };
        self.operations.run(readable(self.api_keys.clone(), wanted, api_key)).await
    }

    async fn delete_api_key(&self, id: &str, user_id: Option<&str>) -> StoreResult<bool> {
        self.operations.delete_one(&self.api_keys, doc! { "_id": id, "userId": user_id }).await
    }

    async fn touch_api_key(&self, id: &str, now: Timestamp) -> StoreResult<()> {
        let filter = doc! { "_id": id };
        // Any date is more than `null`.
        let update = doc! { "$max": { "lastUsedAt": date(now) } };
        self.operations.update_one(&self.api_keys, filter, update).await.map(drop)
    }
}

fn new_document(key: NewApiKey) -> Document {
    doc! {
        "_id": key.id,
        "keyHash": binary(&key.key_hash),
        "userId": key.user_id,
        "name": key.name,
        "scopes": key.scopes,
        "hint": key.hint,
        "createdAt": date(key.created_at),
        // Not `expiresAt`: one that has ended stays listed, and no index removes it.
        "endsAt": key.expires_at.map(date),
        "lastUsedAt": null,
    }
}

/// One of the places that a user's keys have, which are unique: so there are never more keys than places. `None` when all
/// are taken. A key of an older version has none, and counts all the same.
async fn free_place(
    keys: &Collection<Document>,
    user_id: Option<&str>,
    most: u32,
) -> mongodb::error::Result<Option<String>> {
    let there = keys.find(doc! { "userId": user_id }).projection(doc! { "place": 1 }).await?;
    let there: Vec<Document> = there.try_collect().await?;
    let taken: HashSet<String> = there.iter().filter_map(|key| fields::text(key, "place")).collect();
    let without = u32::try_from(there.len() - taken.len()).unwrap_or(u32::MAX);
    let mut places =
        (0..most.saturating_sub(without)).map(|number| format!("{}:{number}", user_id.unwrap_or_default()));
    Ok(places.find(|place| !taken.contains(place)))
}

fn api_key(document: &Document) -> StoreResult<ApiKey> {
    Ok(ApiKey {
        id: fields::required_text(document, "_id")?,
        key_hash: fields::required_hash(document, "keyHash")?,
        user_id: fields::text(document, "userId"),
        name: fields::required_text(document, "name")?,
        scopes: fields::texts(document, "scopes"),
        hint: fields::required_text(document, "hint")?,
        created_at: fields::required_time(document, "createdAt")?,
        expires_at: fields::time(document, "endsAt"),
        last_used_at: fields::time(document, "lastUsedAt"),
    })
}
