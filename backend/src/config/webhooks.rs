//! Outbound webhooks: who is told what happens to connections.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretSlice;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{ConfigError, Variables};
use crate::notifications::is_public;

const URLS: &str = "OUTBOUND_WEBHOOK_URLS";
const SECRET: &str = "OUTBOUND_WEBHOOK_SECRET";
const ALLOW_PRIVATE: &str = "OUTBOUND_WEBHOOK_ALLOW_PRIVATE";

/// Receivers of webhooks about connections. `Debug` shows neither the secret nor more of a URL than its
/// origin.
#[derive(Clone)]
pub struct WebhooksConfig {
    /// `OUTBOUND_WEBHOOK_URLS`: where webhooks are posted to, each URL once; empty: nobody is told.
    pub urls: Vec<Url>,
    /// `OUTBOUND_WEBHOOK_SECRET`: the key that they are signed with, as bytes; there is one wherever there are URLs.
    pub secret: Option<SecretSlice<u8>>,
    /// `OUTBOUND_WEBHOOK_ALLOW_PRIVATE`: whether plain http and addresses that are not on the public internet are allowed.
    pub allow_private: bool,
}

impl WebhooksConfig {
    /// Reads the variables named at the fields.
    ///
    /// # Errors
    /// On a wrong value, and when there are URLs and no secret.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let allow_private = match variables.get_or(ALLOW_PRIVATE, "false")? {
            "false" => false,
            "true" => true,
            _ => return Err(ConfigError::new(ALLOW_PRIVATE, "true or false")),
        };
        let mut urls = Vec::new();
        for text in variables.get_or(URLS, "")?.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let url = url(text, allow_private)?;
            // Twice the same would be one message twice.
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        let secret = variables.get(SECRET)?.map(secret).transpose()?;
        if secret.is_none() && !urls.is_empty() {
            return Err(bad_secret());
        }
        Ok(Self { urls, secret, allow_private })
    }
}

impl fmt::Debug for WebhooksConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins: Vec<_> = self.urls.iter().map(|url| url.origin().ascii_serialization()).collect();
        f.debug_struct("WebhooksConfig")
            .field("urls", &origins)
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

fn url(text: &str, allow_private: bool) -> Result<Url, ConfigError> {
    let wrong = |what: &str| ConfigError::new(URLS, what);
    let shape = "https URLs without user name, password and fragment, separated by commas";
    let url = Url::parse(text).map_err(|_| wrong(shape))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong(shape));
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        "http" => return Err(wrong(&format!("{shape}; http is for {ALLOW_PRIVATE}=true"))),
        _ => return Err(wrong(shape)),
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    if !allow_private && address.is_some_and(|address| !is_public(address)) {
        return Err(wrong(&format!("public addresses; others are for {ALLOW_PRIVATE}=true")));
    }
    Ok(url)
}

/// The key in a secret of the form that Standard Webhooks gives it.
fn secret(text: &str) -> Result<SecretSlice<u8>, ConfigError> {
    let encoded = text.strip_prefix("whsec_").ok_or_else(bad_secret)?;
    let key = STANDARD.decode(encoded).map(Zeroizing::new).map_err(|_| bad_secret())?;
    if (24..=64).contains(&key.len()) { Ok(key.to_vec().into()) } else { Err(bad_secret()) }
}

fn bad_secret() -> ConfigError {
    let accepts = format!("whsec_ and the base64 of 24 to 64 random bytes, which {URLS} needs");
    ConfigError::new(SECRET, accepts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn read(pairs: &[(&str, &str)]) -> Result<WebhooksConfig, ConfigError> {
        WebhooksConfig::from_env(&Variables::from_iter(pairs.iter().copied()))
    }

    #[test]
    fn urls_must_be_public_https_unless_private_ones_are_allowed() {
        for url in [
            "http://hooks.example.com/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
        ] {
            let error = read(&[(URLS, url), (SECRET, GOOD)]).unwrap_err();
            assert_eq!(error.variable, URLS, "{url}");
            let allowed = read(&[(URLS, url), (SECRET, GOOD), (ALLOW_PRIVATE, "true")]);
            assert_eq!(allowed.unwrap().urls.len(), 1, "{url}");
        }
        for url in ["https://a:b@hooks.example.com/", "https://hooks.example.com/#x", "ftp://x/", "nonsense"]
        {
            let error = read(&[(URLS, url), (SECRET, GOOD), (ALLOW_PRIVATE, "true")]).unwrap_err();
            assert_eq!(error.variable, URLS, "{url}");
        }
        let twice = "https://hooks.example.com/a?b=c, https://hooks.example.com/a?b=c,https://8.8.8.8/";
        assert_eq!(read(&[(URLS, twice), (SECRET, GOOD)]).unwrap().urls.len(), 2);
    }

    #[test]
    fn a_secret_is_needed_and_has_a_form() {
        let url = (URLS, "https://hooks.example.com/");
        for secret in ["", "hunter2", "whsec_", "whsec_AAEC", "whsec_!!", &GOOD["whsec_".len()..]] {
            let error = read(&[url, (SECRET, secret)]).unwrap_err();
            assert_eq!(error.variable, SECRET, "{secret}");
        }
        assert!(read(&[]).unwrap().urls.is_empty());
        assert_eq!(read(&[(ALLOW_PRIVATE, "yes")]).unwrap_err().variable, ALLOW_PRIVATE);
    }

    #[test]
    fn debug_shows_neither_secret_nor_path() {
        let config = read(&[(URLS, "https://hooks.example.com/hunter2?x=hunter2"), (SECRET, GOOD)]).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("hooks.example.com") && !shown.contains("hunter2") && !shown.contains("AAEC"));
    }
}
