//! Tokens, and the answers that bring them.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::answer::{self, MaybeWrapped};
use crate::error::InstagramError;

/// The longest life that is believed. Long-lived tokens live 60 days; decades are some other client's default.
const MAX_LIFETIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// An Instagram token, short- or long-lived. `Debug` hides it, and dropping it overwrites it with zeros.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// The token itself. Each use is a place to look at in review: it must reach no log, error or browser.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for AccessToken {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken([redacted])")
    }
}

/// Result of exchanging a code: a token of one hour (`instagram-api.md` §2).
#[derive(Debug, Clone)]
pub struct ShortLivedToken {
    /// The token, good for one hour.
    pub access_token: AccessToken,
    /// Permissions that the person granted; `None` when Instagram did not say.
    pub permissions: Option<Vec<String>>,
    /// An id of the account, **not** to be stored as the account's: it has been seen as the app-scoped and as the
    /// professional one. Take [`Profile::professional_id`](crate::Profile::professional_id).
    pub user_id: Option<String>,
}

/// A token of about 60 days, from the long-lived exchange or a refresh (`instagram-api.md` §3 and §4).
#[derive(Debug, Clone)]
pub struct LongLivedToken {
    /// The token. A refresh may give the same one again.
    pub access_token: AccessToken,
    /// Life of the token from now on, as Instagram says; never zero.
    pub expires_in: Duration,
    /// Permissions that the person granted; `None` when Instagram did not say.
    pub permissions: Option<Vec<String>>,
}

/// The wire shape of §3 and §4.
#[derive(Deserialize)]
struct LongLivedAnswer {
    access_token: Option<AccessTokenText>,
    #[serde(default, deserialize_with = "answer::integer_or_text")]
    expires_in: Option<String>,
    #[serde(default, deserialize_with = "answer::permissions")]
    permissions: Option<Vec<String>>,
}

/// A token on its way in. Its own type, so that no plain `String` holds one.
#[derive(Deserialize)]
#[serde(from = "String")]
struct AccessTokenText(AccessToken);

impl From<String> for AccessTokenText {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl LongLivedToken {
    /// Reads a successful answer.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, InstagramError> {
        let answer: LongLivedAnswer = MaybeWrapped::parse(body)?;
        Ok(Self {
            access_token: not_empty(answer.access_token.map(|text| text.0))?,
            expires_in: lifetime(answer.expires_in.as_deref())?,
            permissions: answer.permissions,
        })
    }
}

/// Refuses a token that is missing or empty: storing one would overwrite a good one with nothing.
pub(crate) fn not_empty(token: Option<AccessToken>) -> Result<AccessToken, InstagramError> {
    token
        .filter(|token| !token.expose().trim().is_empty())
        .ok_or_else(|| InstagramError::unintelligible("no access token"))
}

/// Seconds that are left, as Instagram says. There is no default: an invented expiry is how tokens die unnoticed.
fn lifetime(expires_in: Option<&str>) -> Result<Duration, InstagramError> {
    let expires_in = expires_in.ok_or_else(|| InstagramError::unintelligible("no expires_in"))?;
    expires_in
        .parse()
        .map(Duration::from_secs)
        .ok()
        .filter(|lifetime| !lifetime.is_zero() && *lifetime <= MAX_LIFETIME)
        .ok_or_else(|| InstagramError::unintelligible("an impossible expires_in"))
}
