//! Checks of what answers bring, and of what they do not.

use std::time::Duration;

use serde_json::error::Category;

use crate::error::UpstreamError;
use crate::token::AccessToken;

/// The longest life that is believed of an access token. Those of 60 days are the longest; decades are some other client's
/// default.
const MAX_LIFETIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Refuses a token that is missing or empty: storing one would overwrite a good one with nothing.
///
/// # Errors
/// [`UpstreamError::Unintelligible`].
pub fn required_token(token: Option<AccessToken>) -> Result<AccessToken, UpstreamError> {
    token
        .filter(|token| !token.expose().trim().is_empty())
        .ok_or_else(|| UpstreamError::unintelligible("no access token"))
}

/// Refuses a life that is missing, zero or longer than a year. There is no default: an invented expiry is how tokens die
/// unnoticed.
///
/// # Errors
/// [`UpstreamError::Unintelligible`].
pub fn lifetime(expires_in: Option<Duration>) -> Result<Duration, UpstreamError> {
    let expires_in = expires_in.ok_or_else(|| UpstreamError::unintelligible("no expires_in"))?;
    if expires_in.is_zero() || expires_in > MAX_LIFETIME {
        return Err(UpstreamError::unintelligible("an impossible expires_in"));
    }
    Ok(expires_in)
}

/// The error for a body that does not parse. Serde's own message can quote the value, which can be a token, so only the
/// kind of failure is kept.
impl From<serde_json::Error> for UpstreamError {
    fn from(error: serde_json::Error) -> Self {
        Self::unintelligible(match error.classify() {
            Category::Data => "JSON of another shape than promised",
            Category::Io | Category::Syntax | Category::Eof => "not JSON",
        })
    }
}
