//! Histories in MongoDB.

use jiff::Timestamp;
use mongodb::bson::{Document, doc, oid::ObjectId};
use shared::Provider;

use super::fields::{count, required_time};
use super::reading::Wanted;
use super::{date, kinds};
use crate::times::{TICK, earlier, later};
use crate::{HISTORY_LIFE, HistoryPoint, HistoryRange, StoreResult};

/// The points of a connection that are wanted.
pub(super) fn wanted(
    provider: Provider,
    connection_id: ObjectId,
    user_id: &str,
    range: HistoryRange,
    now: Timestamp,
) -> Wanted {
    // The database removes what is older only some time later.
    let from = range.from.max(later(earlier(now, HISTORY_LIFE), TICK));
    let filter = doc! {
        "connectionId": connection_id,
        "at": { "$gte": date(from), "$lt": date(range.until.max(from)) },
        "provider": kinds::named(provider),
        // Points of an earlier owner are erased only when the change of owners is settled.
        "userId": user_id,
        "expiresAt": { "$not": { "$lte": date(now) } },
    };
    Wanted { filter, sort: doc! { "at": 1 }, limit: range.limit }
}

pub(super) fn point(document: &Document) -> StoreResult<HistoryPoint> {
    Ok(HistoryPoint {
        at: required_time(document, "at")?,
        followers_count: count(document, "followersCount"),
        follows_count: count(document, "followsCount"),
        media_count: count(document, "mediaCount"),
    })
}
