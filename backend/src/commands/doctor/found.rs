//! The configuration, as far as it can be understood.

use crate::config::{
    Config, ConfigError, DatabaseConfig, EncryptionConfig, InstagramConfig, JobsConfig, LimitsConfig,
    LogConfig, ServerConfig, Variables,
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
            limits: None,
        };
        this.server = this.read(ServerConfig::from_env);
        this.database = this.read(DatabaseConfig::from_env);
        if let (Some(server), Some(database)) = (this.server.clone(), this.database.clone()) {
            this.encryption =
                this.read(|variables| EncryptionConfig::from_env(variables, &server, &database));
        }
        this.instagram = this.read(InstagramConfig::from_env);
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

    /// `INSTAGRAM_REDIRECT_URI`, where it is a URL.
    pub(super) fn redirect_uri(&self) -> Option<String> {
        self.variables.get("INSTAGRAM_REDIRECT_URI").ok()?.map(str::to_owned)
    }
}
