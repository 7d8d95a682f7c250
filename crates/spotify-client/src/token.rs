//! Tokens, and the answers that bring them.

use std::time::Duration;

use oauth2::TokenResponse;
use oauth2::basic::BasicTokenResponse;
use upstream::{AccessToken, RefreshToken, UpstreamError, lifetime, required_token};

/// The life of an access token where the answer does not say, as Spotify documents it. A wrong guess costs one call: the API
/// answers 401, and the token is refreshed.
const DOCUMENTED_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Result of exchanging a code (`spotify-api.md` §2).
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The token for calls, good for about an hour.
    pub access_token: AccessToken,
    /// The token for getting others. It dies six months after the person's consent.
    pub refresh_token: RefreshToken,
    /// Life of the access token from now on; never zero.
    pub expires_in: Duration,
    /// Scopes that the person granted; `None` when Spotify did not say: those that were asked for.
    pub scopes: Option<Vec<String>>,
}

/// Result of a refresh (`spotify-api.md` §3).
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// The token for calls, good for about an hour.
    pub access_token: AccessToken,
    /// Another refresh token, which replaces the one that was used; `None` where that one stays.
    pub refresh_token: Option<RefreshToken>,
    /// Life of the access token from now on; never zero.
    pub expires_in: Duration,
    /// Scopes that the tokens have; `None` when Spotify did not say: the same as before.
    pub scopes: Option<Vec<String>>,
}

impl Tokens {
    /// Takes a successful answer to a code, which has both tokens.
    pub(crate) fn of(answer: &BasicTokenResponse) -> Result<Self, UpstreamError> {
        let Refreshed { access_token, refresh_token, expires_in, scopes } = Refreshed::of(answer)?;
        let refresh_token = refresh_token.ok_or_else(|| UpstreamError::unintelligible("no refresh token"))?;
        Ok(Self { access_token, refresh_token, expires_in, scopes })
    }
}

impl Refreshed {
    /// Takes a successful answer. An empty refresh token is none: one that was stored in place of a good one ended connections.
    pub(crate) fn of(answer: &BasicTokenResponse) -> Result<Self, UpstreamError> {
        let refresh_token = answer.refresh_token().map(|token| token.secret().trim());
        let scopes = answer.scopes().into_iter().flatten().map(|scope| scope.trim().to_owned());
        let scopes: Vec<String> = scopes.filter(|scope| !scope.is_empty()).collect();
        Ok(Self {
            access_token: required_token(Some(answer.access_token().secret().clone().into()))?,
            refresh_token: refresh_token.filter(|text| !text.is_empty()).map(|text| text.to_owned().into()),
            expires_in: lifetime(Some(answer.expires_in().unwrap_or(DOCUMENTED_LIFETIME)))?,
            scopes: (!scopes.is_empty()).then_some(scopes),
        })
    }
}
