//! Pauses in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::doc;

use super::error::is_duplicate_key;
use super::{MongoStore, date, fields};
use crate::{Pauses, StoreResult};

#[async_trait]
impl Pauses for MongoStore {
    async fn pause(&self, name: &str, until: Timestamp) -> StoreResult<()> {
        let filter = doc! { "_id": name };
        let update = doc! { "$max": { "expiresAt": date(until) } };
        let pauses = self.pauses.clone();
        let pause = async move {
            let begun = pauses.update_one(filter.clone(), update.clone()).upsert(true).await;
            match begun {
                // Another process began it at the same moment, so that now there is one to prolong.
                Err(error) if is_duplicate_key(&error) => {
                    pauses.update_one(filter, update).upsert(true).await
                }
                begun => begun,
            }
        };
        self.operations.run(pause).await?;
        Ok(())
    }

    async fn paused_until(&self, name: &str, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let filter = doc! { "_id": name, "expiresAt": { "$gt": date(now) } };
        let found = self.operations.find_one(&self.pauses, filter).await?;
        Ok(found.and_then(|document| fields::time(&document, "expiresAt")))
    }
}
