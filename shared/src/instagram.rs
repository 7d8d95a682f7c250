//! Connecting, reading and ending a connection with any provider: `/auth/{provider}/…` and
//! `/api/integrations/{provider}/…`.

use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};

use crate::{Provider, Sensitive, Timestamp};

/// The permissions that the service asks Instagram for, by the names that Instagram gives them.
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

/// Answer of `GET /auth/{provider}/login`. It alone carries no `ok`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LoginAnswer {
    /// Where to send the browser, as a full page: Instagram refuses popups.
    pub auth_url: String,
    /// The same again, for clients of the older name.
    pub redirect_to: String,
}

/// Answer of `GET /auth/{provider}/callback`, in the `snake_case` that Instagram has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct CallbackAnswer {
    /// A sealed handle (`sealed.…`), never the provider's token: good for ten minutes, one use and this
    /// caller.
    pub access_token: Sensitive,
    /// The account's id: Instagram's professional one (`17841…`), Spotify's `account_id`.
    pub user_id: String,
    /// Life of the provider's access token in seconds.
    pub expires_in: u64,
    /// The profile as it will be stored.
    pub user: UserProfile,
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

/// A profile in the field names that Instagram has, whichever the provider. Unset fields are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct UserProfile {
    /// The account's id.
    pub id: String,
    /// Instagram's without the `@`, Spotify's `id`.
    pub username: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// May be signed by the provider, and dead within days.
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

/// Body of `POST /api/integrations/{provider}/callback`.
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
    /// The account's id.
    #[serde(rename = "user_id")]
    pub provider_account_id: String,
    /// Life of the token in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The profile that the client expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserProfile>,
}

/// Answer of `POST /api/integrations/{provider}/callback`.
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
    /// Instagram's without the `@`, Spotify's `id`.
    pub username: String,
    /// `null` where the provider does not say.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub followers: Option<u64>,
    /// When this account was first connected by this person.
    pub connected_at: Timestamp,
    /// When it ends: of Instagram the token's end, which a refresh moves; of Spotify six months after the
    /// consent.
    pub expires_at: Timestamp,
}

/// Answer of `GET /api/integrations/{provider}/{userId}`, and of what changes that connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ConnectionAnswer {
    /// The connection in use, or the one that was named.
    pub connection: Connection,
}

/// Answer of `GET …/{userId}/connections`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct UserConnectionsAnswer {
    /// The user's, the one in use first, then by when they were connected last; at most a hundred.
    pub connections: Vec<UserConnection>,
}

/// One of a user's connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct UserConnection {
    /// Whether it is the one in use, which routes without a connection's id mean.
    pub current: bool,
    /// The connection.
    #[serde(flatten)]
    pub connection: Connection,
}

/// Body of `PUT …/{userId}/current`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SelectConnection {
    /// The connection that is to be in use.
    pub connection_id: String,
}

/// Answer to the end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EndAnswer {
    /// Where the person removes the app at the provider, where nobody can do it for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub revoke_url: Option<String>,
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

/// Answer of `GET …/{userId}/token`: what it takes to call the provider without this service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TokenAnswer {
    /// The provider's own access token. Keep it no longer than the call that it is for: the service refreshes
    /// it.
    pub access_token: Sensitive,
    /// Always `bearer`.
    pub token_type: String,
    /// When the token ends, as the provider said.
    pub expires_at: Timestamp,
    /// The professional account's id, of an Instagram account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub instagram_user_id: Option<String>,
    /// The account's id, of a Spotify account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(nullable = false))]
    pub spotify_user_id: Option<String>,
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
    /// The account's name at the provider: Instagram's without the `@`, Spotify's `id`.
    pub username: String,
    /// Display name.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub name: Option<String>,
    /// May be signed by the provider, and dead within days.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub profile_picture_url: Option<String>,
    /// The account's page at the provider.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub profile_url: Option<String>,
    /// The provider, and what its profiles alone have.
    #[serde(flatten)]
    #[cfg_attr(feature = "utoipa", schema(value_type = ProviderFields))]
    pub of_provider: ProviderProfile,
    /// Followers.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub followers: Option<u64>,
    /// When this account was first connected by this person.
    pub connected_at: Timestamp,
    /// When the profile was last read from the provider.
    pub last_sync: Timestamp,
    /// When it ends: of Instagram the token's end, which a refresh moves; of Spotify six months after the
    /// consent.
    pub expires_at: Timestamp,
    /// Whether it ends soon: Instagram's within ten days, Spotify's within two weeks.
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

impl Connection {
    /// Returns the provider of the account.
    pub fn provider(&self) -> Provider {
        match self.of_provider {
            ProviderProfile::Instagram { .. } => Provider::Instagram,
            ProviderProfile::Spotify { .. } => Provider::Spotify,
        }
    }
}

/// The part of a profile that only the accounts of one provider have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ProviderProfile {
    /// An Instagram account.
    Instagram {
        /// Free text.
        biography: Option<String>,
        /// As typed by the person: not always a full URL.
        website: Option<String>,
        /// Accounts followed.
        following: Option<u64>,
        /// Posts.
        media_count: Option<u64>,
    },
    /// A Spotify account.
    Spotify {
        /// Kind of subscription: `premium`, `free`, `open`.
        product: Option<String>,
    },
}

/// The provider of an account, and what its profiles alone have: the fields of another provider are absent.
// One object, since generators of clients do not understand a choice among the parts of an object.
#[cfg(feature = "utoipa")]
#[derive(utoipa::ToSchema)]
#[schema(as = ProviderProfile, rename_all = "camelCase")]
#[expect(dead_code, reason = "its fields are read by the derive alone")]
struct ProviderFields {
    /// The provider.
    provider: Provider,
    /// Of an Instagram account: free text.
    biography: Option<String>,
    /// Of an Instagram account, as typed by the person: not always a full URL.
    website: Option<String>,
    /// Of an Instagram account: accounts followed.
    following: Option<u64>,
    /// Of an Instagram account: posts.
    media_count: Option<u64>,
    /// Of a Spotify account, the kind of subscription: `premium`, `free`, `open`.
    product: Option<String>,
}

/// Answer of `GET /api/integrations`: all that a user has connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct IntegrationsAnswer {
    /// Each provider, in an order that never changes.
    pub integrations: Vec<Integration>,
}

/// A provider, and a user's connections with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Integration {
    /// The provider.
    pub provider: Provider,
    /// Whether this server has an app there: else nothing can be connected.
    pub configured: bool,
    /// The user's, the one in use first; at most a hundred.
    pub connections: Vec<Connection>,
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
