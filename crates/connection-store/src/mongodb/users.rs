//! Local accounts in MongoDB.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use secrecy::{ExposeSecret, SecretString};

use super::error::is_duplicate_key;
use super::{MongoStore, date, fields};
use crate::{CreateOutcome, Credentials, NewUser, StoreResult, User, Users};

#[async_trait]
impl Users for MongoStore {
    async fn create_user(&self, new: NewUser) -> StoreResult<CreateOutcome> {
        let NewUser { user, email_key, password_hash } = new;
        let document = doc! {
            "_id": user.id,
            "email": user.email,
            "emailKey": &email_key,
            "name": user.name,
            "passwordHash": password_hash.expose_secret(),
            "createdAt": date(user.created_at),
        };
        let users = self.users.clone();
        let insert = async move {
            match users.insert_one(document).await {
                Ok(_) => Ok(CreateOutcome::Created),
                // The id is unique as well: look which of the two it was, rather than trust the server's wording.
                Err(error) if is_duplicate_key(&error) => {
                    match users.find_one(doc! { "emailKey": email_key }).await? {
                        Some(_) => Ok(CreateOutcome::EmailTaken),
                        None => Err(error),
                    }
                }
                Err(error) => Err(error),
            }
        };
        self.operations.run(insert).await
    }

    async fn find_credentials(&self, email_key: &str) -> StoreResult<Option<Credentials>> {
        let Some(document) = self.find_user_document(doc! { "emailKey": email_key }).await? else {
            return Ok(None);
        };
        let password_hash = SecretString::from(fields::required_text(&document, "passwordHash")?);
        Ok(Some(Credentials { user: user(&document)?, password_hash }))
    }

    async fn find_user(&self, user_id: &str) -> StoreResult<Option<User>> {
        self.find_user_document(doc! { "_id": user_id }).await?.map(|document| user(&document)).transpose()
    }
}

impl MongoStore {
    async fn find_user_document(&self, filter: Document) -> StoreResult<Option<Document>> {
        let users = self.users.clone();
        self.operations.run(async move { users.find_one(filter).await }).await
    }
}

fn user(document: &Document) -> StoreResult<User> {
    Ok(User {
        id: fields::required_text(document, "_id")?,
        email: fields::required_text(document, "email")?,
        name: fields::text(document, "name"),
        created_at: fields::required_time(document, "createdAt")?,
    })
}
