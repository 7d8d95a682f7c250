//! Browser sessions in MongoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::doc;

use super::{MongoStore, binary, date, fields};
use crate::{NewSession, SecretHash, Session, Sessions, StoreResult};

#[async_trait]
impl Sessions for MongoStore {
    async fn create_session(&self, session: NewSession) -> StoreResult<()> {
        let document = doc! {
            "_id": binary(&session.token_hash),
            "userId": session.user_id,
            "createdAt": date(session.created_at),
            "expiresAt": date(session.expires_at),
        };
        let sessions = self.sessions.clone();
        self.operations.run(async move { sessions.insert_one(document).await }).await?;
        Ok(())
    }

    async fn find_session(&self, token_hash: &SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        // The end is asked for, since the database removes what has ended only some time later.
        let filter = doc! { "_id": binary(token_hash), "expiresAt": { "$gt": date(now) } };
        let sessions = self.sessions.clone();
        let Some(document) = self.operations.run(async move { sessions.find_one(filter).await }).await?
        else {
            return Ok(None);
        };
        Ok(Some(Session {
            user_id: fields::required_text(&document, "userId")?,
            expires_at: fields::required_time(&document, "expiresAt")?,
        }))
    }

    async fn renew_session(&self, token_hash: &SecretHash, expires_at: Timestamp) -> StoreResult<()> {
        let filter = doc! { "_id": binary(token_hash) };
        let update = doc! { "$set": { "expiresAt": date(expires_at) } };
        let sessions = self.sessions.clone();
        self.operations.run(async move { sessions.update_one(filter, update).await }).await?;
        Ok(())
    }

    async fn delete_session(&self, token_hash: &SecretHash) -> StoreResult<()> {
        let filter = doc! { "_id": binary(token_hash) };
        let sessions = self.sessions.clone();
        self.operations.run(async move { sessions.delete_one(filter).await }).await?;
        Ok(())
    }
}
