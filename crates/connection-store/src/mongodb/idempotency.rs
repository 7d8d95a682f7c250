//! Requests that clients name, and their answers, in MongoDB.

use std::io;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, Bson, Document, doc};

use super::error::{is_duplicate_key, or_applied};
use super::operation::in_time;
use super::reading::{Wanted, readable};
use super::{MongoStore, binary, date, fields};
use crate::connections::key_id;
use crate::{Idempotency, NewRequest, Repetition, SealedAnswer, SecretHash, StoreResult};

/// Limits the attempts to make a claim while others make, forget or take over the same one.
const BEGIN_ATTEMPTS: u32 = 10;

#[async_trait]
impl Idempotency for MongoStore {
    async fn begin_request(&self, request: NewRequest, now: Timestamp) -> StoreResult<Repetition> {
        let NewRequest { name, claim, request_hash: asked, owner, lease_until, expires_at } = request;
        let of_name = doc! { "_id": binary(&name) };
        // It is known again by the claim.
        let own = doc! { "_id": binary(&name), "claim": &claim };
        let claim = doc! {
            "claim": claim,
            "requestHash": binary(&asked),
            "owner": owner,
            "leaseUntil": date(lease_until),
            "expiresAt": date(expires_at),
            "status": null,
            "sealedBody": null,
            "keyId": null,
        };
        let mut new = of_name.clone();
        new.extend(claim.clone());
        let over = doc! {
            "_id": binary(&name),
            "$or": [
                { "expiresAt": { "$lte": date(now) } },
                { "requestHash": binary(&asked), "status": null, "leaseUntil": { "$lte": date(now) } },
            ],
        };
        let take_over = doc! { "$set": claim };
        let requests = self.repeatable_requests.clone();
        let begin = async move {
            // Made when the caller waits no longer, it would be nobody's.
            let first = async || {
                if let Err(late) = in_time() {
                    requests.delete_one(own.clone()).await?;
                    return Err(late);
                }
                Ok(Repetition::First)
            };
            for _ in 0..BEGIN_ATTEMPTS {
                in_time()?;
                let look = async { Ok(requests.find_one(own.clone()).await?.map(drop)) };
                let inserted = requests.insert_one(new.clone()).await.map(drop);
                match or_applied(inserted, look).await {
                    Ok(()) => return first().await,
                    Err(error) if is_duplicate_key(&error) => {}
                    Err(error) => return Err(error),
                }
                let taken_over = requests.update_one(over.clone(), take_over.clone()).await;
                let look = async { Ok(requests.find_one(own.clone()).await?.map(|_| true)) };
                if or_applied(taken_over.map(|updated| updated.matched_count == 1), look).await? {
                    return first().await;
                }
                // Gone again: then the name is free.
                if let Some(taken) = requests.find_one(of_name.clone()).await? {
                    return Ok(repetition(&taken, &asked));
                }
            }
            Err(io::Error::new(io::ErrorKind::WouldBlock, "too many changes of one request at once").into())
        };
        self.operations.run(begin).await
    }

    async fn answer_request(&self, name: &SecretHash, status: u16, sealed_body: &str) -> StoreResult<()> {
        let filter = doc! { "_id": binary(name), "status": null };
        let update = doc! { "$set": {
            "status": i32::from(status),
            "sealedBody": sealed_body,
            "keyId": key_id(sealed_body),
        } };
        self.operations.update_one(&self.repeatable_requests, filter, update).await.map(drop)
    }

    async fn forget_request(&self, name: &SecretHash, claim: &str) -> StoreResult<()> {
        let filter = doc! { "_id": binary(name), "claim": claim, "status": null };
        self.operations.delete_one(&self.repeatable_requests, filter).await.map(drop)
    }

    async fn answers_sealed_with(
        &self,
        key_id: &str,
        after: Option<&SecretHash>,
        limit: u32,
    ) -> StoreResult<Vec<SealedAnswer>> {
        let mut filter = doc! { "keyId": key_id };
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": binary(after) });
        }
        let wanted = Wanted { filter, sort: doc! { "_id": 1 }, limit };
        self.operations.run(readable(self.repeatable_requests.clone(), wanted, sealed_answer)).await
    }

    async fn reencrypt_answer(&self, old: &SealedAnswer, sealed_body: &str) -> StoreResult<bool> {
        let filter = doc! { "_id": binary(&old.name), "sealedBody": &old.sealed_body };
        let update = doc! { "$set": { "sealedBody": sealed_body, "keyId": key_id(sealed_body) } };
        self.operations.update_one(&self.repeatable_requests, filter, update).await
    }
}

fn sealed_answer(document: &Document) -> StoreResult<SealedAnswer> {
    Ok(SealedAnswer {
        name: fields::required_hash(document, "_id")?,
        sealed_body: fields::required_text(document, "sealedBody")?,
    })
}

/// Tells the caller of this request the state of a name that is taken.
fn repetition(taken: &Document, asked: &SecretHash) -> Repetition {
    let is_same =
        matches!(taken.get("requestHash"), Some(Bson::Binary(Binary { bytes, .. })) if bytes == asked);
    if !is_same {
        return Repetition::Different;
    }
    let status = fields::count(taken, "status").and_then(|status| u16::try_from(status).ok());
    match (status, fields::text(taken, "sealedBody")) {
        (Some(status), Some(sealed_body)) => Repetition::Answered { status, sealed_body },
        _ => Repetition::Running,
    }
}
