//! Keys of programs that the operator gives.

use secrecy::SecretString;

use super::{ConfigError, Variables};
use crate::caller::api_key::ApiKeyText;

pub(crate) const BOOTSTRAP_VARIABLE: &str = "BOOTSTRAP_SERVICE_KEY";

/// Keys that are there from the start.
#[derive(Clone, Debug, Default)]
pub struct KeysConfig {
    /// `BOOTSTRAP_SERVICE_KEY`: a service key that can do everything; checked already.
    pub bootstrap_service_key: Option<SecretString>,
}

impl KeysConfig {
    /// Reads the variable named at the field.
    ///
    /// # Errors
    /// When it has not the form of a key.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let Some(text) = variables.get(BOOTSTRAP_VARIABLE)? else { return Ok(Self::default()) };
        let key = ApiKeyText::parse(text).ok_or_else(|| {
            let accepts =
                "a key of the form igc_live_… (\"instagram-connect keys generate-service\" prints one)";
            ConfigError::new(BOOTSTRAP_VARIABLE, accepts)
        })?;
        Ok(Self { bootstrap_service_key: Some(key.expose().into()) })
    }
}
