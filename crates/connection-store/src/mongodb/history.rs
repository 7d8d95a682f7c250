//! Histories in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::fields::{count, required_time};
use super::reading::{Wanted, readable};
use super::{MongoStore, date};
use crate::times::{TICK, earlier, later};
use crate::{HISTORY_LIFE, History, HistoryPoint, HistoryRange, StoreResult};

#[async_trait]
impl History for MongoStore {
    async fn history(
        &self,
        connection_id: &str,
        user_id: &str,
        range: HistoryRange,
        now: Timestamp,
    ) -> StoreResult<Vec<HistoryPoint>> {
        let Ok(connection_id) = ObjectId::parse_str(connection_id) else { return Ok(Vec::new()) };
        // The database removes what is older only some time later.
        let from = range.from.max(later(earlier(now, HISTORY_LIFE), TICK));
        let filter = doc! {
            "connectionId": connection_id,
            // Points of an earlier owner are erased only when the change of owners is settled.
            "userId": user_id,
            "at": { "$gte": date(from), "$lt": date(range.until.max(from)) },
            "expiresAt": { "$not": { "$lte": date(now) } },
        };
        let wanted = Wanted { filter, sort: doc! { "at": 1 }, limit: range.limit };
        self.operations.run(readable(self.outbox.history.clone(), wanted, point)).await
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
