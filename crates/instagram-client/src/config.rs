//! Settings for reaching Instagram as one app.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use upstream::{CallObserver, ConfigError, DEFAULT_TIMEOUT, Transport, check_http, check_not_empty};
use url::Url;

/// Address that the browser is sent to. Not `https://api.instagram.com/oauth/authorize`, an alias that shows
/// "Sorry, this page isn't available" since August 2026 (`instagram-api.md` §1).
pub const DEFAULT_AUTHORIZE_URL: &str = "https://www.instagram.com/oauth/authorize";

/// Address at which codes are exchanged (`instagram-api.md` §2).
pub const DEFAULT_TOKEN_URL: &str = "https://api.instagram.com/oauth/access_token";

/// The base of the Graph API (`instagram-api.md` §3 to §5).
pub const DEFAULT_GRAPH_URL: &str = "https://graph.instagram.com";

/// The version of the Graph API (`instagram-api.md` §5).
pub const DEFAULT_GRAPH_VERSION: &str = "v25.0";

/// Settings for reaching Instagram as one app. [`Config::new`] fills in the defaults; every field can be set
/// after that. `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// The **Instagram** app id (dashboard: Instagram → API setup with Instagram login), not the Meta app id.
    pub app_id: String,
    /// The Instagram app's secret.
    pub app_secret: SecretString,
    /// The address to which Instagram sends the browser back. It is sent byte for byte as given here, and
    /// must match the dashboard's entry so.
    pub redirect_uri: String,
    /// The address that the browser is sent to; by default [`DEFAULT_AUTHORIZE_URL`].
    pub authorize_url: Url,
    /// The address at which codes are exchanged; by default [`DEFAULT_TOKEN_URL`].
    pub token_url: Url,
    /// The base of the Graph API; by default [`DEFAULT_GRAPH_URL`].
    pub graph_url: Url,
    /// The version of the Graph API, such as `v25.0`; by default [`DEFAULT_GRAPH_VERSION`].
    pub graph_version: String,
    /// The time that one call may take, from connecting to the last byte; by default [`DEFAULT_TIMEOUT`].
    pub timeout: Duration,
    /// Told of each call when it is over; by default nobody.
    pub observer: Option<Arc<dyn CallObserver>>,
}

impl Config {
    /// The configuration of an app, with the defaults for everything else.
    #[must_use]
    pub fn new(app_id: String, app_secret: SecretString, redirect_uri: String) -> Self {
        let url = |text| Url::parse(text).expect("the defaults are URLs, as the tests check");
        Self {
            app_id,
            app_secret,
            redirect_uri,
            authorize_url: url(DEFAULT_AUTHORIZE_URL),
            token_url: url(DEFAULT_TOKEN_URL),
            graph_url: url(DEFAULT_GRAPH_URL),
            graph_version: DEFAULT_GRAPH_VERSION.to_owned(),
            timeout: DEFAULT_TIMEOUT,
            observer: None,
        }
    }

    /// Refuses what can never work, so that it shows at the start and not at the first person's connect.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        check_not_empty("app_id", &self.app_id)?;
        check_not_empty("app_secret", self.app_secret.expose_secret())?;
        check_http("authorize_url", &self.authorize_url)?;
        if !is_graph_version(&self.graph_version) {
            return Err(ConfigError::setting("graph_version", "is not of the form v25.0"));
        }
        Ok(())
    }

    /// Makes the way out to Instagram.
    pub(crate) fn transport(&self) -> Result<Transport, ConfigError> {
        let called = [("token_url", &self.token_url), ("graph_url", &self.graph_url)];
        Transport::new("instagram", self.timeout, self.observer.clone(), &called)
    }
}

/// Tells whether a text is a version of the Graph API, such as `v25.0`. It becomes a segment of the path, so
/// nothing else may get in.
#[must_use]
pub fn is_graph_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
