//! Events of connections in MongoDB, and the deliveries that they make.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Document, doc, oid::ObjectId};
use shared::Provider;

use super::claims::Claim;
use super::connection_work::{one_less, one_more};
use super::fields::{self, count, required_text, required_time};
use super::kinds::{self, Kind};
use super::outbox::delivery_id;
use super::reading::{Wanted, readable};
use super::{MongoStore, date};
use crate::times::earlier;
use crate::{Delivery, Event, EventCursor, Events, StoreResult, Subject};

#[async_trait]
impl Events for MongoStore {
    async fn events(
        &self,
        subject: &Subject,
        user_id: &str,
        cursor: Option<EventCursor>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Event>> {
        let Subject::Connection { provider, id } = subject;
        let Ok(connection_id) = ObjectId::parse_str(id) else { return Ok(Vec::new()) };
        // Events of an earlier owner are erased only when the change of owners is settled.
        let of_connection = doc! {
            "connectionId": connection_id,
            "userId": user_id,
            "provider": kinds::named(*provider),
            "expiresAt": { "$not": { "$lte": date(now) } },
        };
        // First the events of the cursor's millisecond, then the events before it: each is one run of the
        // index, which an `$or` of both would not be.
        let filters = match cursor {
            None => vec![of_connection],
            Some(EventCursor { at, id }) => {
                let (mut same, mut earlier) = (of_connection.clone(), of_connection);
                same.insert("at", date(at));
                same.insert("_id", doc! { "$lt": id });
                earlier.insert("at", doc! { "$lt": date(at) });
                vec![same, earlier]
            }
        };
        let events = self.of(*provider).outbox.events.clone();
        let find = async move {
            let mut found = Vec::new();
            for filter in filters {
                let limit = limit - found.len() as u32;
                let wanted = Wanted { filter, sort: doc! { "at": -1, "_id": -1 }, limit };
                found.extend(readable(events.clone(), wanted, event).await?);
            }
            Ok(found)
        };
        self.operations.run(find).await
    }

    async fn claim_deliveries(
        &self,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Delivery>> {
        let filter = doc! { "dueAt": { "$lte": date(now) }, "expiresAt": { "$not": { "$lte": date(now) } } };
        let fields = doc! { "dueAt": date(lease_until), "attempts": one_more("attempts") };
        let claim = Claim { filter, order: doc! { "dueAt": 1 }, name: "claim", fields, limit };
        self.operations.claim(&self.deliveries, claim, delivery).await
    }

    async fn finish_delivery(&self, event_id: &str, receiver: &str) -> StoreResult<()> {
        let filter = doc! { "_id": delivery_id(event_id, receiver) };
        self.operations.delete_one(&self.deliveries, filter).await.map(drop)
    }

    async fn reschedule_delivery(
        &self,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        self.put_off(event_id, receiver, vec![doc! { "$set": { "dueAt": date(not_before) } }]).await
    }

    async fn release_delivery(
        &self,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        let untried = doc! { "dueAt": date(not_before), "attempts": one_less("attempts") };
        self.put_off(event_id, receiver, vec![doc! { "$set": untried }]).await
    }

    async fn settle_events(&self, older_than: SignedDuration, now: Timestamp) -> StoreResult<u64> {
        let until = earlier(now, older_than);
        let outboxes = Provider::ALL.map(|provider| self.of(provider).outbox.clone());
        let settle = async move {
            let mut settled = 0;
            for outbox in outboxes {
                settled += outbox.settle_waiting(until).await?;
            }
            Ok(settled)
        };
        self.operations.run_slow(settle).await
    }
}

impl MongoStore {
    async fn put_off(&self, event_id: &str, receiver: &str, update: Vec<Document>) -> StoreResult<()> {
        let filter = doc! { "_id": delivery_id(event_id, receiver) };
        self.operations.update_one(&self.deliveries, filter, update).await.map(drop)
    }
}

fn event(document: &Document) -> StoreResult<Event> {
    Ok(Event {
        id: required_text(document, "_id")?,
        kind: required_text(document, "kind")?,
        at: required_time(document, "at")?,
        succeeded: document.get_bool("succeeded").map_err(|_| fields::missing("succeeded"))?,
        message: required_text(document, "message")?,
    })
}

fn delivery(document: &Document) -> StoreResult<Delivery> {
    let connection_id =
        document.get_object_id("connectionId").map_err(|_| fields::missing("connectionId"))?;
    let provider = kinds::provider(document)?;
    Ok(Delivery {
        event_id: required_text(document, "eventId")?,
        receiver: required_text(document, "receiver")?,
        kind: required_text(document, "kind")?,
        at: required_time(document, "at")?,
        subject: Subject::Connection { provider, id: connection_id.to_hex() },
        user_id: required_text(document, "userId")?,
        provider_account_id: required_text(document, Kind::of(provider).account_id)?,
        attempts: count(document, "attempts").and_then(|count| count.try_into().ok()).unwrap_or(0),
    })
}
