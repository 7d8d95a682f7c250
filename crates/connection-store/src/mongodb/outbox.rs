//! The outbox: how a change and what it leads to are stored together without transactions, which a standalone
//! server does not have.
//!
//! The update that changes a document also appends what has to be written elsewhere, an event, its deliveries, a
//! point of the history, to the array `outbox` of that document. Right after, the entries are settled: written to
//! their collections under ids of their own, so that writing them twice is writing them once, and taken off the
//! array. Where the process dies in between, [`settle_events`](crate::Events::settle_events) finds the document and
//! settles them later.
//!
//! The array is bounded. An update that it has no room for changes nothing: the document is settled first, and then
//! changed. While it cannot be settled, the change is unavailable.
//!
//! A process that dies after it has made a delivery and before it has taken the entry off leaves one that is made
//! again later, even if it has arrived meanwhile: deliveries come at least once.

use std::io;
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::error::{Error, ErrorKind, Result};
use mongodb::options::ReturnDocument;
use mongodb::{Collection, Database};

use super::error::{DUPLICATE_KEY, is_duplicate_key, may_pass, or_applied};
use super::fields::{self, text, texts, time};
use super::operation::{Operations, in_time};
use super::reading::warn_of;
use super::{date, literal};
use crate::erasure::{DELIVERIES, SHOWN};
use crate::events::DELIVERY_LIFE;
use crate::times::later;
use crate::{HISTORY_DETAIL, NewEvent, Profile, StoreResult};

/// Time for which a call whose change is stored waits for the rest. More is of no use: a job does it too.
const SETTLE_PATIENCE: Duration = Duration::from_secs(2);

/// Number of documents to settle that are read at once.
const SETTLE_BATCH: u32 = 100;

/// Limits the entries of an outbox. An entry has a few kilobytes at most, and a document 16 MB.
const MOST_ENTRIES: usize = 100;

/// Limits the attempts of a change while others fill the same outbox.
const CHANGE_ATTEMPTS: u32 = 10;

/// The outbox of a kind of subject: the collection whose documents have one, and the collections that the entries
/// go to. Each document says whose it is (`userId`), and while it is erased `erasingSince` and `erasureEvent`.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    database: Database,
    documents: Collection<Document>,
    /// The field by which events, deliveries and points name the document.
    named_by: &'static str,
    /// Lists the fields that events, deliveries and points of the collection have besides.
    says: Document,
    /// Fields of the document that its entries and deliveries repeat.
    repeats: Vec<&'static str>,
    pub(super) events: Collection<Document>,
    pub(super) deliveries: Collection<Document>,
    pub(super) history: Collection<Document>,
}

/// An event on its way into an outbox.
pub(super) struct Entry {
    id: String,
    /// The appended document, as an expression over the changed one as it was before the change.
    pub(super) fields: Document,
}

/// The part of a document that says who may see its entries.
#[derive(PartialEq, Eq)]
struct Holder {
    user_id: Option<String>,
    /// While it is being erased: the event that is to be told all the same.
    erasure_event: Option<String>,
}

impl Outbox {
    /// Returns the outbox of the documents of a collection.
    pub(super) fn of(database: &Database, collection: &str, named_by: &'static str) -> Self {
        Self {
            database: database.clone(),
            documents: database.collection(collection),
            named_by,
            says: Document::new(),
            repeats: Vec::new(),
            events: database.collection("connection_events"),
            deliveries: database.collection("webhook_deliveries"),
            history: database.collection("connection_history"),
        }
    }

    /// Lets all that is written say so much besides, and entries and deliveries repeat fields of the document.
    pub(super) fn saying(self, says: Document, repeats: Vec<&'static str>) -> Self {
        Self { says, repeats, ..self }
    }

    /// Makes the entry of an event. Whose it is, the document says.
    pub(super) fn entry(&self, event: &NewEvent, now: Timestamp) -> Entry {
        let mut fields = doc! {
            "id": literal(&event.id),
            "kind": literal(&event.kind),
            "at": date(now),
            "succeeded": event.succeeded,
            "message": literal(&event.message),
            "expiresAt": event.expires_at.map(date),
            "notify": literal(event.notify.clone()),
            "userId": "$userId",
        };
        fields.extend(self.repeats.iter().map(|field| ((*field).to_owned(), format!("${field}").into())));
        Entry { id: event.id.clone(), fields }
    }

    /// Changes the one document that matches, and puts entries into its outbox: both or neither.
    async fn change(
        &self,
        filter: Document,
        mut fields: Document,
        entries: Vec<Entry>,
    ) -> Result<Option<Document>> {
        let count = entries.len();
        // The change that put its entry into the outbox is this one.
        let own = entries.first().map(|entry| doc! { "_id": filter.get("_id"), "outbox.id": &entry.id });
        if count > 0 {
            fields.insert("outbox", with_entries(entries));
        }
        let (matching, update) = (with_room(filter.clone(), count), vec![doc! { "$set": fields }]);
        for _ in 0..CHANGE_ATTEMPTS {
            in_time()?;
            let changed = self.documents.find_one_and_update(matching.clone(), update.clone());
            let changed = changed.return_document(ReturnDocument::After).await;
            let Some(own) = own.clone() else { return changed };
            let look = async { Ok(self.documents.find_one(own).await?.map(Some)) };
            if let Some(changed) = or_applied(changed, look).await? {
                return Ok(Some(changed));
            }
            let Some(there) = self.documents.find_one(filter.clone()).await? else { return Ok(None) };
            self.make_room(&there, count).await?;
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "too many changes of one document at once").into())
    }

    /// Settles a document whose outbox has no room for so many entries more. Fails for the time being where that
    /// fails: nothing is lost, and the change can be tried again.
    pub(super) async fn make_room(&self, document: &Document, entries: usize) -> Result<()> {
        if document.get_array("outbox").is_ok_and(|outbox| outbox.len() + entries > MOST_ENTRIES) {
            let settled = self.settle(document, |_| true).await;
            settled.map_err(|error| io::Error::new(io::ErrorKind::WouldBlock, error))?;
        }
        Ok(())
    }

    /// Settles the entries with these ids that a document has. Returns how many there were.
    async fn settle(&self, document: &Document, wanted: impl Fn(&str) -> bool) -> Result<u64> {
        let (Some(id), Ok(outbox)) = (document.get("_id"), document.get_array("outbox")) else {
            return Ok(0);
        };
        let entries = outbox.iter().filter_map(Bson::as_document);
        let entries: Vec<&Document> =
            entries.filter(|entry| text(entry, "id").is_some_and(|id| wanted(&id))).collect();
        if entries.is_empty() {
            return Ok(0);
        }
        for entry in entries.iter().filter(|entry| entry.get_bool("passesOn").unwrap_or(false)) {
            let of_others = doc! { "$ne": entry.get("userId") };
            let earlier = doc! { self.named_by: id, "at": { "$lte": entry.get("at") }, "userId": of_others };
            tokio::try_join!(self.events.delete_many(earlier.clone()), self.history.delete_many(earlier))?;
        }
        let holder = Holder::of(document);
        let seen: Vec<_> = entries.iter().copied().filter(|entry| holder.sees(entry)).collect();
        let told = entries.iter().copied().filter(|entry| holder.tells(entry));
        let told: Vec<_> = told.flat_map(|entry| self.deliveries_of(id, entry)).collect();
        tokio::try_join!(
            insert_new(&self.events, seen.iter().map(|entry| self.event(id, entry)).collect()),
            insert_new(&self.deliveries, told),
            self.insert_points(id, &seen),
        )?;
        let ids: Vec<String> = entries.iter().filter_map(|entry| text(entry, "id")).collect();
        let settled = self
            .documents
            .find_one_and_update(doc! { "_id": id }, doc! { "$pull": { "outbox": { "id": { "$in": ids } } } })
            .projection(doc! { "userId": 1, "erasingSince": 1, "erasureEvent": 1 })
            .return_document(ReturnDocument::After)
            .await?;
        // The account may have passed on or been erased since the change: then what was just written came too late to be
        // erased with the rest.
        let holder_now = settled.as_ref().map_or(Holder::GONE, Holder::of);
        if holder_now != holder {
            self.withdraw(id, &entries, &holder, &holder_now).await?;
        }
        Ok(entries.len() as u64)
    }

    /// Takes back what `before` was to see and `now` is not.
    async fn withdraw(&self, id: &Bson, entries: &[&Document], before: &Holder, now: &Holder) -> Result<()> {
        let ids = |is_lost: &dyn Fn(&Document) -> bool| -> Vec<String> {
            entries.iter().filter(|entry| is_lost(entry)).filter_map(|entry| text(entry, "id")).collect()
        };
        let unseen = ids(&|entry| before.sees(entry) && !now.sees(entry));
        // The deliveries of an erasure's own event outlive the document.
        let untold = ids(&|entry| before.erasure_event.is_none() && !now.tells(entry));
        tokio::try_join!(
            self.events.delete_many(doc! { "_id": { "$in": &unseen } }),
            self.history.delete_many(doc! { self.named_by: id, "eventId": { "$in": &unseen } }),
            self.deliveries.delete_many(doc! { self.named_by: id, "eventId": { "$in": untold } }),
        )?;
        Ok(())
    }

    /// Inserts the points of the entries: the first one of a day under the day's id, others under their time's.
    async fn insert_points(&self, id: &Bson, entries: &[&Document]) -> Result<()> {
        let name = id.as_object_id().map_or_else(|| id.to_string(), ObjectId::to_hex);
        for entry in entries {
            let (Ok(counts), Some(at)) = (entry.get_document("counts"), time(entry, "at")) else { continue };
            let mut point = doc! {
                self.named_by: id,
                "userId": entry.get("userId"),
                "eventId": entry.get("id"),
                "at": date(at),
                "followersCount": counts.get("followersCount"),
                "followsCount": counts.get("followsCount"),
                "mediaCount": counts.get("mediaCount"),
            };
            point.extend(self.says.clone());
            let day = doc! { "_id": format!("{name}:{}", at.strftime("%Y-%m-%d")) };
            let first = self.history.find_one_and_update(day, doc! { "$setOnInsert": point.clone() });
            let first = match first.upsert(true).return_document(ReturnDocument::After).await {
                Ok(first) => first,
                // Another process was faster.
                Err(error) if is_duplicate_key(&error) => None,
                Err(error) => return Err(error),
            };
            if first.is_some_and(|first| time(&first, "at") == Some(at)) {
                continue;
            }
            point.insert("_id", format!("{name}:{}", at.as_millisecond()));
            point.insert("expiresAt", date(later(at, HISTORY_DETAIL)));
            insert_new(&self.history, vec![point]).await?;
        }
        Ok(())
    }

    /// Finishes an erasure that has begun: the document goes last, so that one that died half-way is found again.
    pub(super) async fn finish_erasure(&self, document: &Document) -> Result<()> {
        let Some(id) = document.get("_id") else { return Ok(()) };
        let erasure_event = text(document, "erasureEvent");
        self.settle(document, |id| Some(id) == erasure_event.as_deref()).await?;
        for owned in &SHOWN {
            self.database.collection::<Document>(owned.kept_in).delete_many(doc! { owned.field: id }).await?;
        }
        // The host still hears of the erasure.
        for owned in &DELIVERIES {
            let others = doc! { owned.field: id, "eventId": { "$ne": &erasure_event } };
            self.database.collection::<Document>(owned.kept_in).delete_many(others).await?;
        }
        let erased = doc! { "_id": id, "erasingSince": { "$exists": true } };
        if self.documents.delete_one(erased).await?.deleted_count == 1 {
            return Ok(());
        }
        // Another process may have finished it at the same moment. If not, it is not erased, and must not be called so.
        match self.documents.find_one(doc! { "_id": id }).await? {
            None => Ok(()),
            Some(_) => Err(io::Error::new(io::ErrorKind::WouldBlock, "a document was not erased").into()),
        }
    }

    /// Settles what has waited since `until` or longer. Returns how many entries there were. A document that cannot be settled
    /// does not keep the others.
    pub(super) async fn settle_waiting(&self, until: Timestamp) -> Result<u64> {
        let waiting = self.documents.find(doc! { "outbox.at": { "$lte": date(until) } });
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

    fn event(&self, id: &Bson, entry: &Document) -> Document {
        let mut event = doc! {
            "_id": entry.get("id"),
            self.named_by: id,
            "userId": entry.get("userId"),
            "kind": entry.get("kind"),
            "at": entry.get("at"),
            "succeeded": entry.get("succeeded"),
            "message": entry.get("message"),
        };
        event.extend(self.says.clone());
        // Without the field, the TTL index leaves the document alone.
        if let Some(expires_at) = time(entry, "expiresAt") {
            event.insert("expiresAt", date(expires_at));
        }
        event
    }

    fn deliveries_of(&self, id: &Bson, entry: &Document) -> Vec<Document> {
        let (Some(event_id), Some(at)) = (text(entry, "id"), time(entry, "at")) else { return Vec::new() };
        let delivery = |receiver: &String| {
            let mut delivery = doc! {
                "_id": delivery_id(&event_id, receiver),
                "eventId": &event_id,
                "receiver": receiver,
                "kind": entry.get("kind"),
                "at": date(at),
                self.named_by: id,
                "userId": entry.get("userId"),
                "attempts": 0,
                "dueAt": date(at),
                "expiresAt": date(later(at, DELIVERY_LIFE)),
            };
            delivery.extend(self.says.clone());
            let repeated = self.repeats.iter().filter_map(|field| Some((*field, entry.get(field)?.clone())));
            delivery.extend(repeated.map(|(field, value)| (field.to_owned(), value)));
            delivery
        };
        texts(entry, "notify").iter().map(delivery).collect()
    }
}

impl Holder {
    /// Of a document that is erased: sees nothing and is told nothing.
    const GONE: Self = Self { user_id: None, erasure_event: Some(String::new()) };

    fn of(document: &Document) -> Self {
        let erasing = time(document, "erasingSince").is_some();
        Self {
            user_id: text(document, "userId"),
            erasure_event: erasing.then(|| text(document, "erasureEvent").unwrap_or_default()),
        }
    }

    /// Tells whether an entry belongs in the events and the history.
    fn sees(&self, entry: &Document) -> bool {
        self.erasure_event.is_none() && text(entry, "userId") == self.user_id
    }

    /// Tells whether the receivers are to be notified of an entry.
    fn tells(&self, entry: &Document) -> bool {
        self.erasure_event.is_none() || text(entry, "id") == self.erasure_event
    }
}

impl Operations {
    /// Sets fields, which are expressions, of the one document that matches, and tells the events of it: both or
    /// neither. Returns the document as it is stored then; `None` when none matches.
    pub(super) async fn change(
        &self,
        outbox: &Outbox,
        filter: Document,
        fields: Document,
        events: &[NewEvent],
        now: Timestamp,
    ) -> StoreResult<Option<Document>> {
        let entries = events.iter().map(|event| outbox.entry(event, now)).collect();
        self.change_with(outbox, filter, fields, entries).await
    }

    /// As [`change`](Self::change), with entries that say more than their events.
    pub(super) async fn change_with(
        &self,
        outbox: &Outbox,
        filter: Document,
        fields: Document,
        entries: Vec<Entry>,
    ) -> StoreResult<Option<Document>> {
        let ids = entries.iter().map(|entry| entry.id.clone()).collect();
        let changing = outbox.clone();
        let change = async move { changing.change(filter, fields, entries).await };
        let changed = self.run(change).await?;
        if let Some(document) = &changed {
            self.settle(outbox, document, ids).await;
        }
        Ok(changed)
    }

    /// Settles entries of a document that has just been changed. What cannot be settled now is settled later: the
    /// change itself is stored.
    pub(super) async fn settle(&self, outbox: &Outbox, document: &Document, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let (outbox, document) = (outbox.clone(), document.clone());
        let settle =
            async move { outbox.settle(&document, |id| ids.iter().any(|wanted| wanted == id)).await };
        let _ = self.run_within(SETTLE_PATIENCE, settle).await;
    }
}

impl Entry {
    /// Adds a point to the history.
    pub(super) fn with_counts(mut self, profile: &Profile) -> Self {
        let counts = doc! {
            "followersCount": fields::number(profile.followers_count),
            "followsCount": fields::number(profile.follows_count),
            "mediaCount": fields::number(profile.media_count),
        };
        self.fields.insert("counts", literal(counts));
        self
    }
}

/// Narrows a filter to documents whose outbox has room for so many entries more.
pub(super) fn with_room(mut filter: Document, entries: usize) -> Document {
    if entries > 0 {
        let last = MOST_ENTRIES.saturating_sub(entries);
        filter.insert(format!("outbox.{last}"), doc! { "$exists": false });
    }
    filter
}

/// The expression for the outbox with more entries.
pub(super) fn with_entries(entries: Vec<Entry>) -> Document {
    let entries: Vec<Document> = entries.into_iter().map(|entry| entry.fields).collect();
    doc! { "$concatArrays": [list("$outbox"), entries] }
}

/// The expression for a field that is a list, or an empty one where it is not.
pub(super) fn list(field: &str) -> Document {
    doc! { "$cond": [{ "$isArray": field }, field, []] }
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

/// Tells whether nothing else went wrong than that documents were there already.
fn all_duplicates(error: &Error) -> bool {
    let ErrorKind::InsertMany(failure) = &*error.kind else { return false };
    let refused = failure.write_errors.as_deref().unwrap_or_default();
    failure.write_concern_error.is_none()
        && !refused.is_empty()
        && refused.iter().all(|error| error.code == DUPLICATE_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mongodb::MongoStore;
    use crate::test_support::{MongoServer, now};

    fn event(id: &str) -> NewEvent {
        NewEvent {
            id: id.to_owned(),
            kind: "published".to_owned(),
            succeeded: true,
            message: "It was published.".to_owned(),
            expires_at: None,
            notify: vec!["a".to_owned()],
        }
    }

    /// Posts are made up. All that they need of their own is in the first line and in the call of `change`.
    #[tokio::test]
    async fn another_subject_tells_its_events_by_the_same_means() {
        let server = MongoServer::shared();
        let store = MongoStore::connect(&server.fresh_database_url()).await.unwrap();
        let (posts, now) = (Outbox::of(&store.database, "posts", "postId"), now());
        let draft = doc! { "_id": "post-1", "userId": "ann", "status": "draft" };
        posts.documents.insert_one(&draft).await.unwrap();

        let publish = async || {
            let fields = doc! { "status": "published" };
            store.operations.change(&posts, draft.clone(), fields, &[event("e1")], now).await.unwrap()
        };
        assert_eq!(publish().await.unwrap().get_str("status").unwrap(), "published");
        assert_eq!(publish().await, None, "it is published once");
        // As a process leaves it that dies right after a change.
        let left = doc! { "outbox": with_entries(vec![posts.entry(&event("e2"), now)]) };
        posts.documents.update_one(doc! {}, vec![doc! { "$set": left }]).await.unwrap();
        assert_eq!(posts.settle_waiting(now).await.unwrap(), 1);

        for collection in [&posts.events, &posts.deliveries] {
            let of_post = doc! { "postId": "post-1", "userId": "ann" };
            assert_eq!(collection.count_documents(of_post).await.unwrap(), 2);
        }
        let post = posts.documents.find_one(doc! {}).await.unwrap().unwrap();
        assert_eq!(post.get_array("outbox").unwrap().len(), 0);
    }
}
