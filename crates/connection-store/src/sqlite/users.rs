//! Local accounts in SQLite.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use secrecy::{ExposeSecret, SecretString};

use super::columns::Millis;
use super::{SqliteStore, api_keys, deletions, sessions};
use crate::erasure::OF_USER;
use crate::{CreateOutcome, Credentials, NewUser, SecretHash, StoreResult, User, Users};

const CREATE: &str = "INSERT INTO users (id, email, email_key, name, password_hash, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (email_key) DO NOTHING";

pub(super) const FIND_BY_EMAIL: &str =
    "SELECT id, email, name, created_at, password_hash FROM users WHERE email_key = ?1";

pub(super) const FIND_BY_ID: &str = "SELECT id, email, name, created_at FROM users WHERE id = ?1";

pub(super) const FIND_CREDENTIALS_BY_ID: &str =
    "SELECT id, email, name, created_at, password_hash FROM users WHERE id = ?1";

pub(super) const CHANGE_PASSWORD: &str =
    "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";

pub(super) const DELETE: &str = "DELETE FROM users WHERE id = ?1";

#[async_trait]
impl Users for SqliteStore {
    async fn create_user(&self, new: NewUser) -> StoreResult<CreateOutcome> {
        let inserted = self.writer.write(move |transaction| {
            let NewUser { user, email_key, password_hash } = new;
            transaction.prepare_cached(CREATE)?.execute(params![
                user.id,
                user.email,
                email_key,
                user.name,
                password_hash.expose_secret(),
                Millis(user.created_at),
            ])
        });
        Ok(if inserted.await? == 1 { CreateOutcome::Created } else { CreateOutcome::EmailTaken })
    }

    async fn find_credentials(&self, email_key: &str) -> StoreResult<Option<Credentials>> {
        let found = self.readers.read(|connection| {
            connection.prepare_cached(FIND_BY_EMAIL)?.query_row([email_key], credentials).optional()
        });
        Ok(found.await?)
    }

    async fn find_user(&self, user_id: &str) -> StoreResult<Option<User>> {
        let found = self
            .readers
            .read(|connection| connection.prepare_cached(FIND_BY_ID)?.query_row([user_id], user).optional());
        Ok(found.await?)
    }

    async fn find_credentials_of(&self, user_id: &str) -> StoreResult<Option<Credentials>> {
        let found = self.readers.read(|connection| {
            connection.prepare_cached(FIND_CREDENTIALS_BY_ID)?.query_row([user_id], credentials).optional()
        });
        Ok(found.await?)
    }

    async fn change_password(
        &self,
        user_id: &str,
        old_hash: &SecretString,
        new_hash: &SecretString,
        kept: Option<&SecretHash>,
        revoke_keys: bool,
    ) -> StoreResult<bool> {
        let (user_id, old_hash, new_hash) = (user_id.to_owned(), old_hash.clone(), new_hash.clone());
        let kept = kept.copied();
        let changed = self.writer.erase(move |transaction| {
            let values = params![user_id, old_hash.expose_secret(), new_hash.expose_secret()];
            let is_changed = transaction.prepare_cached(CHANGE_PASSWORD)?.execute(values)? == 1;
            if is_changed {
                transaction.prepare_cached(sessions::DELETE_OF_USER)?.execute(params![user_id, kept])?;
            }
            if is_changed && revoke_keys {
                transaction.prepare_cached(api_keys::DELETE_OF_USER)?.execute([user_id])?;
            }
            Ok(is_changed)
        });
        Ok(changed.await?)
    }

    async fn delete_user(&self, user_id: &str) -> StoreResult<bool> {
        let user_id = user_id.to_owned();
        let deleted = self.writer.erase(move |transaction| {
            deletions::erase(transaction, &OF_USER, &user_id)?;
            transaction.prepare_cached(DELETE)?.execute([user_id])
        });
        Ok(deleted.await? == 1)
    }
}

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    let password_hash: String = row.get("password_hash")?;
    Ok(Credentials { user: user(row)?, password_hash: SecretString::from(password_hash) })
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        created_at: row.get::<_, Millis>("created_at")?.0,
    })
}
