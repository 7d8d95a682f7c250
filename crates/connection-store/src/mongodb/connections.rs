//! Connected Instagram accounts in MongoDB: the architecture document's collection.
//!
//! `{ $not: { $gt: time } }` is how a filter asks for what is over or was never set: a comparison alone passes over what is
//! unset. What finds a document comes first in a filter, and no `$or` stands beside it: MongoDB does not mind, SecantusDB does.

use std::collections::BTreeMap;
use std::io;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::options::{Hint, ReturnDocument};

use super::claims::Claim;
use super::error::{is_duplicate_key, or_applied};
use super::fields::{self, count, required_text, text, texts, time};
use super::operation::in_time;
use super::outbox::{self, Entry, Outbox};
use super::reading::{Wanted, readable};
use super::{MongoStore, date, literal};
use crate::connections::key_id;
use crate::{
    Connection, ConnectionFilter, Connections, Health, KeyUse, NewConnection, NewEvent, NextAttempt, Profile,
    RefreshedToken, SaveOutcome, SealedToken, StoreResult,
};

/// Limits the attempts of a save while others create, disconnect and take over the same account. Each failed
/// attempt means that another save or disconnect went through in between.
const UPSERT_ATTEMPTS: u32 = 10;

/// The fields of a kind of work that is claimed.
struct Work {
    /// The name of the last claim.
    claim: &'static str,
    lease_until: &'static str,
    not_before: &'static str,
    failures: &'static str,
    /// Field by which the documents are sorted: the least of it first.
    order: &'static str,
}

const REFRESH: Work = Work {
    claim: "refreshClaim",
    lease_until: "refreshLeaseUntil",
    not_before: "refreshNotBefore",
    failures: "refreshFailures",
    order: "refreshAt",
};

const SYNC: Work = Work {
    claim: "syncClaim",
    lease_until: "syncLeaseUntil",
    not_before: "syncNotBefore",
    failures: "syncFailures",
    order: "lastSyncedAt",
};

#[async_trait]
impl Connections for MongoStore {
    async fn save_connection(
        &self,
        new: NewConnection,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<SaveOutcome> {
        let (account, user_id) = (new.instagram_user_id.clone(), new.user_id.clone());
        let update = vec![doc! { "$set": replacement(new, &event, now) }];
        let outbox = self.outbox.clone();
        let connections = self.connections.clone();
        let save = async move { upsert(&connections, &outbox, &account, &user_id, update).await };
        let Some(document) = self.operations.run(save).await? else { return Ok(SaveOutcome::AccountInUse) };
        self.settle(&self.outbox, &document, vec![event.id]).await;
        Ok(SaveOutcome::Saved(Box::new(connection(&document)?)))
    }

    async fn latest_connection(&self, user_id: &str) -> StoreResult<Option<Connection>> {
        let filter = doc! { "userId": user_id, "isActive": true };
        let connections = self.connections.clone();
        let find = async move { connections.find_one(filter).sort(latest_first()).await };
        self.operations.run(find).await?.map(|document| connection(&document)).transpose()
    }

    async fn connections_of_user(&self, user_id: &str, limit: u32) -> StoreResult<Vec<Connection>> {
        let filter = doc! { "userId": user_id, "isActive": true };
        self.find(Wanted { filter, sort: latest_first(), limit }).await
    }

    async fn connection(&self, id: &str) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let found = self.find_one(&self.connections, doc! { "_id": id }).await?;
        found.map(|document| connection(&document)).transpose()
    }

    async fn connections_of_account(&self, account_id: &str) -> StoreResult<Vec<Connection>> {
        let (professional, app_scoped) = tokio::try_join!(
            self.find_of_account("instagramUserId", account_id),
            self.find_of_account("appScopedUserId", account_id),
        )?;
        let mut found = professional;
        for other in app_scoped {
            if found.iter().all(|connection| connection.id != other.id) {
                found.push(other);
            }
        }
        Ok(found)
    }

    async fn list_connections(&self, filter: ConnectionFilter, limit: u32) -> StoreResult<Vec<Connection>> {
        let mut wanted = Document::new();
        let mut user_id = Document::new();
        if let Some(wanted) = filter.user_id {
            user_id.insert("$eq", wanted);
        }
        if let Some(prefix) = filter.not_of_users {
            user_id.insert("$not", beginning_with(&prefix));
        }
        if !user_id.is_empty() {
            wanted.insert("userId", user_id);
        }
        // A disconnected account has no token, and so no health.
        if !filter.with_inactive || filter.health.is_some() {
            wanted.insert("isActive", true);
        }
        if let Some(health) = filter.health {
            wanted.extend(in_health(health, filter.keys));
        }
        if let Some(after) = filter.after {
            let Ok(after) = ObjectId::parse_str(after) else { return Ok(Vec::new()) };
            wanted.insert("_id", doc! { "$gt": after });
        }
        self.find(Wanted { filter: wanted, sort: doc! { "_id": 1 }, limit }).await
    }

    async fn disconnect(
        &self,
        id: &str,
        user_id: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let filter = doc! { "_id": id, "userId": user_id, "isActive": true };
        let fields =
            doc! { "accessToken": "", "tokenKeyId": null, "isActive": false, "updatedAt": date(now) };
        Ok(self.change(&self.outbox, filter, fields, &[event], now).await?.is_some())
    }

    async fn claim_due_for_refresh(
        &self,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        let due = doc! { "refreshAt": { "$not": { "$gt": date(now) } } };
        self.claim_due(&REFRESH, due, lease_until, limit, now).await
    }

    async fn decide_refresh(
        &self,
        id: &str,
        access_token: &str,
        refresh_at: Timestamp,
        lease: Timestamp,
    ) -> StoreResult<()> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(()) };
        let mut filter = with_token(id, access_token);
        filter.insert(REFRESH.lease_until, date(lease));
        let fields = doc! {
            "refreshAt": date(refresh_at),
            REFRESH.lease_until: null,
            REFRESH.not_before: null,
            REFRESH.failures: 0,
        };
        let connections = self.connections.clone();
        self.operations
            .run(async move { connections.update_one(filter, doc! { "$set": fields }).await })
            .await?;
        Ok(())
    }

    async fn claim_for_refresh(
        &self,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let mut filter = with_token(id, access_token);
        filter.insert("refreshLeaseUntil", doc! { "$not": { "$gt": date(now) } });
        let name = ObjectId::new();
        let update = vec![doc! { "$set": {
            REFRESH.claim: name,
            "refreshLeaseUntil": date(lease_until),
            "refreshFailures": one_more("refreshFailures"),
        }}];
        let connections = self.connections.clone();
        let claim = async move {
            let claimed = connections.update_one(filter, update).await;
            let own = doc! { "_id": id, REFRESH.claim: name };
            let look = async { Ok(connections.find_one(own).await?.map(|_| true)) };
            or_applied(claimed.map(|updated| updated.matched_count == 1), look).await
        };
        self.operations.run(claim).await
    }

    async fn replace_token(
        &self,
        id: &str,
        old_access_token: &str,
        refreshed: RefreshedToken,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let mut fields = doc! {
            "tokenKeyId": literal(key_id(&refreshed.access_token)),
            "accessToken": literal(refreshed.access_token),
            "tokenIssuedAt": date(refreshed.token_issued_at),
            "tokenExpiresAt": date(refreshed.token_expires_at),
            "refreshAt": date(refreshed.refresh_at),
            "lastError": null,
            "refreshLeaseUntil": null,
            "refreshNotBefore": null,
            "refreshFailures": 0,
            "updatedAt": date(now),
        };
        if let Some(scopes) = refreshed.scopes {
            fields.insert("scopes", literal(scopes));
        }
        let mut filter = with_token(id, old_access_token);
        filter.insert("needsReauthorizationSince", Bson::Null);
        let stored = self.change(&self.outbox, filter, fields, &events, now).await?;
        stored.map(|document| connection(&document)).transpose()
    }

    async fn reschedule_refresh(
        &self,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.reschedule(&REFRESH, id, access_token, next, now).await
    }

    async fn release_refreshes(
        &self,
        ids: &[&str],
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.release(&REFRESH, ids, lease_until, now).await
    }

    async fn first_due_for_refresh(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let filter = doc! {
            "refreshAt": { "$lte": date(now) },
            "isActive": true,
            "needsReauthorizationSince": null,
        };
        let connections = self.connections.clone();
        let find = async move {
            let first = connections.find_one(filter).sort(doc! { "refreshAt": 1 });
            first.projection(doc! { "refreshAt": 1 }).await
        };
        Ok(self.operations.run(find).await?.and_then(|document| time(&document, "refreshAt")))
    }

    async fn claim_due_for_sync(
        &self,
        synced_by: Timestamp,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        let due = doc! { "lastSyncedAt": { "$not": { "$gt": date(synced_by) } } };
        self.claim_due(&SYNC, due, lease_until, limit, now).await
    }

    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        profile: Profile,
        granted_scope: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let filter = doc! { "_id": id, "userId": user_id, "isActive": true };
        let entry = Entry::of(&event, now).with_counts(&profile);
        let scopes = outbox::list("$scopes");
        let added = doc! { "$concatArrays": [scopes.clone(), [literal(granted_scope)]] };
        let fields = doc! {
            "profile": literal(profile_document(profile)),
            "scopes": { "$cond": [{ "$in": [literal(granted_scope), scopes.clone()] }, scopes, added] },
            "lastSyncedAt": date(now),
            "syncLeaseUntil": null,
            "syncNotBefore": null,
            "syncFailures": 0,
            "updatedAt": date(now),
        };
        let stored = self.change_with(&self.outbox, filter, fields, vec![entry]).await?;
        stored.map(|document| connection(&document)).transpose()
    }

    async fn reschedule_sync(
        &self,
        id: &str,
        access_token: &str,
        next: NextAttempt,
        now: Timestamp,
    ) -> StoreResult<()> {
        self.reschedule(&SYNC, id, access_token, next, now).await
    }

    async fn release_syncs(&self, ids: &[&str], lease_until: Timestamp, now: Timestamp) -> StoreResult<()> {
        self.release(&SYNC, ids, lease_until, now).await
    }

    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let mut filter = with_token(id, access_token);
        filter.insert("needsReauthorizationSince", Bson::Null);
        let fields = doc! {
            "lastError": literal(error),
            "needsReauthorizationSince": date(now),
            "updatedAt": date(now),
        };
        Ok(self.change(&self.outbox, filter, fields, &[event], now).await?.is_some())
    }

    async fn record_event(
        &self,
        id: &str,
        access_token: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let recorded =
            self.change(&self.outbox, with_token(id, access_token), Document::new(), &[event], now).await?;
        Ok(recorded.is_some())
    }

    async fn sealed_with(
        &self,
        key_id: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> StoreResult<Vec<SealedToken>> {
        let mut filter = doc! { "isActive": true, "tokenKeyId": key_id };
        if let Some(after) = after {
            let Ok(after) = ObjectId::parse_str(after) else { return Ok(Vec::new()) };
            filter.insert("_id", doc! { "$gt": after });
        }
        let connections = self.connections.clone();
        let wanted = Wanted { filter, sort: doc! { "_id": 1 }, limit };
        self.operations.run(readable(connections, wanted, sealed_token)).await
    }

    async fn reencrypt_token(&self, old: &SealedToken, access_token: &str) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(&old.connection_id) else { return Ok(false) };
        let update = doc! { "$set": { "accessToken": access_token, "tokenKeyId": key_id(access_token) } };
        self.update_one(&self.connections, with_token(id, &old.access_token), update).await
    }

    /// Counts by the tokens themselves: somebody may have changed one by hand and left `tokenKeyId` behind, and an operator
    /// removes a key because of these numbers. What is found to be wrong is put right. Walks along `_id`, which never changes:
    /// in any other index a document whose token is replaced meanwhile could move, and be met twice or never.
    async fn key_use(&self) -> StoreResult<Vec<KeyUse>> {
        let connections = self.connections.clone();
        let count = async move {
            let mut tokens: BTreeMap<Option<String>, u64> = BTreeMap::new();
            let all = connections.find(doc! { "isActive": true }).hint(Hint::Keys(doc! { "_id": 1 }));
            let mut all = all.projection(doc! { "accessToken": 1, "tokenKeyId": 1 }).await?;
            while let Some(document) = all.try_next().await? {
                let token = text(&document, "accessToken").unwrap_or_default();
                let key_id = key_id(&token).map(str::to_owned);
                if text(&document, "tokenKeyId") != key_id {
                    let same = doc! { "_id": document.get("_id"), "accessToken": token };
                    connections.update_one(same, doc! { "$set": { "tokenKeyId": &key_id } }).await?;
                }
                *tokens.entry(key_id).or_default() += 1;
            }
            Ok(tokens)
        };
        let tokens = self.operations.run_slow(count).await?;
        Ok(tokens.into_iter().map(|(key_id, tokens)| KeyUse { key_id, tokens }).collect())
    }
}

impl MongoStore {
    /// The connections that are wanted.
    async fn find(&self, wanted: Wanted) -> StoreResult<Vec<Connection>> {
        self.operations.run(readable(self.connections.clone(), wanted, connection)).await
    }

    /// Everything that is stored about an account, even what does not say whose it is: who asks to delete means that, too.
    async fn find_of_account(&self, field: &str, account_id: &str) -> StoreResult<Vec<Connection>> {
        let (connections, filter) = (self.connections.clone(), doc! { field: account_id });
        let find = async move { connections.find(filter).await?.try_collect::<Vec<_>>().await };
        let mut found = self.operations.run(find).await?;
        for document in &mut found {
            for (field, default) in [("userId", ""), ("instagramUserId", account_id)] {
                if text(document, field).is_none() {
                    document.insert(field, default);
                }
            }
        }
        found.iter().map(connection).collect()
    }

    /// Claims what is due for a kind of work: what was not tried yet, then what has waited.
    async fn claim_due(
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
        // A failure is counted when a try begins, so that one that kills its worker counts, too. For the same reason a try
        // begins with a wait: should nothing come of it, others go first.
        let fields = doc! {
            work.lease_until: date(lease_until),
            work.not_before: date(lease_until),
            work.failures: one_more(work.failures),
        };
        // A time that was never set comes before every time.
        let order = doc! { work.not_before: 1, work.order: 1 };
        let claim = Claim { filter: due, order, name: work.claim, fields, limit };
        self.claim(&self.connections, claim, connection).await
    }

    async fn reschedule(
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
        fields.insert("updatedAt", date(now));
        self.change(&self.outbox, filter, fields, next.event.as_slice(), now).await?;
        Ok(())
    }

    /// In one command, however many they are.
    async fn release(
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
        let connections = self.connections.clone();
        self.operations.run(async move { connections.update_many(claimed, update).await }).await?;
        Ok(())
    }
}

fn latest_first() -> Document {
    doc! { "lastConnectedAt": -1, "_id": -1 }
}

/// The texts that begin with a prefix, by their order: a text is compared as the bytes of its UTF-8, whose order is that of its
/// characters.
fn beginning_with(prefix: &str) -> Document {
    let mut beginning = doc! { "$gte": prefix };
    let mut rest = prefix.chars();
    while let Some(last) = rest.next_back() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            beginning.insert("$lt", format!("{}{next}", rest.as_str()));
            break;
        }
    }
    beginning
}

/// The active connections of a state. A token whose end nobody knows is taken for one that has ended.
fn in_health(health: Health, keys: Vec<String>) -> Document {
    match health {
        Health::EndsAfter(after) => {
            doc! { "needsReauthorizationSince": null, "tokenExpiresAt": { "$gt": date(after) } }
        }
        Health::EndsWithin(after, by) => doc! {
            "needsReauthorizationSince": null,
            "tokenExpiresAt": { "$gt": date(after), "$lte": date(by) },
        },
        Health::DeadAt(at) => {
            let mut any = vec![
                doc! { "needsReauthorizationSince": { "$ne": null } },
                doc! { "tokenExpiresAt": { "$not": { "$gt": date(at) } } },
            ];
            if !keys.is_empty() {
                any.push(doc! { "tokenKeyId": { "$nin": keys } });
            }
            doc! { "$or": any }
        }
    }
}

/// The active connection that has this token; with an empty one, that has none, whatever is in its place.
fn with_token(id: ObjectId, access_token: &str) -> Document {
    let token = match access_token {
        "" => doc! { "$not": { "$gt": "" } },
        token => doc! { "$eq": token },
    };
    doc! { "_id": id, "accessToken": token, "isActive": true }
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

/// The stored document after the update; `None` when the account is active under another user.
///
/// If the user has no document of the account, MongoDB inserts one, and the unique index refuses it where the account has a
/// document. That document may be another user's, one that a save of the same user at the same time has just made, or one
/// whose erasure has begun or whose outbox is full: so it is looked at before anybody is told that the account is in use.
async fn upsert(
    connections: &Collection<Document>,
    outbox: &Outbox,
    account: &str,
    user_id: &str,
    update: Vec<Document>,
) -> mongodb::error::Result<Option<Document>> {
    let of_account = doc! { "instagramUserId": account };
    let kept = doc! { "instagramUserId": account, "erasingSince": { "$exists": false } };
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
            outbox.finish_erasure(&there).await?;
        } else if text(&there, "userId").as_deref() != Some(user_id)
            && there.get_bool("isActive").unwrap_or(true)
        {
            return Ok(None);
        } else {
            outbox.make_room(&there, 1).await?;
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "too many changes of one account at once").into())
}

/// The `$set` stage that makes a document out of nothing, of the user's own, or of what another user left: every field of
/// ours is named, so that nothing of an earlier owner remains. `$field` is the document as it was.
fn replacement(new: NewConnection, event: &NewEvent, now: Timestamp) -> Document {
    let user_id = literal(new.user_id);
    let mut entry = Entry::of(event, now).with_counts(&new.profile);
    entry.fields.extend(doc! {
        "userId": user_id.clone(),
        "instagramUserId": literal(&new.instagram_user_id),
        // Tells whether there is an earlier owner, whose history and events have to go.
        "passesOn": { "$ne": [{ "$ifNull": ["$userId", user_id.clone()] }, user_id.clone()] },
    });
    let now = date(now);
    doc! {
        "connectedAt": { "$cond": [
            { "$eq": ["$userId", user_id.clone()] },
            { "$ifNull": ["$connectedAt", now] },
            now,
        ]},
        "createdAt": { "$ifNull": ["$createdAt", now] },
        "userId": user_id,
        "instagramUserId": literal(new.instagram_user_id),
        "appScopedUserId": literal(new.app_scoped_user_id),
        "tokenKeyId": literal(key_id(&new.access_token)),
        "accessToken": literal(new.access_token),
        "tokenIssuedAt": date(new.token_issued_at),
        "tokenExpiresAt": date(new.token_expires_at),
        "refreshAt": date(new.refresh_at),
        "profile": literal(profile_document(new.profile)),
        "scopes": literal(new.scopes),
        "lastConnectedAt": now,
        "lastSyncedAt": now,
        "lastError": null,
        "needsReauthorizationSince": null,
        "refreshLeaseUntil": null,
        "refreshNotBefore": null,
        "refreshFailures": 0,
        "syncLeaseUntil": null,
        "syncNotBefore": null,
        "syncFailures": 0,
        "isActive": true,
        "updatedAt": now,
        "outbox": outbox::with_entries(vec![entry]),
    }
}

fn profile_document(profile: Profile) -> Document {
    doc! {
        "username": profile.username,
        "name": profile.name,
        "profilePictureUrl": profile.profile_picture_url,
        "biography": profile.biography,
        "website": profile.website,
        "followersCount": fields::number(profile.followers_count),
        "followsCount": fields::number(profile.follows_count),
        "mediaCount": fields::number(profile.media_count),
    }
}

/// Reads a document. Fails only where it is not known whose it is: a document that this program did not write shows as
/// well as it can, and one without a usable token as one that has to be connected again.
fn connection(document: &Document) -> StoreResult<Connection> {
    let id = document.get_object_id("_id").map_err(|_| fields::missing("_id"))?;
    let written =
        Timestamp::from_millisecond(id.timestamp().timestamp_millis()).unwrap_or(Timestamp::UNIX_EPOCH);
    let connected_at =
        time(document, "connectedAt").or_else(|| time(document, "createdAt")).unwrap_or(written);
    let empty = Document::new();
    let profile = document.get_document("profile").unwrap_or(&empty);
    Ok(Connection {
        id: id.to_hex(),
        user_id: required_text(document, "userId")?,
        instagram_user_id: required_text(document, "instagramUserId")?,
        app_scoped_user_id: text(document, "appScopedUserId"),
        access_token: document.get_str("accessToken").unwrap_or_default().to_owned(),
        token_issued_at: time(document, "tokenIssuedAt").unwrap_or(connected_at),
        // A token whose end nobody knows is taken for one that has ended, rather than for one that never does.
        token_expires_at: time(document, "tokenExpiresAt").unwrap_or(Timestamp::UNIX_EPOCH),
        refresh_at: time(document, "refreshAt"),
        profile: Profile {
            username: text(profile, "username").unwrap_or_default(),
            name: text(profile, "name"),
            profile_picture_url: text(profile, "profilePictureUrl"),
            biography: text(profile, "biography"),
            website: text(profile, "website"),
            followers_count: count(profile, "followersCount"),
            follows_count: count(profile, "followsCount"),
            media_count: count(profile, "mediaCount"),
        },
        scopes: texts(document, "scopes"),
        connected_at,
        last_connected_at: time(document, "lastConnectedAt").unwrap_or(connected_at),
        last_synced_at: time(document, "lastSyncedAt").unwrap_or(connected_at),
        last_error: text(document, "lastError"),
        needs_reauthorization_since: time(document, "needsReauthorizationSince"),
        refresh_failures: failures(document, "refreshFailures"),
        refresh_lease_until: time(document, REFRESH.lease_until),
        sync_failures: failures(document, "syncFailures"),
        sync_lease_until: time(document, SYNC.lease_until),
        is_active: document.get_bool("isActive").unwrap_or(false),
    })
}

fn failures(document: &Document, field: &str) -> u32 {
    count(document, field).map_or(0, |count| count.try_into().unwrap_or(u32::MAX))
}

fn sealed_token(document: &Document) -> StoreResult<SealedToken> {
    Ok(SealedToken {
        connection_id: document.get_object_id("_id").map_err(|_| fields::missing("_id"))?.to_hex(),
        instagram_user_id: required_text(document, "instagramUserId")?,
        access_token: document.get_str("accessToken").unwrap_or_default().to_owned(),
    })
}
