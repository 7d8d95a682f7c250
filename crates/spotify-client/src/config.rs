//! Settings for reaching Spotify as one app.

use std::sync::Arc;
use std::time::Duration;

use oauth2::RedirectUrl;
use secrecy::{ExposeSecret, SecretString};
use upstream::{CallObserver, ConfigError, DEFAULT_TIMEOUT, Transport, check_not_empty, parse_redirect_uri};
use url::Url;

/// The base of the consent page and of the token endpoint (`spotify-api.md` §1 and §2).
pub const DEFAULT_ACCOUNTS_URL: &str = "https://accounts.spotify.com";

/// The base of the Web API (`spotify-api.md` §5).
pub const DEFAULT_API_URL: &str = "https://api.spotify.com";

/// Settings for reaching Spotify as one app. [`Config::new`] fills in the defaults; every field can be set after that.
/// `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// The address to which Spotify sends the browser back. It is sent byte for byte as given here, and must match the
    /// dashboard's entry so: https, or http on `127.0.0.1` or `[::1]`.
    pub redirect_uri: String,
    /// The address below which `authorize` and `api/token` are; by default [`DEFAULT_ACCOUNTS_URL`].
    pub accounts_url: Url,
    /// The address below which `v1` is; by default [`DEFAULT_API_URL`].
    pub api_url: Url,
    /// The time that one call may take, from connecting to the last byte; by default [`DEFAULT_TIMEOUT`].
    pub timeout: Duration,
    /// Told of each call when it is over; by default nobody.
    pub observer: Option<Arc<dyn CallObserver>>,
}

impl Config {
    /// Returns the configuration of an app, with the defaults for everything else.
    #[must_use]
    pub fn new(client_id: String, client_secret: SecretString, redirect_uri: String) -> Self {
        let url = |text| Url::parse(text).expect("the defaults are URLs, as the tests check");
        Self {
            client_id,
            client_secret,
            redirect_uri,
            accounts_url: url(DEFAULT_ACCOUNTS_URL),
            api_url: url(DEFAULT_API_URL),
            timeout: DEFAULT_TIMEOUT,
            observer: None,
        }
    }

    /// Refuses empty credentials and a redirect URI that Spotify refuses, so that they show at the start and not at the first
    /// person's connect.
    ///
    /// # Errors
    /// Names the setting that can never work.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_not_empty("client_id", &self.client_id)?;
        check_not_empty("client_secret", self.client_secret.expose_secret())?;
        self.redirect_uri().map(drop)
    }

    /// Makes the way out to Spotify.
    pub(crate) fn transport(&self) -> Result<Transport, ConfigError> {
        let called = [("accounts_url", &self.accounts_url), ("api_url", &self.api_url)];
        Transport::new("spotify", self.timeout, self.observer.clone(), &called)
    }

    /// Reads the redirect URI, and refuses one that Spotify refuses (`spotify-api.md` §1): `localhost`, and http anywhere but
    /// on a loopback address that is written as one.
    pub(crate) fn redirect_uri(&self) -> Result<RedirectUrl, ConfigError> {
        let redirect_uri = parse_redirect_uri(&self.redirect_uri)?;
        let url = redirect_uri.url();
        let host = url.host_str().unwrap_or_default();
        if host == "localhost" {
            return Err(ConfigError::setting(
                "redirect_uri",
                "is on localhost, which Spotify refuses; write 127.0.0.1 instead, here and in Spotify's dashboard",
            ));
        }
        let is_loopback = matches!(host, "127.0.0.1" | "[::1]")
            // Other ways to write the same address are other texts to Spotify.
            && redirect_uri.as_str().to_ascii_lowercase().starts_with(&format!("http://{host}"));
        if url.scheme() != "https" && !is_loopback {
            return Err(ConfigError::setting(
                "redirect_uri",
                "is http, which Spotify accepts for 127.0.0.1 and [::1] only; use https",
            ));
        }
        Ok(redirect_uri)
    }
}
