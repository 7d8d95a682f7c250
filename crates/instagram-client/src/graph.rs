//! Calls of the Graph API that somebody else makes up, and the answers without their token.

use std::fmt;

use reqwest::header::{self, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::answer::unintelligible;
use crate::error::InstagramError;
use crate::token::AccessToken;

/// The largest answer of [`InstagramClient::graph`](crate::InstagramClient::graph) that is read. A page of media with all
/// their fields has some hundred kilobytes.
pub const MAX_GRAPH_ANSWER: usize = 4 * 1024 * 1024;

/// The name of the parameter that carries a token in URLs.
const TOKEN_PARAMETER: &str = "access_token";

/// What stands where a token stood.
const REDACTED: &str = "[redacted]";

/// What a Graph call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphMethod {
    /// Reads.
    Get,
    /// Makes or changes.
    Post,
    /// Deletes.
    Delete,
}

/// The parameters of a Graph call that are in its body.
#[derive(Clone, PartialEq, Serialize)]
pub enum GraphBody {
    /// As JSON.
    Json(Value),
    /// As a form.
    Form(Vec<(String, String)>),
}

/// A body can hold somebody's message, so only its form is shown.
impl fmt::Debug for GraphBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json(_) => "Json(…)",
            Self::Form(_) => "Form(…)",
        })
    }
}

/// A call of the Graph API, without its token. It cannot leave the Graph API's address and version: each element of `path` is
/// one segment, whatever is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphCall {
    /// What it does.
    pub method: GraphMethod,
    /// The path below the version.
    pub path: Vec<String>,
    /// The query.
    pub query: Vec<(String, String)>,
    /// The body, where it has one.
    pub body: Option<GraphBody>,
}

impl GraphCall {
    /// The request. The token goes into a header, which is accepted for Graph calls (`instagram-api.md` §5): a URL is more
    /// easily shown to somebody.
    pub(crate) fn into_request(self, base: &Url, version: &str, token: &AccessToken) -> Request {
        let mut url = base.clone();
        url.path_segments_mut()
            .expect("http and https URLs have a path, and the configuration is checked to be one of them")
            .pop_if_empty()
            .push(version)
            .extend(&self.path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let method = match self.method {
            GraphMethod::Get => Method::GET,
            GraphMethod::Post => Method::POST,
            GraphMethod::Delete => Method::DELETE,
        };
        let mut request = Request::new(method, url);
        if let Some(bearer) = bearer(token) {
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        let (media_type, body) = match self.body {
            None => return request,
            Some(GraphBody::Json(body)) => ("application/json", body.to_string()),
            Some(GraphBody::Form(fields)) => {
                let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                ("application/x-www-form-urlencoded", form)
            }
        };
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        *request.body_mut() = Some(body.into());
        request
    }
}

/// `None` for a token that cannot be in a header; Instagram has given no such one, and would miss it.
fn bearer(token: &AccessToken) -> Option<HeaderValue> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// Reads a successful answer, and takes out of it the token and everything that is called one: the links to the next and
/// previous page have it in their query.
pub(crate) fn parse(body: &[u8], token: &AccessToken) -> Result<Value, InstagramError> {
    let mut answer = serde_json::from_slice(body).map_err(|error| unintelligible(&error))?;
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
    for (equals, and) in [("=", "&"), ("%3d", "%26"), ("%253d", "%2526")] {
        while let Some(shorter) = without_parameter(text, &format!("{TOKEN_PARAMETER}{equals}"), and) {
            *text = shorter;
        }
    }
    if text.contains(token) {
        *text = text.replace(token, REDACTED);
    }
}

/// The text without its first parameter that begins so, in any case; `None` where it has none. Of two separators around it
/// one stays. The text need not be a URL: one can be inside of other words, or in another URL's query.
fn without_parameter(text: &str, name: &str, and: &str) -> Option<String> {
    // Changes ASCII letters alone, so that places are the same in both.
    let lower = text.to_ascii_lowercase();
    let start = lower.find(name)?;
    let (before, parameter) = text.split_at(start);
    let value = &lower[start..];
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "&#\"'<>".contains(c);
    let end = [value.find(is_end), value.find(and)].into_iter().flatten().min().unwrap_or(value.len());
    let after = &parameter[end..];
    let follows = after.get(..and.len()).is_some_and(|next| next.eq_ignore_ascii_case(and));
    if follows {
        return Some(format!("{before}{}", &after[and.len()..]));
    }
    let before = before.strip_suffix(and).or_else(|| before.strip_suffix('?')).unwrap_or(before);
    Some(format!("{before}{after}"))
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
    fn a_path_stays_below_the_version() {
        let base = Url::parse("https://graph.instagram.com/").unwrap();
        for (path, expected) in [
            (vec!["1", "media"], "/v25.0/1/media"),
            (vec!["a/b", "?c#d"], "/v25.0/a%2Fb/%3Fc%23d"),
            (vec!["//evil.example"], "/v25.0/%2F%2Fevil.example"),
        ] {
            let path = path.into_iter().map(str::to_owned).collect();
            let call = GraphCall { method: GraphMethod::Get, path, query: Vec::new(), body: None };
            let request = call.into_request(&base, "v25.0", &TOKEN.to_owned().into());
            assert_eq!(request.url().host_str(), Some("graph.instagram.com"));
            assert_eq!((request.url().path(), request.url().query()), (expected, None));
        }
    }
}
