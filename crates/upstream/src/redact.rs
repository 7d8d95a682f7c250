//! Making a provider's words fit for errors and logs.

/// Longest message that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 200;
/// A word this long that is not plainly a name may be a token, a code or a secret.
const MAX_WORD_CHARS: usize = 19;
/// Prefixes of the providers' tokens, which can be of any length: Instagram's, then Spotify's.
const TOKEN_PREFIXES: [&str; 4] = ["IGAA", "IGQ", "BQ", "AQ"];

/// Takes out of a provider's message whatever could be a secret or could break a log line: tokens, other long words
/// with capitals or digits, control characters. The result is at most 200 characters long.
#[must_use]
pub fn sanitise(message: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let mut clean = String::new();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        if is_word(first) {
            let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            clean.push_str(if is_secret(word) { "[redacted]" } else { word });
            rest = after;
        } else {
            clean.push(if first.is_control() { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
        }
    }
    clean.chars().take(MAX_MESSAGE_CHARS).collect::<String>().trim().to_owned()
}

/// Names of permissions are long too, but all in lower case.
fn is_secret(word: &str) -> bool {
    TOKEN_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
        || (word.len() > MAX_WORD_CHARS
            && word.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::sanitise;

    #[test]
    fn redacts_what_could_be_a_secret_and_keeps_the_words() {
        let cases = [
            ("Session has expired on Tuesday, 14-Jul-26 01:00:00 PDT", None),
            ("(#10) Requires instagram_business_content_publish permission", None),
            ("Object with ID '17841400000000000' does not exist", None),
            ("Cannot parse access token IGAAJx3aB", Some("Cannot parse access token [redacted]")),
            (
                "bad url https://graph.instagram.com/me?access_token=IGQVJ_x-9&code=AQBx7-Lk_0aaaaaaaaaaaa",
                Some("bad url https://graph.instagram.com/me?access_token=[redacted]&code=[redacted]"),
            ),
            ("Invalid BQx-1 and AQx", Some("Invalid [redacted] and [redacted]")),
            ("Check settings on developer.spotify.com/dashboard, the user may not be registered.", None),
            ("secret 0123456789abcdef0123456789abcdef.", Some("secret [redacted].")),
            ("one\r\ntwo\u{1b}[31m", Some("one  two [31m")),
        ];
        for (message, expected) in cases {
            assert_eq!(sanitise(message), expected.unwrap_or(message));
        }
    }

    #[test]
    fn limits_the_length_in_characters() {
        assert_eq!(sanitise(&"é ".repeat(500)).chars().count(), 199);
    }
}
