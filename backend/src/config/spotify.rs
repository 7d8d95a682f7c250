//! The Spotify app and where Spotify is.

use std::time::Duration;

use domain::providers::rules;
use secrecy::SecretString;
use shared::Provider;
use spotify_client::Config;
use url::Url;

use super::{ConfigError, Variables};

/// Addresses of Spotify, and the app that acts there once it is set up.
#[derive(Clone, Debug)]
pub struct SpotifyConfig {
    /// The app, or the names of the variables that are missing.
    pub app: Result<SpotifyApp, Vec<&'static str>>,
    /// `SPOTIFY_SCOPES`: permissions that are asked for.
    pub scopes: Vec<String>,
    /// `SPOTIFY_ACCOUNTS_URL`: where the browser is sent, and tokens are made.
    pub accounts_url: Url,
    /// `SPOTIFY_API_URL`: everything else.
    pub api_url: Url,
    /// `INSTAGRAM_TIMEOUT_SECONDS`: time for one upstream call, of either provider.
    pub timeout: Duration,
}

/// The app's entry in Spotify's dashboard.
#[derive(Clone, Debug)]
pub struct SpotifyApp {
    /// `SPOTIFY_CLIENT_ID`.
    pub id: String,
    /// `SPOTIFY_CLIENT_SECRET`.
    pub secret: SecretString,
    /// `SPOTIFY_REDIRECT_URI`: byte for byte as in the dashboard, so it stays text.
    pub redirect_uri: String,
}

const NAMES: [&str; 3] = ["SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET", "SPOTIFY_REDIRECT_URI"];

impl SpotifyConfig {
    /// Reads the variables named at the fields.
    ///
    /// # Errors
    /// On a wrong value. Missing ones of the app are no error here: the login route names them.
    pub fn from_env(variables: &Variables, timeout: Duration) -> Result<Self, ConfigError> {
        let scopes = variables.get("SPOTIFY_SCOPES")?;
        let listed = |scopes: &str| scopes.split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Self {
            app: app(variables)?,
            scopes: scopes.map_or_else(|| rules(Provider::Spotify).default_permissions(), listed),
            accounts_url: variables.web_url("SPOTIFY_ACCOUNTS_URL", spotify_client::DEFAULT_ACCOUNTS_URL)?,
            api_url: variables.web_url("SPOTIFY_API_URL", spotify_client::DEFAULT_API_URL)?,
            timeout,
        })
    }

    /// Returns the settings of a client for this app, which nobody observes.
    pub(crate) fn client(&self, app: &SpotifyApp) -> Config {
        let app = app.clone();
        Config {
            accounts_url: self.accounts_url.clone(),
            api_url: self.api_url.clone(),
            timeout: self.timeout,
            ..Config::new(app.id, app.secret, app.redirect_uri)
        }
    }
}

fn app(variables: &Variables) -> Result<Result<SpotifyApp, Vec<&'static str>>, ConfigError> {
    let all = variables.all_of(NAMES)?;
    if let Some(redirect_uri) = variables.get(NAMES[2])? {
        let app = Config::new("id".to_owned(), "secret".into(), redirect_uri.to_owned());
        app.check().map_err(|error| {
            let accepts = format!("https, or http://127.0.0.1:4002/auth/spotify/callback; {error}");
            ConfigError::new(NAMES[2], accepts)
        })?;
    }
    Ok(all.map(|[id, secret, redirect_uri]| SpotifyApp {
        id: id.to_owned(),
        secret: secret.into(),
        redirect_uri: redirect_uri.to_owned(),
    }))
}
