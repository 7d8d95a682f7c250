//! Metrics.

use std::net::SocketAddr;

use super::{ConfigError, Variables};

/// Address at which metrics are served.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// `METRICS_ADDRESS`: address and port to serve metrics on; `None`: they are not served.
    pub address: Option<SocketAddr>,
}

impl MetricsConfig {
    /// Reads `METRICS_ADDRESS`.
    ///
    /// # Errors
    /// On a wrong value.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let name = "METRICS_ADDRESS";
        let Some(address) = variables.get(name)? else { return Ok(Self { address: None }) };
        let wrong = |_| ConfigError::new(name, "an IP address and port such as 127.0.0.1:9464");
        Ok(Self { address: Some(address.parse().map_err(wrong)?) })
    }
}
