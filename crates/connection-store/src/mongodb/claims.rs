//! Claiming documents in batches, of which any number of workers get some and no two the same.

use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::MongoStore;
use super::reading::warn_of;
use crate::StoreResult;

/// How often a claim looks for more when other workers were faster. Each failed try means that one of them has work.
const ATTEMPTS: u32 = 100;

/// What is claimed.
pub(super) struct Claim {
    /// The documents that may be.
    pub(super) filter: Document,
    /// Those that go first.
    pub(super) order: Document,
    /// The field that gets the name of the claim.
    pub(super) name: &'static str,
    /// What else a claim sets, as expressions. A document that has it no longer matches `filter`.
    pub(super) fields: Document,
    /// At most so many.
    pub(super) limit: u32,
}

impl MongoStore {
    /// Claims until there is enough or nothing more may be claimed. What may be is found first; of any number of workers that
    /// change one document then, one finds it as it wants it. Which documents these were, the name of its claim tells.
    pub(super) async fn claim<T>(
        &self,
        collection: &Collection<Document>,
        claim: Claim,
        read: impl Fn(&Document) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>> {
        let Claim { filter, order, name: field, mut fields, limit } = claim;
        let name = ObjectId::new();
        fields.insert(field, name);
        let update = vec![doc! { "$set": fields }];
        let (mut claimed, mut passed_over) = (Vec::new(), 0);
        for _ in 0..ATTEMPTS {
            let missing = limit as usize - claimed.len();
            // A limit of 0 would be none.
            if missing == 0 {
                break;
            }
            let (collection, filter) = (collection.clone(), filter.clone());
            let (update, order) = (update.clone(), order.clone());
            let claim = async move {
                let found = collection.find(filter.clone()).sort(order).projection(doc! { "_id": 1 });
                let found: Vec<Document> = found.limit(missing as i64).await?.try_collect().await?;
                if found.is_empty() {
                    return Ok((true, Vec::new()));
                }
                let ids: Vec<_> = found.iter().filter_map(|document| document.get("_id").cloned()).collect();
                let mut these = doc! { "_id": { "$in": ids.clone() } };
                let mut own = these.clone();
                these.extend(filter);
                own.insert(field, name);
                collection.update_many(these, update).await?;
                let mut own: Vec<Document> = collection.find(own).await?.try_collect().await?;
                own.sort_by_key(|document| ids.iter().position(|id| document.get("_id") == Some(id)));
                Ok((found.len() < missing, own))
            };
            let (is_last, own) = match self.operations.run(claim).await {
                Ok(claim) => claim,
                // What was claimed before is begun: nobody else would be at it until the lease ends.
                Err(_) if !claimed.is_empty() => break,
                Err(error) => return Err(error),
            };
            for document in &own {
                match read(document) {
                    Ok(one) => claimed.push(one),
                    // It is leased now, and keeps no other.
                    Err(_) => passed_over += 1,
                }
            }
            if is_last {
                break;
            }
        }
        warn_of(passed_over);
        Ok(claimed)
    }
}
