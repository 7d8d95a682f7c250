//! Saving connections, and which one of a user's is in use.
//!
//! In use is the active one with the latest `selectedAt`; where none has one, the one that was connected last. A selection is
//! later than the one before it, whatever the clocks say, and then the others' are taken off by a second command. A process
//! that dies in between leaves a selection too many: the right one is in use, and when that one ends, the one that was
//! selected before it takes its place instead of the one that was connected last. The next selection takes both off.

use std::io;

use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::error::Result;
use mongodb::options::ReturnDocument;

use super::connections::Connections;
use super::date;
use super::error::is_duplicate_key;
use super::fields::{text, time};
use super::operation::in_time;
use super::outbox;
use crate::times::{TICK, later};

/// Limits the attempts of a save while others create, disconnect and take over the same account. Each failed
/// attempt means that another save or disconnect went through in between.
const UPSERT_ATTEMPTS: u32 = 10;

impl Connections {
    /// The order of a user's connections: the one in use, then the one that was saved last. What is unset comes last.
    pub(super) fn current_first() -> Document {
        doc! { "selectedAt": -1, "lastConnectedAt": -1, "_id": -1 }
    }

    /// Returns the user's connection in use.
    pub(super) async fn current(&self, user_id: &str) -> Result<Option<Document>> {
        let active = doc! { "userId": user_id, "isActive": true };
        self.collection.find_one(active).sort(Self::current_first()).await
    }

    /// Makes an active connection of the user the one in use. Returns it as it is stored then; `None` when there is none.
    pub(super) async fn select(
        &self,
        id: ObjectId,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Option<Document>> {
        let at = next_selection(self.current(user_id).await?.as_ref(), now);
        in_time()?;
        let wanted = doc! { "_id": id, "userId": user_id, "isActive": true };
        let selected =
            self.collection.find_one_and_update(wanted, doc! { "$set": { "selectedAt": date(at) } });
        let selected = selected.return_document(ReturnDocument::After).await?;
        if let Some(document) = &selected {
            self.unselect_others(document, at).await;
        }
        Ok(selected)
    }

    /// Saves the user's connection of an account: sets `fields`, which are expressions. Returns the document as it is stored
    /// then; `None` when the account is active under another user.
    pub(super) async fn save(
        &self,
        account: &str,
        user_id: &str,
        mut fields: Document,
        now: Timestamp,
    ) -> Result<Option<Document>> {
        let mut current = self.current(user_id).await?;
        if let Some(current) = &mut current
            && time(current, "selectedAt").is_none()
            && text(current, self.kind.account_id).as_deref() != Some(account)
        {
            // It is in use only because it was connected last. To connect another one again must not change that.
            let at = date(time(current, "lastConnectedAt").unwrap_or(Timestamp::UNIX_EPOCH));
            let same = doc! {
                "_id": current.get("_id"), "userId": user_id, "isActive": true, "selectedAt": Bson::Null,
            };
            in_time()?;
            self.collection.update_one(same, doc! { "$set": { "selectedAt": at } }).await?;
            current.insert("selectedAt", at);
        }
        let at = next_selection(current.as_ref(), now);
        let was_connected = doc! { "$and": [
            { "$eq": ["$userId", fields.get("userId")] },
            { "$eq": ["$isActive", true] },
        ]};
        let kept = doc! { "$ifNull": ["$selectedAt", null] };
        fields.insert("selectedAt", doc! { "$cond": [was_connected, kept, date(at)] });
        let saved = self.upsert(account, user_id, vec![doc! { "$set": fields }]).await?;
        let selected = saved.as_ref().filter(|document| time(document, "selectedAt") == Some(at));
        // A first connection has no others.
        if let (Some(document), Some(_)) = (selected, current) {
            self.unselect_others(document, at).await;
        }
        Ok(saved)
    }

    /// Leaves a connection as the only one of its user that is selected, but for one that was selected after it. Where that
    /// fails, the connection is in use all the same.
    async fn unselect_others(&self, selected: &Document, at: Timestamp) {
        let others = doc! {
            "userId": selected.get("userId"),
            "isActive": true,
            "_id": { "$ne": selected.get("_id") },
            "selectedAt": { "$lt": date(at) },
        };
        let _ = self.collection.update_many(others, doc! { "$unset": { "selectedAt": "" } }).await;
    }

    /// The stored document after the update; `None` when the account is active under another user.
    ///
    /// If the user has no document of the account, MongoDB inserts one, and the unique index refuses it where the account has
    /// a document. That document may be another user's, one that a save of the same user at the same time has just made, or
    /// one whose erasure has begun or whose outbox is full: so it is looked at before anybody is told that the account is in
    /// use.
    async fn upsert(&self, account: &str, user_id: &str, update: Vec<Document>) -> Result<Option<Document>> {
        let connections = &self.collection;
        let of_account = doc! { self.kind.account_id: account };
        let mut kept = of_account.clone();
        kept.insert("erasingSince", doc! { "$exists": false });
        let kept = outbox::with_room(kept, 1);
        let (mut own, mut left) = (kept.clone(), kept);
        own.insert("userId", user_id);
        left.insert("isActive", false);
        for _ in 0..UPSERT_ATTEMPTS {
            in_time()?;
            let saved = connections
                .find_one_and_update(own.clone(), update.clone())
                .upsert(true)
                .return_document(ReturnDocument::After)
                .await;
            match saved {
                Ok(Some(saved)) => return Ok(Some(saved)),
                // MongoDB always returns the document of an upsert; SecantusDB 0.7 does not where it lost a race to insert it.
                Ok(None) => {}
                Err(error) if is_duplicate_key(&error) => {}
                Err(error) => return Err(error),
            }
            let taken_over = connections.find_one_and_update(left.clone(), update.clone());
            if let Some(taken_over) = taken_over.return_document(ReturnDocument::After).await? {
                return Ok(Some(taken_over));
            }
            let Some(there) = connections.find_one(of_account.clone()).await? else { continue };
            if there.contains_key("erasingSince") {
                // A document that is being erased does not come back: it is erased to the end, and the account
                // starts anew.
                self.outbox.finish_erasure(&there).await?;
            } else if text(&there, "userId").as_deref() != Some(user_id)
                && there.get_bool("isActive").unwrap_or(true)
            {
                return Ok(None);
            } else {
                self.outbox.make_room(&there, 1).await?;
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "too many changes of one account at once").into())
    }
}

/// Returns the time of a selection that comes after that of the connection in use.
fn next_selection(current: Option<&Document>, now: Timestamp) -> Timestamp {
    let before = current.and_then(|current| time(current, "selectedAt"));
    before.map_or(now, |before| now.max(later(before, TICK)))
}
