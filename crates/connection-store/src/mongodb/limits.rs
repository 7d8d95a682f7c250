//! Counts of attempts in MongoDB.

use std::io;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::error::is_duplicate_key;
use super::operation::in_time;
use super::{MongoStore, date, fields};
use crate::times::later;
use crate::{Limits, StoreResult, Tries};

/// Limits the attempts to count while others make, forget or remove the same count.
const COUNT_ATTEMPTS: u32 = 10;

#[async_trait]
impl Limits for MongoStore {
    async fn count_try(&self, name: &str, window: SignedDuration, now: Timestamp) -> StoreResult<Tries> {
        let filter = doc! { "_id": name };
        let end = date(later(now, window));
        // In one `$set` stage, each `$field` is the document as it was.
        let goes_on = doc! { "$gt": ["$expiresAt", date(now)] };
        let update = vec![doc! { "$set": {
            "count": { "$cond": [goes_on.clone(), { "$add": ["$count", 1] }, 1] },
            "expiresAt": { "$cond": [goes_on, "$expiresAt", end] },
        } }];
        let first = doc! { "_id": name, "count": 1, "expiresAt": end };
        let tries = self.tries.clone();
        // Not an upsert: one that loses a race to insert is counted by SecantusDB 0.7 and answered as if it were not. So the
        // count is one update, or one insertion where there is nothing to update.
        let count = async move {
            for _ in 0..COUNT_ATTEMPTS {
                in_time()?;
                let counted = tries
                    .find_one_and_update(filter.clone(), update.clone())
                    .return_document(ReturnDocument::After)
                    .await?;
                if let Some(counted) = counted {
                    return Ok(counted);
                }
                match tries.insert_one(first.clone()).await {
                    Ok(_) => return Ok(first),
                    // Another opened the window at the same moment, so that now there is one to count in.
                    Err(error) if is_duplicate_key(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            Err(io::Error::new(io::ErrorKind::WouldBlock, "too many changes of one count at once").into())
        };
        self::tries(&self.operations.run(count).await?)
    }

    async fn tries(&self, name: &str, now: Timestamp) -> StoreResult<Option<Tries>> {
        let filter = doc! { "_id": name, "expiresAt": { "$gt": date(now) } };
        let found = self.operations.find_one(&self.tries, filter).await?;
        found.map(|document| self::tries(&document)).transpose()
    }

    async fn forget_tries(&self, name: &str) -> StoreResult<()> {
        self.operations.delete_one(&self.tries, doc! { "_id": name }).await.map(drop)
    }
}

fn tries(document: &Document) -> StoreResult<Tries> {
    let count = fields::count(document, "count").ok_or_else(|| fields::missing("count"))?;
    Ok(Tries {
        count: count.try_into().unwrap_or(u32::MAX),
        resets_at: fields::required_time(document, "expiresAt")?,
    })
}
