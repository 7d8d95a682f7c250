//! Configuration of the database.

use std::path::PathBuf;

use connection_store::{DatabaseUrl, InvalidDatabaseUrl};

use super::{ConfigError, Variables};

/// The database to use.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`: a file for SQLite, or a MongoDB server and database.
    pub url: DatabaseUrl,
}

impl DatabaseConfig {
    /// Reads `DATABASE_URL`.
    ///
    /// # Errors
    /// When it names neither store.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let url = variables.get_or("DATABASE_URL", "sqlite:./data/instagram.db")?.parse();
        let url = url.map_err(|why: InvalidDatabaseUrl| {
            ConfigError::new("DATABASE_URL", why.to_string().trim_start_matches("expected "))
        })?;
        Ok(Self { url })
    }

    /// The database's file, when it is SQLite.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => Some(path.clone()),
            DatabaseUrl::MongoDb(_) => None,
        }
    }
}
