//! Configuration: environment variables, read once at start into typed values.

mod database;
mod encryption;
mod instagram;
mod jobs;
mod keys;
mod limits;
mod log;
mod metrics;
mod server;
mod spotify;
mod variables;
mod webhooks;

pub use database::DatabaseConfig;
pub use encryption::EncryptionConfig;
pub use instagram::{InstagramApp, InstagramConfig};
pub use jobs::JobsConfig;
pub(crate) use keys::BOOTSTRAP_VARIABLE;
pub use keys::KeysConfig;
pub use limits::{LimitsConfig, RateLimits};
pub use log::{LogConfig, LogFormat};
pub use metrics::MetricsConfig;
pub use server::ServerConfig;
pub use spotify::{SpotifyApp, SpotifyConfig};
pub use variables::{ConfigError, Variables};
pub use webhooks::WebhooksConfig;

/// Everything that can be configured, one field a concern.
#[derive(Debug)]
pub struct Config {
    /// Addresses, origins, files served.
    pub server: ServerConfig,
    /// The database to use.
    pub database: DatabaseConfig,
    /// The keys that tokens are encrypted with.
    pub encryption: EncryptionConfig,
    /// The Instagram app and where Instagram is.
    pub instagram: InstagramConfig,
    /// The Spotify app and where Spotify is.
    pub spotify: SpotifyConfig,
    /// Background work.
    pub jobs: JobsConfig,
    /// Limits on how often a client may ask, and the way to know the client.
    pub limits: LimitsConfig,
    /// Keys of programs that are there from the start.
    pub keys: KeysConfig,
    /// Receivers of webhooks about connections.
    pub webhooks: WebhooksConfig,
    /// Address at which metrics are served.
    pub metrics: MetricsConfig,
    /// Form of the log.
    pub log: LogConfig,
}

impl Config {
    /// Reads every variable.
    ///
    /// # Errors
    /// The first wrong value, by the variable's name and what it accepts; the value itself is not repeated.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let server = ServerConfig::from_env(variables)?;
        let database = DatabaseConfig::from_env(variables)?;
        let encryption = EncryptionConfig::from_env(variables, &server, &database)?;
        let instagram = InstagramConfig::from_env(variables)?;
        Ok(Self {
            spotify: SpotifyConfig::from_env(variables, instagram.timeout)?,
            instagram,
            jobs: JobsConfig::from_env(variables)?,
            keys: KeysConfig::from_env(variables)?,
            limits: LimitsConfig::from_env(variables)?,
            webhooks: WebhooksConfig::from_env(variables)?,
            metrics: MetricsConfig::from_env(variables)?,
            log: LogConfig::from_env(variables)?,
            server,
            database,
            encryption,
        })
    }
}
