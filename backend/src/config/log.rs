//! Configuration of the log's form.

use super::{ConfigError, Variables};

/// Form in which log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Form of the log.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `LOG_FORMAT`: `pretty` or `json`.
    pub format: LogFormat,
    /// `RUST_LOG`: which lines, in `tracing-subscriber`'s filter language.
    pub filter: String,
}

impl LogConfig {
    /// Reads `LOG_FORMAT` and `RUST_LOG`.
    ///
    /// # Errors
    /// On a wrong value.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let format = match variables.get_or("LOG_FORMAT", "pretty")? {
            "pretty" => LogFormat::Pretty,
            "json" => LogFormat::Json,
            _ => return Err(ConfigError::new("LOG_FORMAT", "pretty or json")),
        };
        let filter = variables.get_or("RUST_LOG", "info")?.to_owned();
        if tracing_subscriber::EnvFilter::try_new(&filter).is_err() {
            return Err(ConfigError::new("RUST_LOG", "a filter such as info or backend=debug"));
        }
        Ok(Self { format, filter })
    }
}
