//! Checks of settings that every client has.

use oauth2::RedirectUrl;
use url::Url;

/// Reasons why the settings of a client cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting can never work.
    #[error("{field} {problem}")]
    Setting {
        /// The field of the client's configuration.
        field: &'static str,
        /// What is wrong with it, as the rest of a sentence that begins with the field.
        problem: &'static str,
    },
    /// TLS cannot work: most likely the operating system has no certificates.
    #[error(
        "TLS cannot be set up; are the system's CA certificates installed (Debian: package ca-certificates)?"
    )]
    Tls(#[source] rustls::Error),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up")]
    HttpClient(#[source] reqwest::Error),
}

impl ConfigError {
    /// Makes the error for a setting; `problem` goes on from the field's name.
    #[must_use]
    pub fn setting(field: &'static str, problem: &'static str) -> Self {
        Self::Setting { field, problem }
    }
}

/// Refuses a required text that is empty.
///
/// # Errors
/// [`ConfigError::Setting`].
pub fn check_not_empty(field: &'static str, text: &str) -> Result<(), ConfigError> {
    if text.trim().is_empty() { Err(ConfigError::setting(field, "is empty")) } else { Ok(()) }
}

/// Refuses an address that is not http or https.
///
/// # Errors
/// [`ConfigError::Setting`].
pub fn check_http(field: &'static str, url: &Url) -> Result<(), ConfigError> {
    if is_http(url) { Ok(()) } else { Err(ConfigError::setting(field, "is not an http or https URL")) }
}

/// Reads a redirect URI, which has to be an absolute http or https URL. It stays the text that was given: providers compare
/// it byte for byte.
///
/// # Errors
/// [`ConfigError::Setting`].
pub fn parse_redirect_uri(redirect_uri: &str) -> Result<RedirectUrl, ConfigError> {
    RedirectUrl::new(redirect_uri.to_owned())
        .ok()
        .filter(|redirect_uri| is_http(redirect_uri.url()))
        .ok_or(ConfigError::setting("redirect_uri", "is not an absolute http or https URL"))
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}
