//! Claims documents in batches. No document is claimed by two workers.

use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::operation::Operations;
use super::reading::warn_of;
use crate::{StoreError, StoreResult};

/// Limits the attempts of a claim to find more when other workers were faster. Each failed attempt means that
/// another worker has work.
const ATTEMPTS: u32 = 100;

/// A claim to be made.
pub(super) struct Claim {
    /// The documents that may be.
    pub(super) filter: Document,
    /// Sort order: the documents that go first.
    pub(super) order: Document,
    /// The field that gets the name of the claim.
    pub(super) name: &'static str,
    /// Further fields that a claim sets, as expressions. A document that has them no longer matches `filter`.
    pub(super) fields: Document,
    /// At most so many.
    pub(super) limit: u32,
}

impl Operations {
    /// Claims until there is enough or nothing more may be claimed.
    pub(super) async fn claim<T>(
        &self,
        collection: &Collection<Document>,
        mut claim: Claim,
        read: impl Fn(&Document) -> StoreResult<T>,
    ) -> StoreResult<Vec<T>> {
        let name = ObjectId::new();
        claim.fields.insert(claim.name, name);
        let (mut claimed, mut passed_over) = (Vec::new(), 0);
        for _ in 0..ATTEMPTS {
            let missing = claim.limit as usize - claimed.len();
            // A limit of 0 would be none.
            if missing == 0 {
                break;
            }
            let (is_last, own) = match self.claim_some(collection, &claim, name, missing).await {
                Ok(some) => some,
                // The documents claimed so far are begun: no other worker gets them until the lease ends.
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

    /// Claims up to `most` documents under a name. Returns those that it got, and whether there were no more. What may be
    /// claimed is found first; of any number of workers that change one document then, one finds it as it wants it. Which
    /// documents these were, the name of the claim tells, also where the change was interrupted or no majority had it in time.
    async fn claim_some(
        &self,
        collection: &Collection<Document>,
        claim: &Claim,
        name: ObjectId,
        most: usize,
    ) -> StoreResult<(bool, Vec<Document>)> {
        let (documents, filter, order) = (collection.clone(), claim.filter.clone(), claim.order.clone());
        let find = async move {
            let found = documents.find(filter).sort(order).projection(doc! { "_id": 1 });
            found.limit(most as i64).await?.try_collect::<Vec<_>>().await
        };
        let found = self.run(find).await?;
        if found.is_empty() {
            return Ok((true, Vec::new()));
        }
        let ids: Vec<_> = found.iter().filter_map(|document| document.get("_id").cloned()).collect();
        let mut these = doc! { "_id": { "$in": ids.clone() } };
        let mut own = these.clone();
        these.extend(claim.filter.clone());
        own.insert(claim.name, name);

        let (documents, update) = (collection.clone(), vec![doc! { "$set": claim.fields.clone() }]);
        let updated = self.run(async move { documents.update_many(these, update).await }).await;
        if let Err(error @ StoreError::Failed(_)) = updated {
            return Err(error);
        }
        let documents = collection.clone();
        let look = async move { documents.find(own).await?.try_collect::<Vec<_>>().await };
        let mut own = self.run(look).await?;
        if own.is_empty() {
            updated?;
        }
        own.sort_by_key(|document: &Document| ids.iter().position(|id| document.get("_id") == Some(id)));
        Ok((found.len() < most, own))
    }
}
