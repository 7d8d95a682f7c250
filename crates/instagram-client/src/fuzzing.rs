//! Readers of Instagram's answers, for the fuzz target in `crates/fuzz`.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use upstream::without_token;

use crate::answer::MaybeWrapped;
use crate::failure;
use crate::oauth::CodeAnswer;
use crate::profile::Profile;
use crate::token::LongLivedToken;

/// Plays the token that no answer may hold.
const TOKEN: &str = "IGAAfuzz";

/// Reads an answer as every call would. The first byte chooses the status; a usage header stands before the first empty line.
/// Must come to an end without panicking, and no error's text may hold what it was made from beyond what is cleaned.
pub fn answer(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let status = [200, 400, 401, 403, 404, 429, 500, 503][usize::from(choice % 8)];
    let status = StatusCode::from_u16(status).expect("these are statuses");
    let (usage, body) = match rest.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => (&[][..], rest),
    };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(usage) {
        headers.insert(HeaderName::from_static("x-business-use-case-usage"), value.clone());
        headers.insert(reqwest::header::RETRY_AFTER, value);
    }
    match failure::judge(status, &headers, body.to_vec()) {
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
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_corpus_is_clean() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/instagram_answer");
        let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert!(!files.is_empty());
        files.into_iter().for_each(|file| super::answer(&fs::read(file.unwrap().path()).unwrap()));
    }
}
