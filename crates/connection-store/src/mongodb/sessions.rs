//! Browser sessions in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use secrecy::ExposeSecret;

use super::consuming::consume;
use super::error::or_applied;
use super::operation::in_time;
use super::reading::{Wanted, readable};
use super::{MongoStore, binary, date, fields, host_links};
use crate::sessions::MOST_SESSIONS;
use crate::{NewSession, SecretHash, Session, Sessions, StoreResult};

#[async_trait]
impl Sessions for MongoStore {
    async fn create_session(&self, session: NewSession) -> StoreResult<bool> {
        let token_hash = binary(&session.token_hash);
        let account = session.password_hash.map(|hash| {
            doc! { "_id": &session.user_id, "passwordHash": hash.expose_secret() }
        });
        let link = session.host_link.map(|link| host_links::usable(&link, session.created_at));
        let document = doc! {
            "_id": token_hash.clone(),
            "id": session.id,
            "userId": session.user_id,
            "name": session.name,
            "userAgent": session.user_agent,
            "createdAt": date(session.created_at),
            // A new session was used last when it was opened.
            "lastUsedAt": date(session.created_at),
            "expiresAt": date(session.expires_at),
        };
        let (sessions, users, links) = (self.sessions.clone(), self.users.clone(), self.host_links.clone());
        let create = async move {
            let own = doc! { "_id": token_hash.clone() };
            let inserted = sessions.insert_one(document).await.map(drop);
            or_applied(inserted, async { Ok(sessions.find_one(own).await?.map(drop)) }).await?;
            // Looked at after the insert: who changes the password, deletes the account or takes the link away ends the sessions
            // after that, this one too. Nobody has its token yet, so that it is of no use until then, nor if the process dies
            // here.
            let prove = async {
                in_time()?;
                Ok(match (account, link) {
                    (Some(account), _) => users.find_one(account).await?.is_some(),
                    (None, Some(link)) => consume(links, link).await?.is_some(),
                    (None, None) => true,
                })
            };
            let is_proved = prove.await;
            if !matches!(is_proved, Ok(true)) {
                sessions.delete_one(doc! { "_id": token_hash }).await?;
            }
            is_proved
        };
        self.operations.run(create).await
    }

    async fn find_session(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        // The end is asked for, since the database removes what has ended only some time later.
        let filter = doc! { "_id": binary(token_hash), "expiresAt": { "$gt": date(now) } };
        let found = self.operations.find_one(&self.sessions, filter).await?;
        found.map(|document| session(&document)).transpose()
    }

    async fn renew_session(
        &self,
        token_hash: &SecretHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()> {
        let filter = doc! { "_id": binary(token_hash) };
        let update = doc! { "$set": { "expiresAt": date(expires_at), "lastUsedAt": date(now) } };
        self.operations.update_one(&self.sessions, filter, update).await.map(drop)
    }

    async fn sessions(&self, user_id: &str, now: Timestamp) -> StoreResult<Vec<Session>> {
        let filter = doc! { "userId": user_id, "expiresAt": { "$gt": date(now) } };
        let wanted = Wanted { filter, sort: doc! { "lastUsedAt": -1 }, limit: MOST_SESSIONS };
        let mut found = self.operations.run(readable(self.sessions.clone(), wanted, session)).await?;
        // Sessions of an older version do not say when they were used, and the database puts them last.
        found.sort_by_key(|session| std::cmp::Reverse(session.last_used_at));
        Ok(found)
    }

    async fn delete_session_by_id(&self, id: &str, user_id: &str) -> StoreResult<bool> {
        self.operations.delete_one(&self.sessions, doc! { "id": id, "userId": user_id }).await
    }

    async fn delete_sessions(&self, user_id: &str, except: Option<&SecretHash>) -> StoreResult<()> {
        let mut filter = doc! { "userId": user_id };
        if let Some(except) = except {
            filter.insert("_id", doc! { "$ne": binary(except) });
        }
        let sessions = self.sessions.clone();
        self.operations.run(async move { sessions.delete_many(filter).await }).await?;
        Ok(())
    }

    async fn sign_out_everywhere(&self, user_id: &str, revoke_keys: bool) -> StoreResult<()> {
        let of_user = doc! { "userId": user_id };
        let (links, sessions, keys) = (self.host_links.clone(), self.sessions.clone(), self.api_keys.clone());
        let end = async move {
            // The links first: a session that is opened meanwhile has used up its link before, and is there to be ended.
            links.delete_many(of_user.clone()).await?;
            sessions.delete_many(of_user.clone()).await?;
            if revoke_keys {
                keys.delete_many(of_user).await?;
            }
            Ok(())
        };
        self.operations.run(end).await
    }

    async fn delete_session(&self, token_hash: &SecretHash) -> StoreResult<()> {
        self.operations.delete_one(&self.sessions, doc! { "_id": binary(token_hash) }).await.map(drop)
    }
}

/// Reads a session. One of an older version says neither its name nor when it was used last.
fn session(document: &Document) -> StoreResult<Session> {
    let created_at = fields::required_time(document, "createdAt")?;
    Ok(Session {
        id: fields::text(document, "id").unwrap_or_default(),
        user_id: fields::required_text(document, "userId")?,
        name: fields::text(document, "name"),
        user_agent: fields::text(document, "userAgent"),
        created_at,
        last_used_at: fields::time(document, "lastUsedAt").unwrap_or(created_at),
        expires_at: fields::required_time(document, "expiresAt")?,
    })
}
