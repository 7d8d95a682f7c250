//! Local accounts in MongoDB.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use secrecy::{ExposeSecret, SecretString};

use super::error::{is_duplicate_key, or_applied};
use super::operation::in_time;
use super::{MongoStore, binary, date, fields};
use crate::erasure::OF_USER;
use crate::{CreateOutcome, Credentials, NewUser, SecretHash, StoreResult, User, Users};

#[async_trait]
impl Users for MongoStore {
    async fn create_user(&self, new: NewUser) -> StoreResult<CreateOutcome> {
        let NewUser { user, email_key, password_hash } = new;
        let own = doc! { "_id": &user.id, "passwordHash": password_hash.expose_secret() };
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
            let inserted = users.insert_one(document).await.map(drop);
            let look = async { Ok(users.find_one(own).await?.map(drop)) };
            match or_applied(inserted, look).await {
                Ok(()) => Ok(CreateOutcome::Created),
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
        let found = self.operations.find_one(&self.users, doc! { "emailKey": email_key }).await?;
        found.map(|document| credentials(&document)).transpose()
    }

    async fn find_user(&self, user_id: &str) -> StoreResult<Option<User>> {
        let found = self.operations.find_one(&self.users, doc! { "_id": user_id }).await?;
        found.map(|document| user(&document)).transpose()
    }

    async fn find_credentials_of(&self, user_id: &str) -> StoreResult<Option<Credentials>> {
        let found = self.operations.find_one(&self.users, doc! { "_id": user_id }).await?;
        found.map(|document| credentials(&document)).transpose()
    }

    async fn change_password(
        &self,
        user_id: &str,
        old_hash: &SecretString,
        new_hash: &SecretString,
        kept: Option<&SecretHash>,
        revoke_keys: bool,
    ) -> StoreResult<bool> {
        let filter = doc! { "_id": user_id, "passwordHash": old_hash.expose_secret() };
        let update = doc! { "$set": { "passwordHash": new_hash.expose_secret() } };
        // No two hashes are alike, not even of one password.
        let own = doc! { "_id": user_id, "passwordHash": new_hash.expose_secret() };
        let mut others = doc! { "userId": user_id };
        if let Some(kept) = kept {
            others.insert("_id", doc! { "$ne": binary(kept) });
        }
        let of_user = doc! { "userId": user_id };
        let (users, sessions, keys) = (self.users.clone(), self.sessions.clone(), self.api_keys.clone());
        let change = async move {
            if users.find_one(filter.clone()).await?.is_none() {
                return Ok(false);
            }
            let end_old = async || {
                sessions.delete_many(others.clone()).await?;
                if revoke_keys {
                    keys.delete_many(of_user.clone()).await?;
                }
                Ok::<_, mongodb::error::Error>(())
            };
            in_time()?;
            // Before, for whoever dies after the change; after, for those that were opened in between.
            end_old().await?;
            in_time()?;
            let changed = users.update_one(filter, update).await.map(|updated| updated.matched_count == 1);
            let look = async { Ok(users.find_one(own).await?.map(|_| true)) };
            let is_changed = or_applied(changed, look).await?;
            end_old().await?;
            Ok(is_changed)
        };
        self.operations.run(change).await
    }

    async fn delete_user(&self, user_id: &str) -> StoreResult<bool> {
        let (database, users, user_id) = (self.database.clone(), self.users.clone(), user_id.to_owned());
        let delete = async move {
            let erase_owned = async || {
                for owned in OF_USER {
                    let of_user = doc! { owned.field: &user_id };
                    database.collection::<Document>(owned.kept_in).delete_many(of_user).await?;
                }
                Ok::<_, mongodb::error::Error>(())
            };
            erase_owned().await?;
            in_time()?;
            // The account goes after that, so that what died half-way can be repeated.
            let deleted = users.delete_one(doc! { "_id": &user_id }).await?;
            // A sign-in can have found the account until now, and what it opened can have made a key. No later one does.
            erase_owned().await?;
            Ok(deleted)
        };
        Ok(self.operations.run(delete).await?.deleted_count == 1)
    }
}

fn credentials(document: &Document) -> StoreResult<Credentials> {
    let password_hash = SecretString::from(fields::required_text(document, "passwordHash")?);
    Ok(Credentials { user: user(document)?, password_hash })
}

fn user(document: &Document) -> StoreResult<User> {
    Ok(User {
        id: fields::required_text(document, "_id")?,
        email: fields::required_text(document, "email")?,
        name: fields::text(document, "name"),
        created_at: fields::required_time(document, "createdAt")?,
    })
}
