//! Histories in MongoDB.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::fields::{count, required_time};
use super::{MongoStore, date};
use crate::{History, HistoryPoint, HistoryRange, StoreResult};

#[async_trait]
impl History for MongoStore {
    async fn history(
        &self,
        connection_id: &str,
        range: HistoryRange,
        now: Timestamp,
    ) -> StoreResult<Vec<HistoryPoint>> {
        let Ok(connection_id) = ObjectId::parse_str(connection_id) else { return Ok(Vec::new()) };
        // A limit of 0 would be none.
        if range.limit == 0 {
            return Ok(Vec::new());
        }
        let filter = doc! {
            "connectionId": connection_id,
            "at": { "$gte": date(range.from), "$lt": date(range.until) },
            "expiresAt": { "$not": { "$lte": date(now) } },
        };
        let history = self.outbox.history.clone();
        let find = async move {
            let points = history.find(filter).sort(doc! { "at": 1 }).limit(range.limit.into()).await?;
            points.try_collect::<Vec<_>>().await
        };
        self.operations.run(find).await?.iter().map(point).collect()
    }
}

fn point(document: &Document) -> StoreResult<HistoryPoint> {
    Ok(HistoryPoint {
        at: required_time(document, "at")?,
        followers_count: count(document, "followersCount"),
        follows_count: count(document, "followsCount"),
        media_count: count(document, "mediaCount"),
    })
}
