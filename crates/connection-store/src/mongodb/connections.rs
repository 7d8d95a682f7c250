//! Connected Instagram accounts in MongoDB: the architecture document's collection.

use std::io;

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::options::ReturnDocument;

use super::error::is_duplicate_key;
use super::fields::{self, count, required_text, text, texts, time};
use super::{MongoStore, date};
use crate::{
    Connection, Connections, DueForRefresh, NewConnection, Profile, RenewedToken, SaveOutcome, StoreResult,
};

/// How often a save is tried while others create, end and take over the same account. Each failed try means that another
/// save or disconnect went through in between.
const UPSERT_ATTEMPTS: u32 = 10;

#[async_trait]
impl Connections for MongoStore {
    async fn save_connection(&self, new: NewConnection, now: Timestamp) -> StoreResult<SaveOutcome> {
        let free_or_own = doc! {
            "instagramUserId": &new.instagram_user_id,
            "$or": [{ "userId": &new.user_id }, { "isActive": false }],
        };
        let in_use = doc! {
            "instagramUserId": &new.instagram_user_id,
            "userId": { "$ne": &new.user_id },
            "isActive": { "$ne": false },
        };
        let update = vec![doc! { "$set": replacement(new, now) }];
        let connections = self.connections.clone();
        let save = async move { upsert(&connections, free_or_own, in_use, update).await };
        let saved = self.operations.run(save).await?;
        Ok(match saved {
            Some(document) => SaveOutcome::Saved(Box::new(connection(&document)?)),
            None => SaveOutcome::AccountInUse,
        })
    }

    async fn latest_connection(&self, user_id: &str) -> StoreResult<Option<Connection>> {
        let filter = active(user_id);
        let connections = self.connections.clone();
        let find = async move { connections.find_one(filter).sort(latest_first()).await };
        self.operations.run(find).await?.map(|document| connection(&document)).transpose()
    }

    async fn disconnect(&self, user_id: &str, now: Timestamp) -> StoreResult<bool> {
        let filter = active(user_id);
        let update = doc! { "$set": { "accessToken": "", "isActive": false, "updatedAt": date(now) } };
        let connections = self.connections.clone();
        let end = async move { connections.find_one_and_update(filter, update).sort(latest_first()).await };
        Ok(self.operations.run(end).await?.is_some())
    }

    async fn renew_token(
        &self,
        id: &str,
        old_access_token: &str,
        renewed: RenewedToken,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let filter = doc! { "_id": id, "accessToken": old_access_token, "isActive": true };
        let mut fields = doc! {
            "accessToken": renewed.access_token,
            "tokenIssuedAt": date(renewed.token_issued_at),
            "tokenExpiresAt": date(renewed.token_expires_at),
            "lastError": null,
            "needsReauthorizationSince": null,
            "refreshNotBefore": null,
            "refreshFailures": 0,
            "updatedAt": date(now),
        };
        if let Some(scopes) = renewed.scopes {
            fields.insert("scopes", scopes);
        }
        self.change(filter, fields).await
    }

    async fn claim_due_for_refresh(
        &self,
        due: DueForRefresh,
        now: Timestamp,
    ) -> StoreResult<Vec<Connection>> {
        let filter = doc! {
            "tokenExpiresAt": { "$gt": date(now), "$lte": date(due.expires_by) },
            "tokenIssuedAt": { "$lte": date(due.issued_by) },
            "isActive": true,
            "needsReauthorizationSince": null,
            // A comparison with a date passes over what is unset, so that is asked for by itself.
            "$or": [{ "refreshNotBefore": null }, { "refreshNotBefore": { "$lte": date(now) } }],
        };
        // A failure is counted when a try begins, so that one that kills its worker counts, too.
        let update = doc! {
            "$set": { "refreshNotBefore": date(due.lease_until) },
            "$inc": { "refreshFailures": 1 },
        };
        let mut claimed = Vec::new();
        // One by one, since only a change of one document also tells which one it was.
        while claimed.len() < due.limit as usize {
            let (connections, filter, update) = (self.connections.clone(), filter.clone(), update.clone());
            let claim = async move {
                let claim = connections.find_one_and_update(filter, update);
                claim.sort(doc! { "tokenExpiresAt": 1 }).return_document(ReturnDocument::After).await
            };
            let Some(document) = self.operations.run(claim).await? else { break };
            claimed.push(connection(&document)?);
        }
        Ok(claimed)
    }

    async fn postpone_refresh(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        not_before: Timestamp,
    ) -> StoreResult<()> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(()) };
        let filter = doc! { "_id": id, "accessToken": access_token, "isActive": true };
        let fields = doc! { "refreshNotBefore": date(not_before), "lastError": error };
        self.change(filter, fields).await?;
        Ok(())
    }

    async fn update_profile(
        &self,
        id: &str,
        user_id: &str,
        profile: Profile,
        now: Timestamp,
    ) -> StoreResult<Option<Connection>> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(None) };
        let filter = doc! { "_id": id, "userId": user_id, "isActive": true };
        let now = date(now);
        let fields = doc! { "profile": profile_document(profile), "lastSyncedAt": now, "updatedAt": now };
        self.change(filter, fields).await
    }

    async fn mark_needs_reauthorization(
        &self,
        id: &str,
        access_token: &str,
        error: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let Ok(id) = ObjectId::parse_str(id) else { return Ok(false) };
        let filter = doc! { "_id": id, "accessToken": access_token, "isActive": true };
        let update = vec![doc! { "$set": {
            "lastError": literal(error),
            // The first refusal is the one that counts.
            "needsReauthorizationSince": { "$ifNull": ["$needsReauthorizationSince", date(now)] },
            "updatedAt": date(now),
        }}];
        let connections = self.connections.clone();
        let marked = self.operations.run(async move { connections.update_one(filter, update).await }).await?;
        Ok(marked.matched_count == 1)
    }
}

impl MongoStore {
    /// Sets fields of the one document that matches. Returns what is stored then; `None` when none matches.
    async fn change(&self, filter: Document, fields: Document) -> StoreResult<Option<Connection>> {
        let connections = self.connections.clone();
        let update = doc! { "$set": fields };
        let change = async move {
            connections.find_one_and_update(filter, update).return_document(ReturnDocument::After).await
        };
        self.operations.run(change).await?.map(|document| connection(&document)).transpose()
    }
}

fn active(user_id: &str) -> Document {
    doc! { "userId": user_id, "isActive": true }
}

fn latest_first() -> Document {
    doc! { "lastConnectedAt": -1, "_id": -1 }
}

/// The stored document after the update; `None` when the account is active under another user.
///
/// If no document matches `free_or_own`, MongoDB inserts one, and the unique index refuses it where the account has a
/// document. That document may be another user's, or one that a save of the same user at the same time has just made: so
/// it is looked at before anybody is told that the account is in use.
async fn upsert(
    connections: &Collection<Document>,
    free_or_own: Document,
    in_use: Document,
    update: Vec<Document>,
) -> mongodb::error::Result<Option<Document>> {
    for _ in 0..UPSERT_ATTEMPTS {
        let outcome = connections
            .find_one_and_update(free_or_own.clone(), update.clone())
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await;
        match outcome {
            Ok(Some(saved)) => return Ok(Some(saved)),
            // MongoDB always returns the document of an upsert; SecantusDB 0.7 does not where it lost a race to insert it.
            Ok(None) => {}
            Err(error) if is_duplicate_key(&error) => {}
            Err(error) => return Err(error),
        }
        if connections.find_one(in_use.clone()).await?.is_some() {
            return Ok(None);
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "too many changes of one account at once").into())
}

/// The `$set` stage that makes a document out of nothing, of the user's own, or of what another user left: every field of
/// ours is named, so that nothing of an earlier owner remains. `$field` is the document as it was.
fn replacement(new: NewConnection, now: Timestamp) -> Document {
    let user_id = literal(new.user_id);
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
        "accessToken": literal(new.access_token),
        "tokenIssuedAt": date(new.token_issued_at),
        "tokenExpiresAt": date(new.token_expires_at),
        "profile": literal(profile_document(new.profile)),
        "scopes": literal(new.scopes),
        "lastConnectedAt": now,
        "lastSyncedAt": now,
        "lastError": null,
        "needsReauthorizationSince": null,
        "refreshNotBefore": null,
        "refreshFailures": 0,
        "isActive": true,
        "updatedAt": now,
    }
}

/// A value that means itself. Without this, a biography that begins with `$` would be read as the name of a field.
fn literal(value: impl Into<Bson>) -> Bson {
    doc! { "$literal": value.into() }.into()
}

fn profile_document(profile: Profile) -> Document {
    // BSON's integers are signed; no count comes near their end.
    let number = |count: Option<u64>| count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    doc! {
        "username": profile.username,
        "name": profile.name,
        "profilePictureUrl": profile.profile_picture_url,
        "biography": profile.biography,
        "website": profile.website,
        "followersCount": number(profile.followers_count),
        "followsCount": number(profile.follows_count),
        "mediaCount": number(profile.media_count),
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
        access_token: text(document, "accessToken").unwrap_or_default(),
        token_issued_at: time(document, "tokenIssuedAt").unwrap_or(connected_at),
        // A token whose end nobody knows is taken for one that has ended, rather than for one that never does.
        token_expires_at: time(document, "tokenExpiresAt").unwrap_or(Timestamp::UNIX_EPOCH),
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
        last_synced_at: time(document, "lastSyncedAt").unwrap_or(connected_at),
        last_error: text(document, "lastError"),
        needs_reauthorization_since: time(document, "needsReauthorizationSince"),
        refresh_failures: count(document, "refreshFailures").and_then(|n| n.try_into().ok()).unwrap_or(0),
    })
}
