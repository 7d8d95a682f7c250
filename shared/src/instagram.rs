//! Connecting, reading and ending an Instagram connection: `/auth/instagram/…` and `/api/integrations/instagram/…`.

use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};

use crate::{Sensitive, Timestamp};

/// The permissions that the service asks for, by the names that Instagram gives them.
pub mod permission {
    /// Read the profile and its media.
    pub const BASIC: &str = "instagram_business_basic";
    /// Publish posts, reels and stories.
    pub const CONTENT_PUBLISH: &str = "instagram_business_content_publish";
    /// Read and answer direct messages.
    pub const MANAGE_MESSAGES: &str = "instagram_business_manage_messages";
    /// All of them, in the order in which Instagram is asked.
    pub const ALL: [&str; 3] = [BASIC, CONTENT_PUBLISH, MANAGE_MESSAGES];
}

/// Where Instagram sends the browser back to, on the backend and on the web app alike.
pub const INSTAGRAM_CALLBACK_PATH: &str = "/auth/instagram/callback";

/// Returns a parameter of Instagram's redirect without the `#_` that Instagram ends the address with.
///
/// It is an empty fragment and no part of any parameter. A program that reads the whole address as one text
/// gets it glued to the last parameter, which is often `state`, plain or percent-encoded. No code and no
/// state ends so by itself.
pub fn without_fragment(parameter: &str) -> &str {
    let mut parameter = parameter;
    loop {
        let shorter = ["#_", "%23_", "%23%5F", "%23%5f"].iter().find_map(|end| parameter.strip_suffix(end));
        match shorter {
            Some(shorter) => parameter = shorter,
            None => return parameter,
        }
    }
}

/// Answer of `GET /auth/instagram/login`. It alone carries no `ok`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoginAnswer {
    /// Where to send the browser, as a full page: Instagram refuses popups.
    pub auth_url: String,
    /// The same again, for clients of the older name.
    pub redirect_to: String,
}

/// Answer of `GET /auth/instagram/callback`, in Instagram's own `snake_case`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct CallbackAnswer {
    /// A sealed handle (`sealed.…`), never Instagram's token: good for ten minutes, one use and this caller.
    pub access_token: Sensitive,
    /// The professional account's id (`17841…`).
    pub user_id: String,
    /// Life of Instagram's token in seconds.
    pub expires_in: u64,
    /// The profile as it will be stored.
    pub user: InstagramUser,
    /// The `returnTo` that was given to the login route.
    #[serde(default, rename = "returnTo", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub return_to: Option<String>,
    /// The username of the account that was to be reconnected, when the person came back with another one: saving makes a
    /// new connection then, and leaves that one as it is.
    #[serde(default, rename = "expectedUsername", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub expected_username: Option<String>,
}

/// A profile in Instagram's own field names. Fields that the person has not set are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct InstagramUser {
    /// The professional account's id.
    pub id: String,
    /// Without the `@`.
    pub username: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Signed by Instagram, dead within days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_picture_url: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biography: Option<String>,
    /// As typed by the person: not always a full URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Absent for some young accounts, like the other counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followers_count: Option<u64>,
    /// How many accounts it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_count: Option<u64>,
    /// How many posts it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_count: Option<u64>,
}

/// Body of `POST /api/integrations/instagram/callback`.
///
/// What is stored comes from the handle. The other fields are there so that a client can say what it expects, and are
/// refused when they contradict it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct SaveConnection {
    /// Must be the caller.
    #[serde(rename = "userId")]
    pub user_id: String,
    /// The sealed handle, or a raw Instagram token of a client that ran its own OAuth flow.
    pub access_token: Sensitive,
    /// The professional account's id.
    #[serde(rename = "user_id")]
    pub instagram_user_id: String,
    /// Life of the token in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The profile that the client expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<InstagramUser>,
}

/// Answer of `POST /api/integrations/instagram/callback`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct SaveAnswer {
    /// What was stored, in short.
    pub connection: SavedConnection,
}

/// A connection just after it was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedConnection {
    /// Id of the stored document.
    pub id: String,
    /// Without the `@`.
    pub username: String,
    /// `null` where Instagram does not say.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub followers: Option<u64>,
    /// When this account was first connected by this person.
    pub connected_at: Timestamp,
    /// When Instagram's token ends unless renewed.
    pub expires_at: Timestamp,
}

/// Answer of `GET /api/integrations/instagram/{userId}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ConnectionAnswer {
    /// The account connected last.
    pub connection: Connection,
}

/// Answer of `GET …/{userId}/connections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct UserConnectionsAnswer {
    /// The user's, the one connected last first; at most a hundred.
    pub connections: Vec<Connection>,
}

/// Answer of `GET /api/connections`: a page of connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionsAnswer {
    /// In an order that never changes.
    pub connections: Vec<ListedConnection>,
    /// Give it as `cursor` to read on; `null` at the end.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub next_cursor: Option<String>,
}

/// A connection and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListedConnection {
    /// The host application's own id of the user.
    pub user_id: String,
    /// The connection.
    #[serde(flatten)]
    pub connection: Connection,
}

/// Answer of `GET …/{userId}/token`: what it takes to call Instagram without this service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenAnswer {
    /// Instagram's own token. Keep it no longer than the call that it is for: the service renews it.
    pub access_token: Sensitive,
    /// Always `bearer`.
    pub token_type: String,
    /// When the token ends, as Instagram said.
    pub expires_at: Timestamp,
    /// The professional account's id.
    pub instagram_user_id: String,
    /// Permissions granted.
    pub scopes: Vec<String>,
}

/// A connection as its owner sees it. Unset profile fields are `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Id of the stored document.
    pub id: String,
    /// Without the `@`.
    pub username: String,
    /// Display name.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub name: Option<String>,
    /// Signed by Instagram, dead within days.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub profile_picture_url: Option<String>,
    /// Free text.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub biography: Option<String>,
    /// As typed by the person: not always a full URL.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub website: Option<String>,
    /// Followers.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub followers: Option<u64>,
    /// Accounts followed.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub following: Option<u64>,
    /// Posts.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub media_count: Option<u64>,
    /// When this account was first connected by this person.
    pub connected_at: Timestamp,
    /// When the profile was last read from Instagram.
    pub last_sync: Timestamp,
    /// When Instagram's token ends unless renewed.
    pub expires_at: Timestamp,
    /// Expires within ten days.
    pub needs_refresh: bool,
    /// What the person has to know at a glance.
    pub status: ConnectionStatus,
    /// Permissions granted.
    pub scopes: Vec<String>,
    /// Permissions asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// What went wrong last, in words, without secrets.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub last_error: Option<String>,
    /// Since when the token is known to be dead, while `status` is `needs_reauthorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub needs_reauthorization_since: Option<Timestamp>,
}

/// The state of a stored connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Works.
    Active,
    /// Works, and expires within ten days.
    Expiring,
    /// The token is dead; only the person can heal it.
    NeedsReauthorization,
}

impl ConnectionStatus {
    /// The status of this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Self::deserialize(name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_instagrams_address_is_no_part_of_a_parameter() {
        for end in ["", "#_", "%23_", "%23%5F", "%23%5f", "#_#_"] {
            assert_eq!(without_fragment(&format!("AQBx-7_Lk{end}")), "AQBx-7_Lk", "{end}");
        }
        for whole in ["", "_", "#", "a_", "a#", "a23_", "#_a", "a%5F"] {
            assert_eq!(without_fragment(whole), whole);
        }
    }
}
