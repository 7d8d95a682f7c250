//! Tokens, and the answers that bring them.

use std::time::Duration;

use serde::Deserialize;
use upstream::{AccessToken, UpstreamError, lifetime, required_token};

use crate::answer::{self, MaybeWrapped};

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
    pub(crate) fn parse(body: &[u8]) -> Result<Self, UpstreamError> {
        let answer: LongLivedAnswer = MaybeWrapped::parse(body)?;
        Ok(Self {
            access_token: required_token(answer.access_token.map(|text| text.0))?,
            // What is no number of seconds is as impossible as none.
            expires_in: lifetime(
                answer.expires_in.map(|text| text.parse().map(Duration::from_secs).unwrap_or_default()),
            )?,
            permissions: answer.permissions,
        })
    }
}
