//! Readers of Instagram's answers, for the fuzz target in `crates/fuzz`.

use reqwest::header::{HeaderName, RETRY_AFTER};
use upstream::testing::random_answer;
use upstream::without_token;

use crate::answer::MaybeWrapped;
use crate::failure;
use crate::oauth::CodeAnswer;
use crate::profile::Profile;
use crate::token::LongLivedToken;

/// Plays the token that no answer may hold.
const TOKEN: &str = "IGAAfuzz";

/// Reads an answer as every call would; a usage header is the same as `Retry-After`. Must come to an end without panicking, and
/// no error's text may hold what it was made from beyond what is cleaned.
pub fn answer(bytes: &[u8]) {
    let Some((status, mut headers, body)) = random_answer(bytes) else { return };
    if let Some(value) = headers.get(RETRY_AFTER).cloned() {
        headers.insert(HeaderName::from_static("x-business-use-case-usage"), value);
    }
    match failure::judge(status, &headers, body) {
        Ok(body) => {
            if let Ok(token) = LongLivedToken::parse(&body) {
                assert!(!token.access_token.expose().is_empty() && !token.expires_in.is_zero());
            }
            if let Ok(profile) = Profile::parse(&body) {
                assert!(!profile.professional_id.is_empty());
            }
            let _ = MaybeWrapped::<CodeAnswer>::parse(&body);
            if let Ok(answer) = without_token(&body, &TOKEN.to_owned().into()) {
                assert!(!answer.to_string().contains(TOKEN));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.kind().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_clean() {
        upstream::testing::read_corpus("instagram_answer", super::answer);
    }
}
