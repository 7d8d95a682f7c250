//! Posts, their comments, and messages (spec `instagram-api.md` §7 and §8): as much as a client needs that makes calls of
//! its own.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use simulator_kit::{Answer, Parameters, random_text};

use crate::graph_error::GraphError;
use crate::world::World;

/// Ids of objects start here. As real ones, they are above 2^53 and told from accounts' by nothing but their number.
const FIRST_ID: u64 = 18_000_000_000_000_000;

/// Number of posts that an account has from the start.
const POSTS: usize = 5;

/// Number of posts in a page where the client does not say.
const PAGE: usize = 25;

/// Posts that one account may publish a day.
const DAILY_POSTS: u64 = 100;

/// Everything that accounts have made.
#[derive(Debug, Default)]
pub(crate) struct Content(BTreeMap<u64, Object>);

/// Something that has an id.
#[derive(Debug)]
struct Object {
    /// The account that it belongs to, by place.
    account: usize,
    kind: Kind,
    /// The caption of a post or a container, the text of a comment.
    text: String,
    /// Time at which it was made, as Graph writes it.
    timestamp: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A post to be. `published`: it is one now.
    Container {
        published: bool,
    },
    Media,
    /// A comment or a reply, with the post or comment that it stands under.
    Comment {
        under: u64,
    },
}

/// A Graph call to an object, or to one of its edges: what the path and the query say.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    /// `me` or an id.
    pub(crate) object: &'a str,
    pub(crate) edge: Option<&'a str>,
    /// Those of the query and the body.
    pub(crate) parameters: &'a Parameters,
    pub(crate) bearer: Option<&'a str>,
    /// The address at which the client found this: scheme, host and port.
    pub(crate) origin: &'a str,
}

impl World {
    /// Any Graph call but the profile and the tokens'.
    pub(crate) fn content(&mut self, call: &Call<'_>) -> Answer {
        self.answer(call).into()
    }

    fn answer(&mut self, call: &Call<'_>) -> Result<Answer, GraphError> {
        let (token, found) = self.live_token(call.parameters, call.bearer)?;
        let (account, token) = (found.account, token.to_owned());
        let account_id = self.base.accounts[account].user_id.to_string();
        if call.object == "me" || call.object == account_id {
            return match (call.method.as_str(), call.edge) {
                ("GET", None) => Ok(self.profile(call.parameters, call.bearer, call.origin)),
                ("GET", Some("media")) => Ok(self.posts(account, call, &token)),
                ("GET", Some("content_publishing_limit")) => Ok(Answer::ok(&json!({"data": [{
                    "quota_usage": self.published(account),
                    "config": {"quota_total": DAILY_POSTS, "quota_duration": 86_400},
                }]}))),
                ("POST", Some("media")) => self.make_container(account, call),
                ("POST", Some("media_publish")) => self.publish(account, call),
                ("POST", Some("messages")) => self.send(call),
                _ => Err(unsupported(call)),
            };
        }
        let id = call.object.parse().ok().filter(|id| self.owns(account, *id));
        let id = id.ok_or_else(|| no_such_object(call))?;
        match (call.method.as_str(), call.edge) {
            ("GET", None) => Ok(Answer::ok(&self.content.0[&id].fields(id, call.parameters.text("fields")))),
            ("GET", Some("comments" | "replies")) => Ok(self.comments(id)),
            ("POST", Some("comments" | "replies")) => self.comment(account, id, call),
            ("DELETE", None) => self.delete(id, call),
            _ => Err(unsupported(call)),
        }
    }

    /// Tells whether the object exists and is this account's. An account is given its first posts when a
    /// client looks.
    fn owns(&mut self, account: usize, id: u64) -> bool {
        self.seed(account);
        self.content.0.get(&id).is_some_and(|object| object.account == account)
    }

    fn seed(&mut self, account: usize) {
        if self.content.0.values().any(|object| object.account == account && object.kind == Kind::Media) {
            return;
        }
        for number in 1..=POSTS {
            self.add(account, Kind::Media, format!("Post {number}"));
        }
    }

    fn add(&mut self, account: usize, kind: Kind, text: String) -> u64 {
        let timestamp = self.base.now().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string();
        let id = self.content.0.keys().next_back().map_or(FIRST_ID, |last| last + 1);
        self.content.0.insert(id, Object { account, kind, text, timestamp });
        id
    }

    /// A page of posts, the newest first. The links to the others carry the token, as Graph's do.
    fn posts(&mut self, account: usize, call: &Call<'_>, token: &str) -> Answer {
        self.seed(account);
        let limit = call.parameters.text("limit").parse().unwrap_or(PAGE).clamp(1, 100);
        let after = call.parameters.text("after").parse().unwrap_or(u64::MAX);
        let fields = call.parameters.text("fields");
        let of_account = |object: &Object| object.account == account && object.kind == Kind::Media;
        let mut page: Vec<_> = self
            .content
            .0
            .range(..after)
            .rev()
            .filter(|(_, object)| of_account(object))
            .take(limit + 1)
            .collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return Answer::ok(&json!({"data": []}));
        };
        let mut paging = json!({"cursors": {"before": first.0.to_string(), "after": last.0.to_string()}});
        if more {
            let id = self.base.accounts[account].user_id;
            let origin = call.origin;
            paging["next"] =
                format!("{origin}/v25.0/{id}/media?access_token={token}&limit={limit}&after={}", last.0)
                    .into();
        }
        let data: Vec<_> = page.into_iter().map(|(id, object)| object.fields(*id, fields)).collect();
        Answer::ok(&json!({"data": data, "paging": paging}))
    }

    fn published(&self, account: usize) -> usize {
        let published = Kind::Container { published: true };
        self.content.0.values().filter(|object| object.account == account && object.kind == published).count()
    }

    fn make_container(&mut self, account: usize, call: &Call<'_>) -> Result<Answer, GraphError> {
        self.needs(call, "instagram_business_content_publish")?;
        if ["image_url", "video_url", "children"].iter().all(|name| call.parameters.text(name).is_empty()) {
            return Err(GraphError::bad_request("The parameter image_url is required"));
        }
        let caption = call.parameters.text("caption").to_owned();
        Ok(made(self.add(account, Kind::Container { published: false }, caption)))
    }

    fn publish(&mut self, account: usize, call: &Call<'_>) -> Result<Answer, GraphError> {
        self.needs(call, "instagram_business_content_publish")?;
        let id = call.parameters.text("creation_id").parse().unwrap_or_default();
        let container = self.content.0.get_mut(&id).filter(|object| object.account == account);
        let Some(Object { kind: Kind::Container { published }, text, .. }) = container else {
            return Err(GraphError::new(24, Some(2_207_008), "The requested resource does not exist"));
        };
        *published = true;
        let caption = text.clone();
        Ok(made(self.add(account, Kind::Media, caption)))
    }

    fn send(&mut self, call: &Call<'_>) -> Result<Answer, GraphError> {
        self.needs(call, "instagram_business_manage_messages")?;
        let part = |name| serde_json::from_str::<Value>(call.parameters.text(name)).unwrap_or_default();
        let (recipient, message) = (part("recipient"), part("message"));
        let (Some(recipient), Some(_)) = (recipient["id"].as_str(), message["text"].as_str()) else {
            return Err(GraphError::bad_request("Invalid parameter"));
        };
        let message_id = format!("aWdf{}", random_text::<24>());
        Ok(Answer::ok(&json!({"recipient_id": recipient, "message_id": message_id})))
    }

    fn comments(&self, under: u64) -> Answer {
        let kind = Kind::Comment { under };
        let comments = self.content.0.iter().filter(|(_, object)| object.kind == kind);
        let data: Vec<_> = comments.map(|(id, object)| object.fields(*id, "text,timestamp")).collect();
        Answer::ok(&json!({ "data": data }))
    }

    fn comment(&mut self, account: usize, under: u64, call: &Call<'_>) -> Result<Answer, GraphError> {
        self.needs(call, "instagram_business_manage_messages")?;
        let text = call.parameters.text("message");
        if text.is_empty() {
            return Err(GraphError::bad_request("The parameter message is required"));
        }
        Ok(made(self.add(account, Kind::Comment { under }, text.to_owned())))
    }

    fn delete(&mut self, id: u64, call: &Call<'_>) -> Result<Answer, GraphError> {
        // Only comments can be deleted by this API.
        if !matches!(self.content.0[&id].kind, Kind::Comment { .. }) {
            return Err(unsupported(call));
        }
        self.content.0.remove(&id);
        Ok(Answer::ok(&json!({"success": true})))
    }

    fn needs(&self, call: &Call<'_>, permission: &str) -> Result<(), GraphError> {
        let (_, token) = self.live_token(call.parameters, call.bearer)?;
        if token.permissions.iter().any(|granted| granted == permission) {
            return Ok(());
        }
        Err(GraphError::new(10, None, format!("(#10) Requires {permission} permission")))
    }
}

impl Object {
    /// The fields that were asked for, and the id.
    fn fields(&self, id: u64, asked: &str) -> Value {
        let mut fields = Map::from_iter([("id".to_owned(), id.to_string().into())]);
        for name in asked.split(',') {
            let value: Value = match (name, self.kind) {
                ("caption", Kind::Media) | ("text", Kind::Comment { .. }) => self.text.as_str().into(),
                ("timestamp", _) => self.timestamp.as_str().into(),
                ("media_type", Kind::Media) => "IMAGE".into(),
                ("status_code", Kind::Container { published: false }) => "FINISHED".into(),
                ("status_code", Kind::Container { published: true }) => "PUBLISHED".into(),
                _ => continue,
            };
            fields.insert(name.to_owned(), value);
        }
        Value::Object(fields)
    }
}

fn made(id: u64) -> Answer {
    Answer::ok(&json!({"id": id.to_string()}))
}

fn no_such_object(call: &Call<'_>) -> GraphError {
    let (method, id) = (call.method.as_str().to_lowercase(), call.object);
    let message = format!(
        "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
         or does not support this operation"
    );
    GraphError { error_type: "ApiMethodException".to_owned(), ..GraphError::new(100, Some(33), message) }
}

fn unsupported(call: &Call<'_>) -> GraphError {
    let edge = call.edge.unwrap_or_default();
    GraphError::bad_request(format!("Tried accessing nonexisting field ({edge}) on node type (IGUser)"))
}
