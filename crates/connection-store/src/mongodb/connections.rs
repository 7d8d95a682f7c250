//! Connected accounts in MongoDB: a collection for each provider, Instagram's the architecture document's.
//!
//! `{ $not: { $gt: time } }` is how a filter asks for what is over or was never set: a comparison alone passes over what is
//! unset. What finds a document comes first in a filter, and no `$or` stands beside it: MongoDB does not mind, SecantusDB does.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::options::{Hint, ReturnDocument};
use mongodb::{Collection, Database};
use shared::Provider;

use super::connection_documents::{
    beginning_with, connection, in_health, profile_document, replacement, sealed_token, token_key_id,
    with_token, without_tokens,
};
use super::connection_work::{REFRESH, SYNC};
use super::error::is_duplicate_key;
use super::fields::{text, time};
use super::kinds::Kind;
use super::operation::Operations;
use super::outbox::{self, Outbox};
use super::reading::{Wanted, readable};
use super::{date, history, literal};
use crate::connections::key_id;
use crate::{
    Connection, ConnectionFilter, HistoryPoint, HistoryRange, KeyUse, NewConnection, NewEvent, NextAttempt,
    ReadProfile, RefreshedToken, SaveOutcome, SealedToken, StoreResult,
};

/// The connections of one provider.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) kind: &'static Kind,
    pub(super) collection: Collection<Document>,
    pub(super) outbox: Outbox,
    pub(super) operations: Arc<Operations>,
}

#[async_trait]
impl crate::Connections for Connections {
    async fn save_connection(
        &self,
        new: NewConnection,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<SaveOutcome> {
        let entry = self.outbox.entry(&event, now).with_counts(&new.profile);
        let (account, user_id) = (new.provider_account_id.clone(), new.user_id.clone());
        let update = replacement(self.kind, new, entry, now);
        let connections = self.clone();
        let save = async move { connections.save(&account, &user_id, update, now).await };
        let Some(document) = self.operations.run(save).await? else { return Ok(SaveOutcome::AccountInUse) };
        self.operations.settle(&self.outbox, &document, vec![event.id]).await;
        Ok(SaveOutcome::Saved(Box::new(self.read(&document)?)))
    }

    async fn current_connection(&self, user_id: &str) -> StoreResult<Option<Connection>> {
        let (connections, user_id) = (self.clone(), user_id.to_owned());
        let find = async move { connections.current(&user_id).await };
        self.read_some(self.operations.run(find).await?)
    }

    async fn select_connection(
        &self,
        id: &str,
        user_id: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let (connections, user_id) = (self.clone(), user_id.to_owned());
        let select = async move { connections.select(id, &user_id, now).await };
        self.read_some(self.operations.run(select).await?)
    }

    async fn connections_of_user(&self, user_id: &str, limit: u32) -> StoreResult<Vec<Connection>> {
        let filter = doc! { "userId": user_id, "isActive": true };
        self.find(Wanted { filter, sort: Self::current_first(), limit }).await
    }

    async fn connection(&self, id: &str) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        self.read_some(self.operations.find_one(&self.collection, doc! { "_id": id }).await?)
    }

    async fn connections_of_account(&self, account_id: &str) -> StoreResult<Vec<Connection>> {
        let (mut found, by_other_id) = tokio::try_join!(
            self.find_of_account(self.kind.account_id, account_id),
            self.find_of_account(self.kind.other_account_id, account_id),
        )?;
        for other in by_other_id {
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
            wanted.extend(in_health(self.kind, health, filter.keys));
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
        let mut fields = without_tokens(self.kind);
        fields.insert("updatedAt", date(now));
        Ok(self.change(filter, fields, &[event], now).await?.is_some())
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
        self.operations.update_one(&self.collection, filter, doc! { "$set": fields }).await.map(drop)
    }

    async fn claim_for_refresh(
        &self,
        id: &str,
        access_token: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Option<u32>> {
        self.claim_one(&REFRESH, id, access_token, lease_until, now).await
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
            self.kind.expires_at: date(refreshed.expires_at),
            "tokenKeyId": literal(key_id(&refreshed.access_token)),
            "accessToken": literal(refreshed.access_token),
            "tokenIssuedAt": date(refreshed.token_issued_at),
            "tokenExpiresAt": date(refreshed.token_expires_at),
            "refreshAt": date(refreshed.refresh_at),
            "lastError": null,
            "refusedSince": "$$REMOVE",
            "refreshLeaseUntil": null,
            "refreshNotBefore": null,
            "refreshFailures": 0,
            "updatedAt": date(now),
        };
        if let Some(scopes) = refreshed.scopes {
            fields.insert("scopes", literal(scopes));
        }
        if self.kind.has_refresh_token {
            match refreshed.refresh_token {
                Some(token) => {
                    fields.insert("tokenKeyId", literal(key_id(&token)));
                    fields.insert("refreshToken", literal(token));
                }
                // The key is that of the refresh token, which stays.
                None => {
                    let stays = doc! { "$eq": [{ "$type": "$refreshToken" }, "string"] };
                    let of_access_token = fields.get("tokenKeyId").cloned();
                    fields.insert("tokenKeyId", doc! { "$cond": [stays, "$tokenKeyId", of_access_token] });
                }
            }
        }
        let mut filter = with_token(id, old_access_token);
        filter.insert("needsReauthorizationSince", Bson::Null);
        self.read_some(self.change(filter, fields, &events, now).await?)
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
        let connections = self.collection.clone();
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
        read: ReadProfile,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let filter = doc! { "_id": id, "userId": user_id, "isActive": true };
        let entry = self.outbox.entry(&event, now).with_counts(&read.profile);
        let mut fields = doc! {
            "profile": literal(profile_document(self.kind, read.profile)),
            "lastSyncedAt": date(now),
            "syncLeaseUntil": null,
            "syncNotBefore": null,
            "syncFailures": 0,
            "updatedAt": date(now),
        };
        if let Some(granted) = read.granted_scope.map(literal) {
            let scopes = outbox::list("$scopes");
            let added = doc! { "$concatArrays": [scopes.clone(), [granted.clone()]] };
            let scopes = doc! { "$cond": [{ "$in": [granted, scopes.clone()] }, scopes, added] };
            fields.insert("scopes", scopes);
        }
        if let Some(other_id) = read.other_account_id {
            fields.insert(self.kind.other_account_id, literal(other_id));
        }
        let stored = self.operations.change_with(&self.outbox, filter, fields, vec![entry]).await?;
        self.read_some(stored)
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
        Ok(self.change(filter, fields, &[event], now).await?.is_some())
    }

    async fn record_event(
        &self,
        id: &str,
        access_token: &str,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let recorded = self.change(with_token(id, access_token), Document::new(), &[event], now).await?;
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
        let (connections, kind) = (self.collection.clone(), self.kind);
        let wanted = Wanted { filter, sort: doc! { "_id": 1 }, limit };
        let read = move |document: &Document| sealed_token(kind, document);
        self.operations.run(readable(connections, wanted, read)).await
    }

    async fn reseal(&self, old: &SealedToken, new: &SealedToken) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(&old.connection_id) else { return Ok(false) };
        let mut filter = with_token(id, &old.access_token);
        let mut fields = doc! { "accessToken": &new.access_token };
        if self.kind.has_refresh_token {
            // None is also a field that is not there.
            filter.insert("refreshToken", &old.refresh_token);
            fields.insert("refreshToken", &new.refresh_token);
        }
        fields.insert("tokenKeyId", key_id(new.refresh_token.as_deref().unwrap_or(&new.access_token)));
        if new.provider_account_id != old.provider_account_id {
            fields.insert(self.kind.account_id, &new.provider_account_id);
        }
        let connections = self.collection.clone();
        let reseal = async move {
            match connections.update_one(filter, doc! { "$set": fields }).await {
                Err(error) if is_duplicate_key(&error) => Ok(false),
                resealed => Ok(resealed?.matched_count == 1),
            }
        };
        self.operations.run(reseal).await
    }

    /// Counts by the tokens themselves: somebody may have changed one by hand and left `tokenKeyId` behind, and an operator
    /// removes a key because of these numbers. What is found to be wrong is put right. Walks along `_id`, which never changes:
    /// in any other index a document whose token is replaced meanwhile could move, and be met twice or never.
    async fn key_use(&self) -> StoreResult<Vec<KeyUse>> {
        let (connections, kind) = (self.collection.clone(), self.kind);
        let count = async move {
            let mut tokens: BTreeMap<Option<String>, u64> = BTreeMap::new();
            let all = connections.find(doc! { "isActive": true }).hint(Hint::Keys(doc! { "_id": 1 }));
            let read = doc! { "accessToken": 1, "refreshToken": 1, "tokenKeyId": 1 };
            let mut all = all.projection(read).await?;
            while let Some(document) = all.try_next().await? {
                let key_id = token_key_id(kind, &document);
                if text(&document, "tokenKeyId") != key_id {
                    let same = doc! {
                        "_id": document.get("_id"),
                        "accessToken": document.get("accessToken"),
                        "refreshToken": document.get("refreshToken"),
                    };
                    connections.update_one(same, doc! { "$set": { "tokenKeyId": &key_id } }).await?;
                }
                *tokens.entry(key_id).or_default() += 1;
            }
            Ok(tokens)
        };
        let tokens = self.operations.run_slow(count).await?;
        Ok(tokens.into_iter().map(|(key_id, tokens)| KeyUse { key_id, tokens }).collect())
    }

    async fn history(
        &self,
        connection_id: &str,
        user_id: &str,
        range: HistoryRange,
        now: Timestamp,
    ) -> StoreResult<Vec<HistoryPoint>> {
        let Ok(connection_id) = ObjectId::parse_str(connection_id) else { return Ok(Vec::new()) };
        let wanted = history::wanted(self.kind.provider, connection_id, user_id, range, now);
        self.operations.run(readable(self.outbox.history.clone(), wanted, history::point)).await
    }

    async fn erase_connection(
        &self,
        id: &str,
        connected_by: Timestamp,
        event: NewEvent,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let filter = doc! {
            "_id": id,
            // Documents of other programs may have the one or the other.
            "lastConnectedAt": { "$not": { "$gt": date(connected_by) } },
            "connectedAt": { "$not": { "$gt": date(connected_by) } },
        };
        let begun = doc! { "$ne": [{ "$ifNull": ["$erasingSince", null] }, null] };
        let mut fields = without_tokens(self.kind);
        fields.extend(doc! {
            "erasingSince": { "$ifNull": ["$erasingSince", date(now)] },
            // The event of a process that died at this stands for ours: one erasure is told of once.
            "erasureEvent": { "$ifNull": ["$erasureEvent", literal(&event.id)] },
            // Nothing else is told any more. So a full outbox keeps nobody from an erasure.
            "outbox": {
                "$cond": [begun, outbox::list("$outbox"), [self.outbox.entry(&event, now).fields]],
            },
            "updatedAt": date(now),
        });
        let connections = self.clone();
        let erase = async move {
            let begun = connections.collection.find_one_and_update(filter, vec![doc! { "$set": fields }]);
            let Some(document) = begun.return_document(ReturnDocument::After).await? else {
                return Ok(false);
            };
            connections.outbox.finish_erasure(&document).await?;
            Ok(true)
        };
        self.operations.run(erase).await
    }
}

impl Connections {
    /// Returns the connections of a provider in a database.
    pub(super) fn of(provider: Provider, database: &Database, operations: &Arc<Operations>) -> Self {
        let kind = Kind::of(provider);
        let outbox = Outbox::of(database, kind.collection, "connectionId")
            .saying(doc! { "provider": provider.as_str() }, vec![kind.account_id]);
        Self {
            kind,
            collection: database.collection(kind.collection),
            outbox,
            operations: Arc::clone(operations),
        }
    }

    /// Reads a document.
    pub(super) fn read(&self, document: &Document) -> StoreResult<Connection> {
        connection(self.kind, document)
    }

    fn read_some(&self, document: Option<Document>) -> StoreResult<Option<Connection>> {
        document.map(|document| self.read(&document)).transpose()
    }

    /// Sets fields of the one connection that matches, and tells the events of it.
    pub(super) async fn change(
        &self,
        filter: Document,
        fields: Document,
        events: &[NewEvent],
        now: Timestamp,
    ) -> StoreResult<Option<Document>> {
        self.operations.change(&self.outbox, filter, fields, events, now).await
    }

    /// The connections that are wanted.
    async fn find(&self, wanted: Wanted) -> StoreResult<Vec<Connection>> {
        let (collection, kind) = (self.collection.clone(), self.kind);
        let read = move |document: &Document| connection(kind, document);
        self.operations.run(readable(collection, wanted, read)).await
    }

    /// Everything that is stored about an account, even what does not say whose it is: who asks to delete means that, too.
    async fn find_of_account(&self, field: &str, account_id: &str) -> StoreResult<Vec<Connection>> {
        let (connections, filter) = (self.collection.clone(), doc! { field: account_id });
        let find = async move { connections.find(filter).await?.try_collect::<Vec<_>>().await };
        let mut found = self.operations.run(find).await?;
        for document in &mut found {
            for (field, default) in [("userId", ""), (self.kind.account_id, account_id)] {
                if text(document, field).is_none() {
                    document.insert(field, default);
                }
            }
        }
        found.iter().map(|document| self.read(document)).collect()
    }
}
