//! Readers of Spotify's answers, for the fuzz target in `crates/fuzz`.

use oauth2::basic::BasicTokenResponse;
use upstream::testing::random_answer;
use upstream::{UpstreamError, without_token};

use crate::endpoints::{API, CODE, PROFILE, REFRESH};
use crate::profile::Profile;
use crate::token::Refreshed;

/// Plays the token that no answer may hold.
const TOKEN: &str = "BQfuzz";

/// Reads an answer as every call would. Must come to an end without panicking, and only `invalid_grant` may end a connection.
pub fn answer(bytes: &[u8]) {
    let Some((status, headers, body)) = random_answer(bytes) else { return };
    for endpoint in [CODE, REFRESH, PROFILE, API] {
        match (endpoint.judge)(status, &headers, body.clone()) {
            Ok(body) => read(&body),
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.kind().is_empty());
                if matches!(error, UpstreamError::NeedsReauthorization { .. }) {
                    assert!(endpoint.name == REFRESH.name && status.is_client_error());
                }
            }
        }
    }
}

fn read(body: &[u8]) {
    if let Ok(Ok(refreshed)) =
        serde_json::from_slice(body).map(|answer: BasicTokenResponse| Refreshed::of(&answer))
    {
        assert!(!refreshed.access_token.expose().is_empty() && !refreshed.expires_in.is_zero());
        assert!(refreshed.refresh_token.is_none_or(|token| !token.expose().is_empty()));
    }
    if let Ok(profile) = Profile::parse(body) {
        assert!(!profile.id.is_empty());
    }
    if let Ok(answer) = without_token(body, &TOKEN.to_owned().into()) {
        assert!(!answer.to_string().contains(TOKEN));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_clean() {
        upstream::testing::read_corpus("spotify_answer", super::answer);
    }
}
