//! Calls that a program makes up and this service makes for it: which there are, and with what token.

use connection_store::Connection;
use jiff::SignedDuration;
use serde_json::Value;
use shared::Scope;
use upstream::{ApiBody, ApiCall, ApiMethod, UpstreamError};

use super::refresh::AskedBy;
use super::{ConnectionOf, Connections};
use crate::error::Error;
use crate::providers::{Credentials, Rules};

use ApiMethod::{Delete, Get, Post};
use Scope::{ContentPublish, MessagesManage};

/// A call that is forwarded: its method, its path below the API's version, and the scope that a caller needs for it. In the path, `me`
/// is the connection's account, `{id}` the id of something at the provider.
pub type ForwardedCall = (ApiMethod, &'static str, Scope);

/// The shortest time between two questions to the provider, about one token that it refused in forwarded calls.
const CHECK_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Parameters that are not a program's to give: other calls in the place of this one, and other forms of its
/// answer. Folded, as [`folded`] does.
const REFUSED_PARAMETERS: [&str; 12] = [
    "batch",
    "callback",
    "code",
    "debug",
    "format",
    "ids",
    "includeheaders",
    "jsonp",
    "method",
    "redirect",
    "redirecturi",
    "suppresshttpcode",
];

/// Whatever has one of these in its folded name is refused as well, at any depth: tokens, and what proves
/// them.
const REFUSED_PARTS: [&str; 5] = ["token", "secret", "proof", "clientid", "signedrequest"];

/// A path that is forwarded.
#[derive(Debug)]
pub struct Forwarded {
    method: ApiMethod,
    path: Vec<String>,
    scope: Scope,
}

impl Forwarded {
    /// Finds the call to a provider that a method and a path below `proxy/` stand for. The path is taken as it came, not decoded: no path
    /// that is forwarded has anything in it that would have to be.
    ///
    /// # Errors
    /// `not_found`; `method_not_allowed` where another method would be forwarded.
    pub fn find(rules: &Rules, method: ApiMethod, path: &str) -> Result<Self, Error> {
        let segments: Vec<&str> = path.split('/').collect();
        let is_one = |shape: &str, given: &str| match shape {
            "{id}" => (rules.is_id)(given),
            word => word == given,
        };
        let fits = |shape: &str| {
            let shape: Vec<&str> = shape.split('/').collect();
            shape.len() == segments.len()
                && shape.iter().zip(&segments).all(|(shape, given)| is_one(shape, given))
        };
        let found: Vec<_> = rules.forwarded.iter().filter(|(_, shape, _)| fits(shape)).collect();
        match found.iter().find(|(forwarded, ..)| *forwarded == method) {
            Some((_, _, scope)) => {
                let path = segments.into_iter().map(str::to_owned).collect();
                Ok(Self { method, path, scope: *scope })
            }
            None if found.is_empty() => Err(Error::NotForwarded(rules.provider)),
            None => {
                let methods: Vec<_> = found.iter().map(|(method, ..)| name(*method)).collect();
                Err(Error::MethodNotForwarded(methods))
            }
        }
    }

    /// Returns the scopes that a caller needs for this call. Graph expands fields into what they stand for: who may not read messages
    /// gets none by naming them as fields of the account. What is deleted is named by its id alone, which does not tell a comment
    /// from a post: only who may write both deletes either.
    pub fn scopes(&self, parameters: &Parameters) -> Vec<Scope> {
        let mut scopes = vec![self.scope];
        if self.scope != MessagesManage && parameters.name_messages() {
            scopes.push(MessagesManage);
        }
        if self.method == Delete {
            scopes.push(ContentPublish);
        }
        scopes
    }
}

fn name(method: ApiMethod) -> &'static str {
    match method {
        Get => "GET",
        Post => "POST",
        Delete => "DELETE",
    }
}

/// Holds what a program says beside the path.
pub struct Parameters {
    query: Vec<(String, String)>,
    body: Option<ApiBody>,
}

impl Parameters {
    /// Those of a query and a body.
    ///
    /// # Errors
    /// `invalid_request` when one is among them that is not the program's to give.
    pub fn new(query: Vec<(String, String)>, body: Option<ApiBody>) -> Result<Self, Error> {
        let parameters = Self { query, body };
        let has_secret = matches!(&parameters.body, Some(ApiBody::Json(json)) if holds_secret(json));
        if has_secret || parameters.pairs().any(|(name, _)| is_refused(&name)) {
            return Err(Error::RefusedParameter);
        }
        Ok(parameters)
    }

    /// All names and values, whole or, of JSON, at the top.
    fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        let of_body: Vec<(String, String)> = match &self.body {
            Some(ApiBody::Form(fields)) => fields.clone(),
            Some(ApiBody::Json(Value::Object(fields))) => {
                fields.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
            }
            Some(ApiBody::Json(_)) | None => Vec::new(),
        };
        self.query.clone().into_iter().chain(of_body)
    }

    fn name_messages(&self) -> bool {
        self.pairs().any(|(name, value)| {
            let value = value.to_ascii_lowercase();
            let names = |word: &&str| value.contains(*word);
            folded(first_part(&name)) == "fields" && ["conversation", "message", "thread"].iter().any(names)
        })
    }
}

/// Returns whether a name is not the program's to give, or none that a parameter of Graph's has.
fn is_refused(name: &str) -> bool {
    !is_plain(name) || is_secret(name) || REFUSED_PARAMETERS.contains(&folded(first_part(name)).as_str())
}

/// Returns whether a name is letters, digits and underscores, and perhaps places of a list (`children[0]`).
/// No other spelling has to be guessed at then: PHP, of which Graph is a relative, reads `access.token`,
/// `access token` and `access[token` as `access_token`.
fn is_plain(name: &str) -> bool {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let places = &name[first_part(name).len()..];
    let are_places = places.is_empty()
        || places
            .strip_prefix('[')
            .and_then(|places| places.strip_suffix(']'))
            .is_some_and(|places| places.split("][").all(is_word));
    !first_part(name).is_empty() && is_word(first_part(name)) && are_places
}

/// Returns whether a name is that of a token, or of a proof of one.
fn is_secret(name: &str) -> bool {
    let name = folded(name);
    REFUSED_PARTS.iter().any(|part| name.contains(part))
}

/// Returns whether any name in JSON is one, at any depth.
fn holds_secret(json: &Value) -> bool {
    match json {
        Value::Object(fields) => fields.iter().any(|(name, value)| is_secret(name) || holds_secret(value)),
        Value::Array(values) => values.iter().any(holds_secret),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Returns a name without the places of a list.
fn first_part(name: &str) -> &str {
    name.split('[').next().unwrap_or_default()
}

/// Folds the spellings of a name into one: in lower case, nothing but ASCII letters and digits.
fn folded(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

impl Connections {
    /// Makes a call with the token of one of the user's connections. The answer is the provider's, without any token.
    ///
    /// # Errors
    /// `not_connected`; `needs_reauthorization`, which is recorded; `rate_limited`, which is remembered;
    /// `invalid_request` with the provider's word where it refuses the call; the provider's other failures.
    pub async fn forward(
        &self,
        which: ConnectionOf<'_>,
        call: Forwarded,
        parameters: Parameters,
    ) -> Result<Value, Error> {
        let (stored, credentials) = self.usable(which).await?;
        self.refuse_while_paused(&stored).await?;
        let Forwarded { method, path, .. } = call;
        let call = ApiCall { method, path, query: parameters.query, body: parameters.body };
        let asked = self
            .with_access(&stored, credentials, AskedBy::Program, async |client, token| {
                client.call(call.clone(), &stored.provider_account_id, token).await
            })
            .await?;
        match asked {
            (_, Ok(answer)) => Ok(answer),
            ((stored, _), Err(error @ UpstreamError::RateLimited { .. })) => {
                Err(self.refused(&stored, error).await)
            }
            ((stored, credentials), Err(error @ UpstreamError::NeedsReauthorization { .. })) => {
                Err(self.refused_once(&stored, &credentials, error).await)
            }
            (_, Err(error)) => Err(Error::Forwarded(self.rules.provider, error)),
        }
    }

    /// Returns what it means for a program that the provider refused the token in a call that the program made
    /// up. The call may be what is refused, so the token counts as dead only where the provider refuses it for
    /// the profile, too. Of all calls that provoke this, one a minute asks.
    async fn refused_once(
        &self,
        stored: &Connection,
        credentials: &Credentials,
        error: UpstreamError,
    ) -> Error {
        let provider = self.rules.provider;
        let name = format!("token-check:{}", stored.id);
        match self.store.count_try(&name, CHECK_EVERY, self.clock.now()).await {
            Ok(tries) if tries.count == 1 => {}
            // Somebody asks at this moment, or has just asked; what came of it is stored.
            Ok(_) => {
                let found = self.usable(ConnectionOf::of(stored)).await;
                return found.err().unwrap_or_else(|| Error::AccessRefusedOnce(provider, error));
            }
            Err(unavailable) => return unavailable.into(),
        }
        let client = match self.client() {
            Ok(client) => client,
            Err(not_configured) => return not_configured,
        };
        let Some(token) = &credentials.access else { return Error::AccessRefusedOnce(provider, error) };
        match client.account(token).await {
            Err(told @ (UpstreamError::NeedsReauthorization { .. } | UpstreamError::RateLimited { .. })) => {
                self.refused(stored, told).await
            }
            // The profile is read and not stored: otherwise any caller that can provoke this could fill the
            // history.
            Ok(_) | Err(_) => Error::AccessRefusedOnce(provider, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::Provider;

    use super::*;
    use crate::providers::rules;

    use Scope::ConnectionsRead;

    fn find(method: ApiMethod, path: &str) -> Result<Forwarded, Error> {
        Forwarded::find(rules(Provider::Instagram), method, path)
    }

    fn found(method: ApiMethod, path: &str) -> Result<Scope, String> {
        find(method, path).map(|call| call.scope).map_err(|error| error.to_string())
    }

    #[test]
    fn only_listed_paths_are_forwarded() {
        assert_eq!(found(Get, "me/media"), Ok(ConnectionsRead));
        assert_eq!(found(Post, "me/media"), Ok(ContentPublish));
        assert_eq!(found(Delete, "me/media"), Err("method not forwarded".to_owned()));
        assert_eq!(found(Get, "18000000000000000/insights"), Ok(ConnectionsRead));
        assert_eq!(found(Delete, "1"), Ok(MessagesManage));
        assert_eq!(found(Post, "1"), Err("method not forwarded".to_owned()));
        let too_long = "1".repeat(33);
        for path in [
            "",
            "/",
            "me/",
            "/me",
            "me//media",
            "me/media/",
            "ME",
            "me/access_token",
            "access_token",
            "refresh_access_token",
            "oauth/access_token",
            "v25.0/me",
            "me/..",
            "../me",
            "..",
            ".",
            "me/media/..",
            "me%2fmedia",
            "me%2Fmedia",
            "%6de",
            "1/",
            "1a",
            "١",
            "me?fields=id",
            "me#",
            "me\\media",
            "//evil.example",
            "http://evil.example",
            "@evil.example",
            "me;x",
            "me/subscribed_apps",
            "1/likes",
            &too_long,
        ] {
            assert_eq!(found(Get, path), Err("not forwarded".to_owned()), "{path}");
        }
    }

    fn query(name: &str, value: &str) -> Result<Parameters, Error> {
        Parameters::new(vec![(name.to_owned(), value.to_owned())], None)
    }

    /// Refuses or lets in a name in the query, in a form and in JSON alike.
    fn are_let_in(name: &str) -> [bool; 3] {
        let pair = vec![(name.to_owned(), "x".to_owned())];
        let json = Value::Object([(name.to_owned(), Value::from("x"))].into_iter().collect());
        [
            query(name, "x").is_ok(),
            Parameters::new(Vec::new(), Some(ApiBody::Form(pair))).is_ok(),
            Parameters::new(Vec::new(), Some(ApiBody::Json(json))).is_ok(),
        ]
    }

    #[test]
    fn parameters_that_are_not_the_programs_are_refused_wherever_they_are() {
        for name in [
            "access_token",
            "ACCESS_TOKEN",
            " access_token",
            "access_token[]",
            "access_token\u{0}",
            "access.token",
            "access token",
            "access+token",
            "access[token",
            "access[token]",
            "access-token",
            "accessToken",
            "access_to\u{200b}ken",
            "acce\u{17f}s_to\u{212a}en",
            "a[access_token]",
            "a[0][token]",
            "%61ccess_token",
            "access%5Ftoken",
            "access_%74oken",
            "oauth_token",
            "fb_exchange_token",
            "token",
            "appsecret_proof",
            "appsecret_time",
            "client_secret",
            "client_id",
            "client.id",
            "signed_request",
            "method",
            "Method[0]",
            "method.",
            ".method",
            "met_hod",
            "batch",
            "ids",
            "ids[]",
            "input_token",
            "include_headers",
            "suppress_http_code",
            "",
            "[]",
            "fields[",
            "fields]",
            "fields[0",
            "fields[0]x",
            "fields[a.b]",
            "fiélds",
        ] {
            assert_eq!(are_let_in(name), [false; 3], "{name:?}");
        }
    }

    #[test]
    fn no_token_hides_in_the_depth_of_a_body() {
        for (body, is_let_in) in [
            (json!({"message": {"access_token": "x"}}), false),
            (json!({"message": [{"a": [{"O-Auth Token": "x"}]}]}), false),
            (json!({"recipient": {"id": "1"}, "message": {"client_secret": null}}), false),
            (json!({"message": {"text": "my access_token is client_secret"}}), true),
            // Names that change the call do so at the top alone.
            (json!({"message": {"method": "delete", "format": "x"}}), true),
        ] {
            let parameters = Parameters::new(Vec::new(), Some(ApiBody::Json(body.clone())));
            assert_eq!(parameters.is_ok(), is_let_in, "{body}");
        }
    }

    /// Those that Meta documents for the paths that are forwarded.
    #[test]
    fn parameters_that_graph_knows_are_let_in() {
        for name in "fields limit after before since until metric metric_type period breakdown timeframe platform folder \
                     image_url video_url cover_url caption alt_text media_type is_carousel_item children children[0] \
                     children[] thumb_offset share_to_feed collaborators location_id user_tags user_tags[0][username] \
                     product_tags audio_name trial_params upload_type creation_id message recipient messaging_type tag \
                     sender_action hide user_id payload reply_to"
            .split_ascii_whitespace()
        {
            assert_eq!(are_let_in(name), [true; 3], "{name}");
        }
        let button = json!({"type": "web_url", "url": "https://x.example", "title": "Look"});
        let element = json!({"title": "New in", "image_url": "https://x", "default_action": button, "buttons": [button]});
        let payload = json!({"template_type": "generic", "elements": [element]});
        let message = json!({"attachment": {"type": "template", "payload": payload}});
        let body = json!({"recipient": {"comment_id": "1"}, "message": message, "tag": "HUMAN_AGENT"});
        assert!(Parameters::new(Vec::new(), Some(ApiBody::Json(body))).is_ok());
    }

    #[test]
    fn who_deletes_may_write_comments_and_posts() {
        let call = find(Delete, "1").unwrap();
        assert_eq!(call.scopes(&query("limit", "1").unwrap()), [MessagesManage, ContentPublish]);
    }

    #[test]
    fn messages_are_not_read_as_fields_of_something_else() {
        let call = find(Get, "me").unwrap();
        for (name, fields, expected) in [
            ("fields", "id,username", vec![ConnectionsRead]),
            ("fields", "id,Conversations{messages{message}}", vec![ConnectionsRead, MessagesManage]),
            ("Fields[0]", "conversations", vec![ConnectionsRead, MessagesManage]),
            ("limit", "conversations", vec![ConnectionsRead]),
        ] {
            assert_eq!(call.scopes(&query(name, fields).unwrap()), expected, "{name}={fields}");
        }
    }
}
