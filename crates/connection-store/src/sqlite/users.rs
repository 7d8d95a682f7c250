//! Local accounts in SQLite.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use secrecy::{ExposeSecret, SecretString};

use super::SqliteStore;
use super::columns::Millis;
use crate::{CreateOutcome, Credentials, NewUser, StoreResult, User, Users};

const CREATE: &str = "INSERT INTO users (id, email, email_key, name, password_hash, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (email_key) DO NOTHING";

pub(super) const FIND_BY_EMAIL: &str =
    "SELECT id, email, name, created_at, password_hash FROM users WHERE email_key = ?1";

pub(super) const FIND_BY_ID: &str = "SELECT id, email, name, created_at FROM users WHERE id = ?1";

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
            let mut statement = connection.prepare_cached(FIND_BY_EMAIL)?;
            let row = statement.query_row([email_key], |row| {
                let password_hash: String = row.get("password_hash")?;
                Ok(Credentials { user: user(row)?, password_hash: SecretString::from(password_hash) })
            });
            row.optional()
        });
        Ok(found.await?)
    }

    async fn find_user(&self, user_id: &str) -> StoreResult<Option<User>> {
        let found = self
            .readers
            .read(|connection| connection.prepare_cached(FIND_BY_ID)?.query_row([user_id], user).optional());
        Ok(found.await?)
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        created_at: row.get::<_, Millis>("created_at")?.0,
    })
}
