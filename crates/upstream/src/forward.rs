//! Calls that somebody else makes up: how they carry the token, and their answers without it.

use reqwest::header::HeaderValue;
use serde_json::Value;

use crate::error::UpstreamError;
use crate::token::AccessToken;

/// The largest answer to a call of somebody else's that is read. A page with all fields has some hundred kilobytes.
pub const MAX_FORWARDED_ANSWER: usize = 4 * 1024 * 1024;

/// The name of the parameter that carries a token in URLs.
const TOKEN_PARAMETER: &str = "access_token";

/// Signs that stand behind a parameter's name and between parameters: plain, and percent-encoded in a URL in
/// a URL in a URL.
const SIGNS: [(&str, &str); 4] = [("=", "&"), ("%3d", "%26"), ("%253d", "%2526"), ("%25253d", "%252526")];

/// Text that stands in the place of a token.
const REDACTED: &str = "[redacted]";

/// Makes the value of an `Authorization` header. `None` for a token that cannot be in one: no provider has given such a
/// token, and each would miss it.
#[must_use]
pub fn bearer(token: &AccessToken) -> Option<HeaderValue> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// Reads a successful answer, whose body is readable, and takes out of it the token and everything that is
/// called one: Graph's links to the next and previous page have it in their query.
///
/// # Errors
/// [`UpstreamError::Unintelligible`] where it is not JSON.
pub fn without_token(body: &[u8], token: &AccessToken) -> Result<Value, UpstreamError> {
    let mut answer = serde_json::from_slice(body)?;
    strip(&mut answer, token.expose());
    Ok(answer)
}

fn strip(value: &mut Value, token: &str) {
    match value {
        Value::String(text) => strip_text(text, token),
        Value::Array(values) => values.iter_mut().for_each(|value| strip(value, token)),
        Value::Object(fields) => {
            fields.retain(|name, _| !name.eq_ignore_ascii_case(TOKEN_PARAMETER) && !name.contains(token));
            fields.values_mut().for_each(|value| strip(value, token));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn strip_text(text: &mut String, token: &str) {
    if text.contains(['=', '%']) {
        *text = without_tokens(text);
    }
    if text.contains(token) {
        *text = text.replace(token, REDACTED);
    }
}

/// Returns the text without its parameters that are called [`TOKEN_PARAMETER`], in any case. Of two
/// separators around one, one stays. The text need not be a URL: one can be inside of other words, or,
/// percent-encoded, in another URL's query.
///
/// One pass, however many there are: what is kept goes to the end of another text, where a name is noticed
/// once it is whole. So it is, too, where it only comes about because something between its parts was taken
/// out.
fn without_tokens(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        kept.push(next);
        rest = &rest[next.len_utf8()..];
        let Some((start, and)) = token_name(&kept) else { continue };
        kept.truncate(start);
        let is_end = |(place, c): &(usize, char)| {
            c.is_whitespace() || c.is_control() || "&#\"'<>".contains(*c) || rest[*place..].starts_with(and)
        };
        rest = rest.char_indices().find(is_end).map_or("", |(end, _)| &rest[end..]);
        if let Some(after) = rest.strip_prefix(and) {
            rest = after;
        } else if let Some(before) = kept.strip_suffix(and).or(kept.strip_suffix('?')) {
            kept.truncate(before.len());
        }
    }
    kept
}

/// Returns where the name of a token begins that a text ends with, its equals sign included, and what stands
/// between parameters there.
fn token_name(text: &str) -> Option<(usize, &'static str)> {
    // Nearly every call ends here.
    if !text.ends_with(['=', 'd', 'D']) {
        return None;
    }
    let ends_with = |text: &[u8], end: &str| {
        let start = text.len().checked_sub(end.len())?;
        text[start..].eq_ignore_ascii_case(end.as_bytes()).then_some(start)
    };
    SIGNS.into_iter().find_map(|(equals, and)| {
        let name = &text.as_bytes()[..ends_with(text.as_bytes(), equals)?];
        Some((ends_with(name, TOKEN_PARAMETER)?, and))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "IGAAtoken0123";

    #[test]
    fn no_token_is_left_in_an_answer() {
        let next = |query: &str| format!("https://graph.instagram.com/v25.0/1/media?{query}");
        let mut answer = json!({
            "data": [{"id": "1", "caption": format!("my token is {TOKEN}, and yours?")}],
            "paging": {
                "cursors": {"after": "QVFI"},
                "next": next(&format!("access_token={TOKEN}&limit=2&after=QVFI")),
                "previous": next(&format!("limit=2&Access_Token={TOKEN}")),
                "only": next(&format!("access_token={TOKEN}#x")),
                "another": next("limit=2&access_token=IGAAanother&access_token=third&fields=id"),
                "inside": next(&format!("back=https%3A%2F%2Fx%2F%3Faccess_token%3D{TOKEN}%26a%3Db&limit=2")),
                "in words": "see <https://x/?access_token=abc> and ACCESS_TOKEN=def",
            },
            "access_token": "IGAAnew",
            TOKEN: 1,
            "number": 1,
        });
        strip(&mut answer, TOKEN);
        assert_eq!(
            answer,
            json!({
                "data": [{"id": "1", "caption": "my token is [redacted], and yours?"}],
                "paging": {
                    "cursors": {"after": "QVFI"},
                    "next": next("limit=2&after=QVFI"),
                    "previous": next("limit=2"),
                    "only": "https://graph.instagram.com/v25.0/1/media#x",
                    "another": next("limit=2&fields=id"),
                    "inside": next("back=https%3A%2F%2Fx%2F%3Fa%3Db&limit=2"),
                    "in words": "see <https://x/> and ",
                },
                "number": 1,
            })
        );
    }

    #[test]
    fn names_that_only_come_about_by_cleaning_are_cleaned_too() {
        for (text, expected) in [
            ("?access_taccess_token=a&oken=secret&b=c", "?b=c"),
            ("access_token%3da%26b access_token%253Da%2526b access_token%25253da%252526b", "b b b"),
            ("?a%26access_token%3Dx b%2526access_token%253dx", "?a b"),
            ("access_token%3Da&b access_token=a%26b", "&b "),
            ("é?access_token=é&é", "é?é"),
            ("access_token access_tokens=1 my_access_token=1", "access_token access_tokens=1 my_"),
        ] {
            assert_eq!(without_tokens(text), expected, "{text}");
        }
        let mut text = format!("{}access_token=&{}", &TOKEN[..4], &TOKEN[4..]);
        strip_text(&mut text, TOKEN);
        assert_eq!(text, "[redacted]");
    }

    /// A way that reads on to the end of the text for each name would not come to an end here.
    #[test]
    fn a_whole_answer_of_names_is_cleaned() {
        let whole = "access_token=&".repeat(MAX_FORWARDED_ANSWER / 14);
        assert_eq!(without_tokens(&whole), "");
        let count = MAX_FORWARDED_ANSWER / 64;
        for (part, kept) in [
            ("access_token=x ", " "),
            ("access_token%3D%26", ""),
            ("access_token%253dx'", "'"),
            ("access_token", "access_token"),
            ("access_token%25", "access_token%25"),
            ("%25252525", "%25252525"),
        ] {
            assert_eq!(without_tokens(&part.repeat(count)), kept.repeat(count), "{part}");
        }
        assert_eq!(
            without_tokens(&"access_token%3D".repeat(count)),
            "",
            "the first one's value is all the rest"
        );
        let mut tokens = TOKEN.repeat(count);
        strip_text(&mut tokens, TOKEN);
        assert_eq!(tokens, REDACTED.repeat(count));
    }
}
