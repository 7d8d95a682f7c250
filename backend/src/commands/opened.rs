//! Opens the database and the keys that are there, for commands. Neither is made.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use connection_store::{DatabaseUrl, Store};
use secrecy::{ExposeSecret, SecretString};
use token_vault::Keyring;

use crate::config::{Config, DatabaseConfig, EncryptionConfig, ServerConfig, Variables};
use crate::routes;
use crate::state::AppState;
use domain::clock::SystemClock;

/// Longest time that a database may take to close before it is left alone.
const CLOSING: Duration = Duration::from_secs(2);

/// The database, where there is one.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub(super) async fn store(config: &DatabaseConfig) -> Result<Arc<dyn Store>, Box<dyn Error>> {
    let opened = connection_store::connect_existing(&config.url).await;
    let opened = opened.map_err(|error| format!("DATABASE_URL: {}", super::sentence(&error)))?;
    Ok(opened.ok_or_else(|| no_database(config))?)
}

/// The database that the configuration names; no other variable is looked at.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub(super) async fn store_alone() -> Result<Arc<dyn Store>, Box<dyn Error>> {
    store(&DatabaseConfig::from_env(&Variables::of_process_and_file()?)?).await
}

/// That there is no database.
pub(super) fn no_database(config: &DatabaseConfig) -> String {
    match &config.url {
        DatabaseUrl::Sqlite(path) => format!("there is no database at {} (DATABASE_URL)", path.display()),
        DatabaseUrl::MongoDb(_) => {
            "the MongoDB database that DATABASE_URL names holds nothing of this service".to_owned()
        }
    }
}

/// Lets go of the database.
pub(super) async fn close(store: &Arc<dyn Store>) {
    // The process ends in any case.
    let _ = tokio::time::timeout(CLOSING, store.close()).await;
}

/// The keys in use.
///
/// # Errors
/// When they are not there or cannot be understood.
pub(super) fn keyring(config: &EncryptionConfig) -> Result<Keyring, Box<dyn Error>> {
    let text = match config {
        EncryptionConfig::Given(keys) => keys.clone(),
        EncryptionConfig::File { keys, .. } => {
            let file = keys.display();
            let read = fs::read_to_string(keys).map(SecretString::from);
            read.map_err(|why| {
                format!(
                    "the key file {file} cannot be read ({why}): restore it, or set TOKEN_ENCRYPTION_KEYS"
                )
            })?
        }
    };
    Keyring::parse(text.expose_secret().trim()).map_err(|why| format!("TOKEN_ENCRYPTION_KEYS: {why}").into())
}

/// The part of the configuration that says where the data is, and the keys to it, where they can be had.
pub(super) struct Data {
    pub(super) store: Arc<dyn Store>,
    pub(super) keyring: Result<Keyring, Box<dyn Error>>,
}

/// Opens database and keys. Other variables are not looked at: one that is wrong must not keep an operator from looking.
///
/// # Errors
/// When there is no database.
pub(super) async fn data() -> Result<Data, Box<dyn Error>> {
    let variables = Variables::of_process_and_file()?;
    let database = DatabaseConfig::from_env(&variables)?;
    let store = store(&database).await?;
    let encryption = ServerConfig::from_env(&variables)
        .and_then(|server| EncryptionConfig::from_env(&variables, &server, &database));
    let keyring = encryption.map_err(Into::into).and_then(|config| keyring(&config));
    Ok(Data { store, keyring })
}

/// All that the service has, without the service: for what changes something, and tells whom the service would tell.
///
/// # Errors
/// With what keeps the service from starting, but for its address.
pub(super) async fn state() -> Result<AppState, Box<dyn Error>> {
    let mut config = Config::from_env(&Variables::of_process_and_file()?)?;
    // Nothing is served: a build that is being replaced keeps no command from its work.
    config.server.frontend_dist = None;
    let store = store(&config.database).await?;
    let keyring = keyring(&config.encryption)?;
    Ok(AppState::new(&config, keyring, store, Arc::new(SystemClock), routes::described())?)
}
