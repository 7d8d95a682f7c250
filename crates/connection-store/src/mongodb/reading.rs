//! Reading several documents, of which some may be another program's.

use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::Document;
use mongodb::error::Result;

use crate::StoreResult;

/// Documents that are wanted, and their order.
pub(super) struct Wanted {
    pub(super) filter: Document,
    pub(super) sort: Document,
    pub(super) limit: u32,
}

/// The documents that are wanted and can be read. One that cannot is passed over: it must not keep the others from a job,
/// nor make a page look like the last one.
pub(super) async fn readable<T>(
    collection: Collection<Document>,
    wanted: Wanted,
    read: impl Fn(&Document) -> StoreResult<T>,
) -> Result<Vec<T>> {
    let (mut found, mut seen) = (Vec::new(), 0);
    // A limit of 0 would be none.
    while found.len() < wanted.limit as usize {
        let missing = wanted.limit as usize - found.len();
        let page = collection.find(wanted.filter.clone()).sort(wanted.sort.clone());
        let page = page.skip(seen as u64).limit(missing as i64).await?;
        let page: Vec<Document> = page.try_collect().await?;
        seen += page.len();
        found.extend(page.iter().filter_map(|document| read(document).ok()));
        if page.len() < missing {
            break;
        }
    }
    warn_of(seen - found.len());
    Ok(found)
}

/// Says that documents were passed over; never what is in them.
pub(super) fn warn_of(passed_over: usize) {
    if passed_over > 0 {
        tracing::warn!(passed_over, "stored documents cannot be read and were passed over");
    }
}
