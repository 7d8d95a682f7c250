//! Documents of connections, as they are written, read and looked for.

use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};

use super::fields::{self, count, required_text, text, texts, time};
use super::kinds::Kind;
use super::outbox::{self, Entry};
use super::{date, literal};
use crate::connections::key_id;
use crate::{Connection, Health, NewConnection, Profile, SealedToken, StoreResult};

/// The `$set` stage that makes a document out of nothing, of the user's own, or of what another user left: every field of
/// ours is named, so that nothing of an earlier owner remains. `$field` is the document as it was.
pub(super) fn replacement(kind: &Kind, new: NewConnection, mut entry: Entry, now: Timestamp) -> Document {
    let (user_id, account) = (literal(new.user_id), literal(new.provider_account_id));
    entry.fields.extend(doc! {
        "userId": user_id.clone(),
        kind.account_id: account.clone(),
        // Tells whether there is an earlier owner, whose history and events have to go.
        "passesOn": { "$ne": [{ "$ifNull": ["$userId", user_id.clone()] }, user_id.clone()] },
    });
    let now = date(now);
    let mut fields = doc! {
        "connectedAt": { "$cond": [
            { "$eq": ["$userId", user_id.clone()] },
            { "$ifNull": ["$connectedAt", now] },
            now,
        ]},
        "createdAt": { "$ifNull": ["$createdAt", now] },
        "userId": user_id,
        kind.account_id: account,
        kind.other_account_id: literal(new.other_account_id),
        "tokenKeyId": literal(key_id(new.refresh_token.as_ref().unwrap_or(&new.access_token))),
        "accessToken": literal(new.access_token),
        "tokenIssuedAt": date(new.token_issued_at),
        kind.expires_at: date(new.expires_at),
        "tokenExpiresAt": date(new.token_expires_at),
        "refreshAt": date(new.refresh_at),
        "profile": literal(profile_document(kind, new.profile)),
        "scopes": literal(new.scopes),
        "lastConnectedAt": now,
        "lastSyncedAt": now,
        "lastError": null,
        "needsReauthorizationSince": null,
        "refusedSince": "$$REMOVE",
        "refreshLeaseUntil": null,
        "refreshNotBefore": null,
        "refreshFailures": 0,
        "syncLeaseUntil": null,
        "syncNotBefore": null,
        "syncFailures": 0,
        "isActive": true,
        "updatedAt": now,
        "outbox": outbox::with_entries(vec![entry]),
    };
    if kind.has_refresh_token {
        fields.insert("refreshToken", literal(new.refresh_token));
        fields.insert("authorizedAt", date(new.token_issued_at));
    }
    fields
}

/// The fields of a connection that ends, as expressions.
pub(super) fn without_tokens(kind: &Kind) -> Document {
    let mut fields =
        doc! { "accessToken": "", "tokenKeyId": null, "isActive": false, "selectedAt": "$$REMOVE" };
    if kind.has_refresh_token {
        fields.insert("refreshToken", Bson::Null);
    }
    fields
}

pub(super) fn profile_document(kind: &Kind, profile: Profile) -> Document {
    let mut all = doc! {
        "username": profile.username,
        "name": profile.name,
        "profilePictureUrl": profile.profile_picture_url,
        "profileUrl": profile.profile_url,
        "biography": profile.biography,
        "website": profile.website,
        "followersCount": fields::number(profile.followers_count),
        "followsCount": fields::number(profile.follows_count),
        "mediaCount": fields::number(profile.media_count),
        "product": profile.product,
    };
    kind.profile.iter().filter_map(|field| Some(((*field).to_owned(), all.remove(field)?))).collect()
}

/// Reads a document. Fails only where it is not known whose it is: a document that this program did not write shows as
/// well as it can, and one without a usable token as one that has to be connected again.
pub(super) fn connection(kind: &Kind, document: &Document) -> StoreResult<Connection> {
    let id = document.get_object_id("_id").map_err(|_| fields::missing("_id"))?;
    let written =
        Timestamp::from_millisecond(id.timestamp().timestamp_millis()).unwrap_or(Timestamp::UNIX_EPOCH);
    let connected_at =
        time(document, "connectedAt").or_else(|| time(document, "createdAt")).unwrap_or(written);
    // A connection whose end nobody knows is taken for one that has expired, rather than for one that never does.
    let end = |field| time(document, field).unwrap_or(Timestamp::UNIX_EPOCH);
    let empty = Document::new();
    let profile = document.get_document("profile").unwrap_or(&empty);
    Ok(Connection {
        id: id.to_hex(),
        provider: kind.provider,
        user_id: required_text(document, "userId")?,
        provider_account_id: required_text(document, kind.account_id)?,
        other_account_id: text(document, kind.other_account_id),
        access_token: document.get_str("accessToken").unwrap_or_default().to_owned(),
        refresh_token: refresh_token(kind, document),
        token_issued_at: time(document, "tokenIssuedAt").unwrap_or(connected_at),
        token_expires_at: end("tokenExpiresAt"),
        expires_at: end(kind.expires_at),
        refresh_at: time(document, "refreshAt"),
        profile: Profile {
            username: text(profile, "username").unwrap_or_default(),
            name: text(profile, "name"),
            profile_picture_url: text(profile, "profilePictureUrl"),
            profile_url: text(profile, "profileUrl"),
            biography: text(profile, "biography"),
            website: text(profile, "website"),
            followers_count: count(profile, "followersCount"),
            follows_count: count(profile, "followsCount"),
            media_count: count(profile, "mediaCount"),
            product: text(profile, "product"),
        },
        scopes: texts(document, "scopes"),
        connected_at,
        last_connected_at: time(document, "lastConnectedAt").unwrap_or(connected_at),
        last_synced_at: time(document, "lastSyncedAt").unwrap_or(connected_at),
        last_error: text(document, "lastError"),
        needs_reauthorization_since: time(document, "needsReauthorizationSince"),
        refused_since: time(document, "refusedSince"),
        refresh_failures: failures(document, "refreshFailures"),
        refresh_lease_until: time(document, "refreshLeaseUntil"),
        sync_failures: failures(document, "syncFailures"),
        sync_lease_until: time(document, "syncLeaseUntil"),
        is_active: document.get_bool("isActive").unwrap_or(false),
    })
}

/// Reads a count of failures.
pub(super) fn failures(document: &Document, field: &str) -> u32 {
    count(document, field).map_or(0, |count| count.try_into().unwrap_or(u32::MAX))
}

pub(super) fn sealed_token(kind: &Kind, document: &Document) -> StoreResult<SealedToken> {
    Ok(SealedToken {
        connection_id: document.get_object_id("_id").map_err(|_| fields::missing("_id"))?.to_hex(),
        provider_account_id: required_text(document, kind.account_id)?,
        access_token: document.get_str("accessToken").unwrap_or_default().to_owned(),
        refresh_token: refresh_token(kind, document),
    })
}

/// Returns the key that a document's tokens are sealed with: of those with a refresh token, that one's.
pub(super) fn token_key_id(kind: &Kind, document: &Document) -> Option<String> {
    let token = refresh_token(kind, document).or_else(|| text(document, "accessToken"))?;
    key_id(&token).map(str::to_owned)
}

fn refresh_token(kind: &Kind, document: &Document) -> Option<String> {
    document.get_str("refreshToken").ok().filter(|_| kind.has_refresh_token).map(str::to_owned)
}

/// The texts that begin with a prefix, by their order: a text is compared as the bytes of its UTF-8, whose order is that of its
/// characters.
pub(super) fn beginning_with(prefix: &str) -> Document {
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

/// The active connections of a state. One whose end nobody knows is taken for one that has ended.
pub(super) fn in_health(kind: &Kind, health: Health, keys: Vec<String>) -> Document {
    match health {
        Health::EndsAfter(after) => {
            doc! { "needsReauthorizationSince": null, kind.expires_at: { "$gt": date(after) } }
        }
        Health::EndsWithin(after, by) => doc! {
            "needsReauthorizationSince": null,
            kind.expires_at: { "$gt": date(after), "$lte": date(by) },
        },
        Health::DeadAt(at) => {
            let mut any = vec![
                doc! { "needsReauthorizationSince": { "$ne": null } },
                doc! { kind.expires_at: { "$not": { "$gt": date(at) } } },
            ];
            if !keys.is_empty() {
                any.push(doc! { "tokenKeyId": { "$nin": keys } });
            }
            doc! { "$or": any }
        }
    }
}

/// The active connection that has this token; with an empty one, that has none, whatever is in its place.
pub(super) fn with_token(id: ObjectId, access_token: &str) -> Document {
    let token = match access_token {
        "" => doc! { "$not": { "$gt": "" } },
        token => doc! { "$eq": token },
    };
    doc! { "_id": id, "accessToken": token, "isActive": true }
}
