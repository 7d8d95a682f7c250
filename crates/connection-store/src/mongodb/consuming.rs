//! Consuming a document once.

use mongodb::Collection;
use mongodb::bson::{Document, doc, oid::ObjectId};
use mongodb::error::Result;
use mongodb::options::ReturnDocument;

use super::error::or_applied;
use super::operation::in_time;

/// The field that names who has consumed a document.
pub(super) const CONSUMED_BY: &str = "consumedBy";

/// Consumes the one document that matches `usable`, and returns it; `None` when there is none, or another consumed it before.
///
/// The document is marked before it is deleted: a deletion whose answer is lost would leave nothing to tell whose it was. The
/// mark alone decides, and is taken off again when the caller waits no longer. What a lost deletion leaves is removed with what
/// has ended.
pub(super) async fn consume(collection: Collection<Document>, usable: Document) -> Result<Option<Document>> {
    let name = ObjectId::new();
    let mut unmarked = usable;
    unmarked.insert(CONSUMED_BY, doc! { "$exists": false });
    let own = doc! { "_id": unmarked.get("_id"), CONSUMED_BY: name };
    let marked = collection
        .find_one_and_update(unmarked, doc! { "$set": { CONSUMED_BY: name } })
        .return_document(ReturnDocument::After)
        .await;
    let look = async { Ok(collection.find_one(own.clone()).await?.map(Some)) };
    let consumed = or_applied(marked, look).await?;
    if consumed.is_some() {
        if let Err(late) = in_time() {
            collection.update_one(own, doc! { "$unset": { CONSUMED_BY: "" } }).await?;
            return Err(late);
        }
        let _ = collection.delete_one(own).await;
    }
    Ok(consumed)
}
