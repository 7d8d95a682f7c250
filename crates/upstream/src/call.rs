//! Calls of a provider's API that somebody else makes up.

use std::{fmt, iter};

use reqwest::header::{self, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::forward::bearer;
use crate::token::AccessToken;
use crate::transport::below;

/// Action of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiMethod {
    /// Reads.
    Get,
    /// Makes or changes.
    Post,
    /// Deletes.
    Delete,
}

/// The parameters of a call that are in its body.
#[derive(Clone, PartialEq, Serialize)]
pub enum ApiBody {
    /// As JSON.
    Json(Value),
    /// As a form.
    Form(Vec<(String, String)>),
}

/// A body can hold somebody's message, so only its form is shown.
impl fmt::Debug for ApiBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json(_) => "Json(…)",
            Self::Form(_) => "Form(…)",
        })
    }
}

/// A call of a provider's API, without its token. It cannot leave the API's address and version: each element of `path` is
/// one segment, whatever is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCall {
    /// The call's action.
    pub method: ApiMethod,
    /// The path below the version.
    pub path: Vec<String>,
    /// The query.
    pub query: Vec<(String, String)>,
    /// The body, where it has one.
    pub body: Option<ApiBody>,
}

impl ApiCall {
    /// Makes the request to the version of an API at `base`. The token goes into a header: a URL is more easily shown to somebody.
    #[must_use]
    pub fn into_request(self, base: &Url, version: &str, token: &AccessToken) -> Request {
        let mut url = below(base, iter::once(version).chain(self.path.iter().map(String::as_str)));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let method = match self.method {
            ApiMethod::Get => Method::GET,
            ApiMethod::Post => Method::POST,
            ApiMethod::Delete => Method::DELETE,
        };
        let mut request = Request::new(method, url);
        if let Some(bearer) = bearer(token) {
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        let (media_type, body) = match self.body {
            None => return request,
            Some(ApiBody::Json(body)) => ("application/json", body.to_string()),
            Some(ApiBody::Form(fields)) => {
                let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                ("application/x-www-form-urlencoded", form)
            }
        };
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        *request.body_mut() = Some(body.into());
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_version() {
        let base = Url::parse("https://graph.instagram.com/").unwrap();
        for (path, expected) in [
            (vec!["1", "media"], "/v25.0/1/media"),
            (vec!["a/b", "?c#d"], "/v25.0/a%2Fb/%3Fc%23d"),
            (vec!["//evil.example"], "/v25.0/%2F%2Fevil.example"),
        ] {
            let path = path.into_iter().map(str::to_owned).collect();
            let call = ApiCall { method: ApiMethod::Get, path, query: Vec::new(), body: None };
            let request = call.into_request(&base, "v25.0", &"IGAAtoken0123".to_owned().into());
            assert_eq!(request.url().host_str(), Some("graph.instagram.com"));
            assert_eq!((request.url().path(), request.url().query()), (expected, None));
        }
    }
}
