//! The profile (spec `instagram-api.md` §5), and the picture that it points to.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use simulator_kit::{Answer, Parameters};

use crate::account::Account;
use crate::graph_error::GraphError;
use crate::world::World;

/// Time for which a picture's URL works.
const PICTURE_LIFE: SignedDuration = SignedDuration::from_hours(72);

impl World {
    /// `GET /{version}/me`. `origin` is where pictures are found: scheme, host and port.
    pub(crate) fn profile(&self, query: &Parameters, bearer: Option<&str>, origin: &str) -> Answer {
        self.read_profile(query, bearer, origin).into()
    }

    fn read_profile(
        &self,
        query: &Parameters,
        bearer: Option<&str>,
        origin: &str,
    ) -> Result<Answer, GraphError> {
        let (_, token) = self.live_token(query, bearer)?;
        if !token.permissions.iter().any(|permission| permission == "instagram_business_basic") {
            let message = "(#10) Application does not have permission for this action";
            return Err(GraphError::new(10, None, message));
        }
        let account = &self.base.accounts[token.account];
        // Graph names the object's id whether asked or not.
        let mut profile = Map::from_iter([("id".to_owned(), account.app_scoped_id.to_string().into())]);
        let asked = query.text("fields").split(',').map(str::trim).filter(|field| !field.is_empty());
        for field in asked {
            let value = self.field(account, field, origin).ok_or_else(|| unknown_field(field))?;
            if !value.is_null() {
                profile.insert(field.to_owned(), value);
            }
        }
        let profile = Value::Object(profile);
        Ok(Answer::ok(&if self.base.options.profile_wrapped {
            json!({ "data": [profile] })
        } else {
            profile
        }))
    }

    /// A field's value: null where the account has not set it, `None` where there is no such field.
    fn field(&self, account: &Account, field: &str, origin: &str) -> Option<Value> {
        Some(match field {
            "id" => account.app_scoped_id.to_string().into(),
            "user_id" => account.user_id.to_string().into(),
            "username" => account.username.as_str().into(),
            "name" => account.name.as_deref().into(),
            "account_type" => account.account_type.as_api().into(),
            "profile_picture_url" => self.picture_url(account, origin).into(),
            "biography" => account.biography.as_deref().into(),
            "website" => account.website.as_deref().into(),
            "followers_count" => account.followers.into(),
            "follows_count" => account.follows.into(),
            "media_count" => account.media.into(),
            _ => return None,
        })
    }

    fn picture_url(&self, account: &Account, origin: &str) -> Option<String> {
        account.picture_hue?;
        let expires = (self.base.now() + PICTURE_LIFE).as_second();
        Some(format!("{origin}/pictures/{}.svg?expires={expires}", account.username))
    }

    /// The hue of an account's picture, `None` where it has none.
    pub(crate) fn picture_hue(&self, username: &str) -> Option<u16> {
        self.base.accounts[self.base.accounts.place(username)?].picture_hue
    }

    /// Tells whether a picture's URL has expired. A URL without an expiry works always: the consent page's.
    pub(crate) fn picture_expired(&self, query: &Parameters) -> bool {
        let expires = query.get("expires").map(|text| text.parse().ok().map(Timestamp::from_second));
        match expires {
            None => false,
            Some(Some(Ok(expires))) => expires <= self.base.now(),
            Some(_) => true,
        }
    }
}

fn unknown_field(field: &str) -> GraphError {
    GraphError::bad_request(format!("Tried accessing nonexisting field ({field}) on node type (IGUser)"))
}
