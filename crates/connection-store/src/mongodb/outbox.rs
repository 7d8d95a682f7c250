//! How a change and what it leads to are stored together without transactions, which a standalone server does not have.
//!
//! The update that changes a connection's document also appends what has to be written elsewhere, an event, its deliveries, a
//! point of the history, to the array `outbox` of that document. Right after, the entries are settled: written to their
//! collections under ids of their own, so that writing them twice is writing them once, and taken off the array. Where the
//! process dies in between, [`settle_events`](crate::Events::settle_events) finds the document and settles them later.
//!
//! A process that dies after it has made a delivery and before it has taken the entry off leaves one that is made again
//! later, even if it has arrived meanwhile: deliveries come at least once.

use std::io;
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::error::{Error, ErrorKind, Result};
use mongodb::options::ReturnDocument;
use mongodb::{Collection, Database};

use super::error::{DUPLICATE_KEY, is_duplicate_key, may_pass};
use super::fields::{self, text, texts, time};
use super::reading::warn_of;
use super::{MongoStore, date, literal};
use crate::erasure::{DELIVERIES, SHOWN};
use crate::events::DELIVERY_LIFE;
use crate::times::{earlier, later};
use crate::{HISTORY_DETAIL, NewEvent, Profile, StoreResult};

/// How long a call whose change is stored waits for the rest. Longer is of no use: a job does it as well.
const SETTLE_PATIENCE: Duration = Duration::from_secs(2);

/// How many documents to settle are read at once.
const SETTLE_BATCH: u32 = 100;

/// The collections that the entries go to.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    database: Database,
    connections: Collection<Document>,
    pub(super) events: Collection<Document>,
    pub(super) deliveries: Collection<Document>,
    pub(super) history: Collection<Document>,
}

/// What a connection's document says about who may see its entries.
#[derive(PartialEq, Eq)]
struct Holder {
    user_id: Option<String>,
    /// While it is being erased: the event that is to be told all the same.
    erasure_event: Option<String>,
}

impl Outbox {
    pub(super) fn new(database: &Database, connections: Collection<Document>) -> Self {
        Self {
            database: database.clone(),
            connections,
            events: database.collection("connection_events"),
            deliveries: database.collection("webhook_deliveries"),
            history: database.collection("connection_history"),
        }
    }

    /// Settles the entries with these ids that a document has. Returns how many there were.
    async fn settle(&self, document: &Document, wanted: impl Fn(&str) -> bool) -> Result<u64> {
        let Ok(connection_id) = document.get_object_id("_id") else { return Ok(0) };
        let Ok(outbox) = document.get_array("outbox") else { return Ok(0) };
        let entries = outbox.iter().filter_map(Bson::as_document);
        let entries: Vec<&Document> =
            entries.filter(|entry| text(entry, "id").is_some_and(|id| wanted(&id))).collect();
        if entries.is_empty() {
            return Ok(0);
        }
        for entry in &entries {
            if entry.get_bool("passesOn").unwrap_or(false) {
                self.erase_earlier_owner(connection_id, entry).await?;
            }
        }
        let holder = Holder::of(document);
        let seen: Vec<_> = entries.iter().copied().filter(|entry| holder.sees(entry)).collect();
        let told = entries.iter().copied().filter(|entry| holder.tells(entry));
        let told: Vec<_> = told.flat_map(|entry| deliveries(connection_id, entry)).collect();
        tokio::try_join!(
            insert_new(&self.events, seen.iter().map(|entry| event(connection_id, entry)).collect()),
            insert_new(&self.deliveries, told),
            self.insert_points(connection_id, &seen),
        )?;
        let ids: Vec<String> = entries.iter().filter_map(|entry| text(entry, "id")).collect();
        let settled = self
            .connections
            .find_one_and_update(
                doc! { "_id": connection_id },
                doc! { "$pull": { "outbox": { "id": { "$in": ids } } } },
            )
            .projection(doc! { "userId": 1, "erasingSince": 1, "erasureEvent": 1 })
            .return_document(ReturnDocument::After)
            .await?;
        // The account may have passed on or been erased since the change: then what was just written came too late to be
        // erased with the rest.
        let holder_now = settled.as_ref().map(Holder::of);
        if holder_now.as_ref() != Some(&holder) {
            self.withdraw(connection_id, &entries, &holder, holder_now.as_ref()).await?;
        }
        Ok(entries.len() as u64)
    }

    /// Erases the history and the events of whoever had the account before it passed to the user of this entry.
    async fn erase_earlier_owner(&self, connection_id: ObjectId, entry: &Document) -> Result<()> {
        let earlier = doc! {
            "connectionId": connection_id,
            "at": { "$lte": entry.get("at") },
            "userId": { "$ne": entry.get("userId") },
        };
        tokio::try_join!(self.events.delete_many(earlier.clone()), self.history.delete_many(earlier))?;
        Ok(())
    }

    /// Takes back what `before` was to see and `now` (`None`: the document is gone) is not.
    async fn withdraw(
        &self,
        connection_id: ObjectId,
        entries: &[&Document],
        before: &Holder,
        now: Option<&Holder>,
    ) -> Result<()> {
        let ids = |lost: &dyn Fn(&Document) -> bool| -> Vec<String> {
            entries.iter().filter(|entry| lost(entry)).filter_map(|entry| text(entry, "id")).collect()
        };
        let unseen = ids(&|entry| before.sees(entry) && !now.is_some_and(|now| now.sees(entry)));
        // What an erasure tells of itself outlives the document.
        let untold = ids(&|entry| {
            before.erasure_event.is_none() && before.tells(entry) && !now.is_some_and(|now| now.tells(entry))
        });
        tokio::try_join!(
            self.events.delete_many(doc! { "_id": { "$in": &unseen } }),
            self.history.delete_many(doc! { "connectionId": connection_id, "eventId": { "$in": &unseen } }),
            self.deliveries.delete_many(doc! { "connectionId": connection_id, "eventId": { "$in": untold } }),
        )?;
        Ok(())
    }

    /// The first point of a day under the day's id, the others under their time's.
    async fn insert_points(&self, connection_id: ObjectId, entries: &[&Document]) -> Result<()> {
        for entry in entries {
            let (Ok(counts), Some(at)) = (entry.get_document("counts"), time(entry, "at")) else { continue };
            let point = doc! {
                "connectionId": connection_id,
                "userId": entry.get("userId"),
                "eventId": entry.get("id"),
                "at": date(at),
                "followersCount": counts.get("followersCount"),
                "followsCount": counts.get("followsCount"),
                "mediaCount": counts.get("mediaCount"),
            };
            let day = at.strftime("%Y-%m-%d");
            let first = self
                .history
                .find_one_and_update(
                    doc! { "_id": format!("{connection_id}:{day}") },
                    doc! { "$setOnInsert": point.clone() },
                )
                .upsert(true)
                .return_document(ReturnDocument::After)
                .await;
            let first = match first {
                Ok(first) => first,
                // Another process was faster.
                Err(error) if is_duplicate_key(&error) => None,
                Err(error) => return Err(error),
            };
            if first.is_some_and(|first| time(&first, "at") == Some(at)) {
                continue;
            }
            let mut point = point;
            point.insert("_id", format!("{connection_id}:{}", at.as_millisecond()));
            point.insert("expiresAt", date(later(at, HISTORY_DETAIL)));
            insert_new(&self.history, vec![point]).await?;
        }
        Ok(())
    }

    /// Finishes an erasure that has begun: the document goes last, so that one which died half-way is found again.
    pub(super) async fn finish_erasure(&self, document: &Document) -> Result<()> {
        let Ok(connection_id) = document.get_object_id("_id") else { return Ok(()) };
        let erasure_event = text(document, "erasureEvent");
        self.settle(document, |id| Some(id) == erasure_event.as_deref()).await?;
        for owned in SHOWN.iter().chain(&DELIVERIES) {
            let others = doc! { owned.field: connection_id, "eventId": { "$ne": &erasure_event } };
            self.database.collection::<Document>(owned.kept_in).delete_many(others).await?;
        }
        let erased = doc! { "_id": connection_id, "erasingSince": { "$exists": true } };
        if self.connections.delete_one(erased).await?.deleted_count == 1 {
            return Ok(());
        }
        // Another process may have finished it at the same moment. If not, it is not erased, and must not be called so.
        match self.connections.find_one(doc! { "_id": connection_id }).await? {
            None => Ok(()),
            Some(_) => Err(io::Error::new(io::ErrorKind::WouldBlock, "a connection was not erased").into()),
        }
    }

    /// Settles what has waited since `until` or longer. Returns how many entries there were. A document that cannot be settled
    /// does not keep the others.
    async fn settle_waiting(&self, until: Timestamp) -> Result<u64> {
        let waiting = self.connections.find(doc! { "outbox.at": { "$lte": date(until) } });
        let mut waiting = waiting.batch_size(SETTLE_BATCH).await?;
        let (mut settled, mut passed_over) = (0, 0);
        while let Some(document) = waiting.try_next().await? {
            match self.settle(&document, |_| true).await {
                Ok(entries) => {
                    settled += entries;
                    passed_over += usize::from(entries == 0);
                }
                Err(error) if may_pass(&error) => return Err(error),
                Err(_) => passed_over += 1,
            }
        }
        warn_of(passed_over);
        Ok(settled)
    }
}

impl Holder {
    fn of(document: &Document) -> Self {
        let erasing = time(document, "erasingSince").is_some();
        Self {
            user_id: text(document, "userId"),
            erasure_event: erasing.then(|| text(document, "erasureEvent").unwrap_or_default()),
        }
    }

    /// Whether an entry belongs in the events and the history.
    fn sees(&self, entry: &Document) -> bool {
        self.erasure_event.is_none() && text(entry, "userId") == self.user_id
    }

    /// Whether the receivers are to be told of an entry.
    fn tells(&self, entry: &Document) -> bool {
        self.erasure_event.is_none() || text(entry, "id") == self.erasure_event
    }
}

impl MongoStore {
    /// Settles entries of a document that has just been changed. What cannot be settled now is settled later: the change
    /// itself is stored.
    pub(super) async fn settle(&self, document: &Document, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let (outbox, document) = (self.outbox.clone(), document.clone());
        let settle =
            async move { outbox.settle(&document, |id| ids.iter().any(|wanted| wanted == id)).await };
        let _ = self.operations.run_within(SETTLE_PATIENCE, settle).await;
    }

    pub(super) async fn settle_waiting(
        &self,
        older_than: SignedDuration,
        now: Timestamp,
    ) -> StoreResult<u64> {
        let outbox = self.outbox.clone();
        let settle = async move { outbox.settle_waiting(earlier(now, older_than)).await };
        self.operations.run_slow(settle).await
    }
}

/// The expression that an event is in the outbox. `user_id`: whose connection it is, as an expression, too.
pub(super) fn entry(event: &NewEvent, user_id: impl Into<Bson>, now: Timestamp) -> Document {
    doc! {
        "id": literal(&event.id),
        "kind": literal(&event.kind),
        "at": date(now),
        "succeeded": event.succeeded,
        "message": literal(&event.message),
        "expiresAt": event.expires_at.map(date),
        "notify": literal(event.notify.clone()),
        "userId": user_id.into(),
        "instagramUserId": "$instagramUserId",
    }
}

/// The counts of a profile, for an entry that adds a point to the history.
pub(super) fn counts(profile: &Profile) -> Bson {
    let counts = doc! {
        "followersCount": fields::number(profile.followers_count),
        "followsCount": fields::number(profile.follows_count),
        "mediaCount": fields::number(profile.media_count),
    };
    literal(counts)
}

/// The expression for the outbox with more entries.
pub(super) fn with_entries(entries: Vec<Document>) -> Document {
    doc! { "$concatArrays": [list("$outbox"), entries] }
}

/// The expression for a field that is a list, or an empty one where it is not.
pub(super) fn list(field: &str) -> Document {
    doc! { "$cond": [{ "$isArray": field }, field, []] }
}

fn event(connection_id: ObjectId, entry: &Document) -> Document {
    let mut event = doc! {
        "_id": entry.get("id"),
        "connectionId": connection_id,
        "userId": entry.get("userId"),
        "kind": entry.get("kind"),
        "at": entry.get("at"),
        "succeeded": entry.get("succeeded"),
        "message": entry.get("message"),
    };
    // Without the field, the TTL index leaves the document alone.
    if let Some(expires_at) = time(entry, "expiresAt") {
        event.insert("expiresAt", date(expires_at));
    }
    event
}

fn deliveries(connection_id: ObjectId, entry: &Document) -> Vec<Document> {
    let (Some(id), Some(at)) = (text(entry, "id"), time(entry, "at")) else { return Vec::new() };
    let delivery = |receiver: &String| {
        doc! {
            "_id": delivery_id(&id, receiver),
            "eventId": &id,
            "receiver": receiver,
            "kind": entry.get("kind"),
            "at": date(at),
            "connectionId": connection_id,
            "userId": entry.get("userId"),
            "instagramUserId": entry.get("instagramUserId"),
            "attempts": 0,
            "dueAt": date(at),
            "expiresAt": date(later(at, DELIVERY_LIFE)),
        }
    };
    texts(entry, "notify").iter().map(delivery).collect()
}

/// The id of a delivery's document.
pub(super) fn delivery_id(event_id: &str, receiver: &str) -> String {
    format!("{event_id}:{receiver}")
}

/// Inserts the documents whose ids are not there yet.
async fn insert_new(collection: &Collection<Document>, documents: Vec<Document>) -> Result<()> {
    if documents.is_empty() {
        return Ok(());
    }
    match collection.insert_many(documents).ordered(false).await {
        Err(error) if !all_duplicates(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether nothing else went wrong than that documents were there already.
fn all_duplicates(error: &Error) -> bool {
    let ErrorKind::InsertMany(failure) = &*error.kind else { return false };
    let refused = failure.write_errors.as_deref().unwrap_or_default();
    failure.write_concern_error.is_none()
        && !refused.is_empty()
        && refused.iter().all(|error| error.code == DUPLICATE_KEY)
}
