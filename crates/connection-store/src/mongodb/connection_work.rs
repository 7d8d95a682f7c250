//! Work that is claimed from connections: the refresh of a token, and the sync of a profile.

use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::options::ReturnDocument;

use super::claims::Claim;
use super::connection_documents::{connection, failures, with_token};
use super::connections::Connections;
use super::error::or_applied;
use super::{date, literal, outbox};
use crate::{Connection, NextAttempt, StoreResult};

/// The fields of a kind of work that is claimed.
pub(super) struct Work {
    /// The name of the last claim.
    claim: &'static str,
    pub(super) lease_until: &'static str,
    pub(super) not_before: &'static str,
    pub(super) failures: &'static str,
    /// Field by which the documents are sorted: the least of it first.
    order: &'static str,
}

pub(super) const REFRESH: Work = Work {
    claim: "refreshClaim",
    lease_until: "refreshLeaseUntil",
    not_before: "refreshNotBefore",
    failures: "refreshFailures",
    order: "refreshAt",
};

pub(super) const SYNC: Work = Work {
    claim: "syncClaim",
    lease_until: "syncLeaseUntil",
    not_before: "syncNotBefore",
    failures: "syncFailures",
    order: "lastSyncedAt",
};

impl Connections {
    /// Claims what is due for a kind of work: what was not tried yet, then what has waited.
    pub(super) async fn claim_due(
        &self,
        work: &Work,
        mut due: Document,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        due.extend(doc! { "isActive": true, "needsReauthorizationSince": null });
        for field in [work.lease_until, work.not_before] {
            due.insert(field, doc! { "$not": { "$gt": date(now) } });
        }
        // A failure is counted when an attempt begins, so that one that kills its worker counts, too. For the same reason an
        // attempt begins with a wait: should nothing come of it, others go first.
        let fields = doc! {
            work.lease_until: date(lease_until),
            work.not_before: date(lease_until),
            work.failures: one_more(work.failures),
        };
        // A time that was never set comes before every time.
        let order = doc! { work.not_before: 1, work.order: 1 };
        let claim = Claim { filter: due, order, name: work.claim, fields, limit };
        let read = |document: &Document| connection(self.kind, document);
        self.operations.claim(&self.collection, claim, read).await
    }

    /// Claims the work of one connection, due or not. Returns the failures in a row with this claim.
    pub(super) async fn claim_one(
        &self,
        work: &Work,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Option<u32>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let mut filter = with_token(id, access_token);
        filter.insert(work.lease_until, doc! { "$not": { "$gt": date(now) } });
        let name = ObjectId::new();
        let update = vec![doc! { "$set": {
            work.claim: name,
            work.lease_until: date(lease_until),
            work.failures: one_more(work.failures),
        }}];
        let (connections, own) = (self.collection.clone(), doc! { "_id": id, work.claim: name });
        let claim = async move {
            let claimed = connections.find_one_and_update(filter, update);
            let claimed = claimed.return_document(ReturnDocument::After).await;
            let look = async { Ok(connections.find_one(own).await?.map(Some)) };
            or_applied(claimed, look).await
        };
        let claimed = self.operations.run(claim).await?;
        Ok(claimed.map(|document| failures(&document, work.failures)))
    }

    pub(super) async fn reschedule(
        &self,
        work: &Work,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(()) };
        let mut filter = with_token(id, access_token);
        filter.insert(work.lease_until, next.lease.map(date));
        let not_before = date(next.at);
        let not_before: Bson = match next.lease {
            Some(_) => not_before.into(),
            // A field that is not there counts for nothing.
            None => doc! { "$max": [format!("${}", work.not_before), not_before] }.into(),
        };
        let mut fields = doc! { work.lease_until: null, work.not_before: not_before };
        if let Some(error) = next.error {
            fields.insert("lastError", literal(error));
        }
        if let Some(missing) = next.missing_scope {
            let others = doc! { "$ne": ["$$this", literal(missing)] };
            fields.insert("scopes", doc! { "$filter": { "input": outbox::list("$scopes"), "cond": others } });
        }
        if let Some(failures) = next.failures {
            fields.insert(work.failures, failures);
        }
        if let Some(refused_since) = next.refused_since {
            fields.insert("refusedSince", doc! { "$ifNull": ["$refusedSince", date(refused_since)] });
            fields.insert("refreshAt", date(next.at));
        }
        fields.insert("updatedAt", date(now));
        self.change(filter, fields, next.event.as_slice(), now).await?;
        Ok(())
    }

    /// In one command, however many they are.
    pub(super) async fn release(
        &self,
        work: &Work,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        let ids: Vec<_> = ids.iter().filter_map(|id| ObjectId::parse_str(id).ok()).collect();
        let claimed = doc! { "_id": { "$in": ids }, work.lease_until: date(lease_until) };
        let update = vec![doc! { "$set": {
            work.lease_until: null,
            // Fields of one stage are set at once: the count is the one that the claim has made.
            work.not_before: { "$cond": [{ "$gt": [format!("${}", work.failures), 1] }, date(now), null] },
            work.failures: one_less(work.failures),
        }}];
        let connections = self.collection.clone();
        self.operations.run(async move { connections.update_many(claimed, update).await }).await?;
        Ok(())
    }
}

/// The expression for a count that is one higher, or 1 where there is no count: `$inc` would fail there.
pub(super) fn one_more(field: &str) -> Document {
    let field = format!("${field}");
    let is_number = doc! { "$in": [{ "$type": &field }, ["int", "long", "double"]] };
    doc! { "$cond": [is_number, { "$add": [&field, 1] }, 1] }
}

/// The expression for a count that is one lower, and not below 0.
pub(super) fn one_less(field: &str) -> Document {
    let field = format!("${field}");
    let is_counted = doc! { "$and": [
        { "$in": [{ "$type": &field }, ["int", "long", "double"]] },
        { "$gt": [&field, 0] },
    ] };
    doc! { "$cond": [is_counted, { "$subtract": [&field, 1] }, 0] }
}
