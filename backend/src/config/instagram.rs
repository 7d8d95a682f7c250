//! The Instagram app and where Instagram is.

use std::time::Duration;

use secrecy::SecretString;
use shared::INSTAGRAM_CALLBACK_PATH;
use url::Url;

use super::{ConfigError, Variables};

/// Addresses of Instagram, and the app that acts there once it is set up.
#[derive(Clone, Debug)]
pub struct InstagramConfig {
    /// The app, or the names of the variables that are missing.
    pub app: Result<InstagramApp, Vec<&'static str>>,
    /// `META_APP_SECRET`: a second secret that may sign what Meta sends.
    pub meta_app_secret: Option<SecretString>,
    /// `INSTAGRAM_AUTHORIZE_URL`: where the browser is sent.
    pub authorize_url: Url,
    /// `INSTAGRAM_TOKEN_URL`: where a code becomes a token.
    pub token_url: Url,
    /// `INSTAGRAM_GRAPH_URL`: everything else.
    pub graph_url: Url,
    /// `INSTAGRAM_GRAPH_VERSION`: `v` and a number.
    pub graph_version: String,
    /// `INSTAGRAM_TIMEOUT_SECONDS`: for one upstream call.
    pub timeout: Duration,
}

/// The app's entry in Meta's dashboard.
#[derive(Clone, Debug)]
pub struct InstagramApp {
    /// `INSTAGRAM_APP_ID`: the Instagram app id, not the Meta app id.
    pub id: String,
    /// `INSTAGRAM_APP_SECRET`.
    pub secret: SecretString,
    /// `INSTAGRAM_REDIRECT_URI`: byte for byte as in the dashboard, so it stays text.
    pub redirect_uri: String,
}

impl InstagramConfig {
    /// Reads the variables named at the fields.
    ///
    /// # Errors
    /// On a wrong value. Missing ones of the app are no error here: the login route names them.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        Ok(Self {
            app: app(variables)?,
            meta_app_secret: variables.get("META_APP_SECRET")?.map(SecretString::from),
            authorize_url: variables
                .web_url("INSTAGRAM_AUTHORIZE_URL", instagram_client::DEFAULT_AUTHORIZE_URL)?,
            token_url: variables.web_url("INSTAGRAM_TOKEN_URL", instagram_client::DEFAULT_TOKEN_URL)?,
            graph_url: variables.web_url("INSTAGRAM_GRAPH_URL", instagram_client::DEFAULT_GRAPH_URL)?,
            graph_version: graph_version(variables)?,
            timeout: timeout(variables)?,
        })
    }

    /// Returns the settings of a client for this app, which nobody observes.
    pub(crate) fn client(&self, app: &InstagramApp) -> instagram_client::Config {
        let app = app.clone();
        instagram_client::Config {
            authorize_url: self.authorize_url.clone(),
            token_url: self.token_url.clone(),
            graph_url: self.graph_url.clone(),
            graph_version: self.graph_version.clone(),
            timeout: self.timeout,
            ..instagram_client::Config::new(app.id, app.secret, app.redirect_uri)
        }
    }
}

fn app(variables: &Variables) -> Result<Result<InstagramApp, Vec<&'static str>>, ConfigError> {
    const NAMES: [&str; 3] = ["INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET", "INSTAGRAM_REDIRECT_URI"];
    let all = variables.all_of(NAMES)?;
    if variables.get(NAMES[0])?.is_some_and(|id| !id.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(ConfigError::new(NAMES[0], "the Instagram app id from Meta's dashboard, digits only"));
    }
    if variables.get(NAMES[2])?.is_some() {
        variables.web_url(NAMES[2], &format!("http://localhost:4002{INSTAGRAM_CALLBACK_PATH}"))?;
    }
    Ok(all.map(|[id, secret, redirect_uri]| InstagramApp {
        id: id.to_owned(),
        secret: secret.into(),
        redirect_uri: redirect_uri.to_owned(),
    }))
}

fn graph_version(variables: &Variables) -> Result<String, ConfigError> {
    let name = "INSTAGRAM_GRAPH_VERSION";
    let version = variables.get_or(name, instagram_client::DEFAULT_GRAPH_VERSION)?;
    if !instagram_client::is_graph_version(version) {
        return Err(ConfigError::new(name, "a version such as v25.0"));
    }
    Ok(version.to_owned())
}

fn timeout(variables: &Variables) -> Result<Duration, ConfigError> {
    let name = "INSTAGRAM_TIMEOUT_SECONDS";
    let Some(seconds) = variables.get(name)? else { return Ok(upstream::DEFAULT_TIMEOUT) };
    let seconds = seconds.parse().ok().filter(|seconds| (0.1..=120.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| ConfigError::new(name, "seconds from 0.1 to 120"))
}
