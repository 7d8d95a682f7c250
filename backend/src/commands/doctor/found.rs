//! The configuration, as far as it can be understood.

use shared::Provider;

use crate::config::{
    Config, ConfigError, DatabaseConfig, EncryptionConfig, InstagramConfig, JobsConfig, LimitsConfig,
    LogConfig, ServerConfig, SpotifyConfig, Variables,
};

/// The configuration as far as it can be understood. A variable that is wrong is taken for unset, so that the rest can be
/// told; whoever depends on it asks [`Found::is_wrong`].
pub(super) struct Found {
    variables: Variables,
    pub(super) problems: Vec<ConfigError>,
    pub(super) server: Option<ServerConfig>,
    pub(super) database: Option<DatabaseConfig>,
    pub(super) encryption: Option<EncryptionConfig>,
    pub(super) instagram: Option<InstagramConfig>,
    pub(super) spotify: Option<SpotifyConfig>,
    pub(super) limits: Option<LimitsConfig>,
}

impl Found {
    /// Reads the environment and `.env`.
    pub(super) fn in_environment() -> Self {
        match Variables::of_process_and_file() {
            Ok(variables) => Self::new(variables, Vec::new()),
            Err(of_file) => Self::new(Variables::of_process(), vec![of_file]),
        }
    }

    pub(super) fn new(variables: Variables, problems: Vec<ConfigError>) -> Self {
        let mut this = Self {
            variables,
            problems,
            server: None,
            database: None,
            encryption: None,
            instagram: None,
            spotify: None,
            limits: None,
        };
        this.server = this.read(ServerConfig::from_env);
        this.database = this.read(DatabaseConfig::from_env);
        if let (Some(server), Some(database)) = (this.server.clone(), this.database.clone()) {
            this.encryption =
                this.read(|variables| EncryptionConfig::from_env(variables, &server, &database));
        }
        this.instagram = this.read(InstagramConfig::from_env);
        if let Some(timeout) = this.instagram.as_ref().map(|instagram| instagram.timeout) {
            this.spotify = this.read(|variables| SpotifyConfig::from_env(variables, timeout));
        }
        this.read(JobsConfig::from_env);
        this.read(LogConfig::from_env);
        this.limits = this.read(LimitsConfig::from_env);
        // And whatever else there is.
        this.read(Config::from_env);
        this
    }

    /// A part of the configuration, taking for unset what is wrong in it; `None` when that is not enough.
    fn read<T>(&mut self, parse: impl Fn(&Variables) -> Result<T, ConfigError>) -> Option<T> {
        loop {
            match parse(&self.variables) {
                Ok(part) => return Some(part),
                Err(error) => {
                    let variable = error.variable;
                    if !self.is_wrong(variable) {
                        self.problems.push(error);
                    }
                    if !self.variables.remove(variable) {
                        return None;
                    }
                }
            }
        }
    }

    /// Tells whether this variable has a value that cannot be understood, or lacks a value that it must have.
    pub(super) fn is_wrong(&self, variable: &str) -> bool {
        self.problems.iter().any(|problem| problem.variable == variable)
    }

    /// Returns the redirect URI of a provider's app, where it is one.
    pub(super) fn redirect_uri(&self, provider: Provider) -> Option<String> {
        self.variables.get(redirect_variable(provider)).ok()?.map(str::to_owned)
    }

    /// Returns the variables of a provider's app that have no value, or one that cannot be understood.
    pub(super) fn missing(&self, provider: Provider) -> &[&'static str] {
        let missing = match provider {
            Provider::Instagram => self.instagram.as_ref().and_then(|config| config.app.as_ref().err()),
            Provider::Spotify => self.spotify.as_ref().and_then(|config| config.app.as_ref().err()),
        };
        missing.map_or(&[], Vec::as_slice)
    }

    /// Tells whether anything of a provider's app is set.
    pub(super) fn is_set_up(&self, provider: Provider) -> bool {
        let missing = self.missing(provider);
        missing.len() < APP_VARIABLES || missing.iter().any(|variable| self.is_wrong(variable))
    }
}

/// The number of an app's variables: its id, its secret and its redirect URI.
const APP_VARIABLES: usize = 3;

/// Names the variable of a redirect URI.
pub(super) fn redirect_variable(provider: Provider) -> &'static str {
    match provider {
        Provider::Instagram => "INSTAGRAM_REDIRECT_URI",
        Provider::Spotify => "SPOTIFY_REDIRECT_URI",
    }
}
