//! API keys and the sessions of a host application's users: `/api/api-keys` and `POST /api/sessions`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Sensitive, Timestamp};

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Read connections, their history and events.
    #[serde(rename = "connections:read")]
    ConnectionsRead,
    /// Make, refresh and end connections.
    #[serde(rename = "connections:write")]
    ConnectionsWrite,
    /// Publish posts.
    #[serde(rename = "content:publish")]
    ContentPublish,
    /// Read and send messages.
    #[serde(rename = "messages:manage")]
    MessagesManage,
    /// Be given a provider's own access token.
    #[serde(rename = "tokens:read")]
    TokensRead,
    /// Sign a host application's users in. For service keys only.
    #[serde(rename = "sessions:create")]
    SessionsCreate,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 6] = [
        Self::ConnectionsRead,
        Self::ConnectionsWrite,
        Self::ContentPublish,
        Self::MessagesManage,
        Self::TokensRead,
        Self::SessionsCreate,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionsRead => "connections:read",
            Self::ConnectionsWrite => "connections:write",
            Self::ContentPublish => "content:publish",
            Self::MessagesManage => "messages:manage",
            Self::TokensRead => "tokens:read",
            Self::SessionsCreate => "sessions:create",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Body of `POST /api/api-keys`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateApiKey {
    /// What to call it: 1 to 100 characters.
    #[cfg_attr(feature = "utoipa", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// What it may do: at least one scope, and not `sessions:create`.
    #[cfg_attr(feature = "utoipa", schema(value_type = Vec<Scope>, min_items = 1))]
    pub scopes: Vec<String>,
    /// When it ends: in the future, in five years at the latest. Left out or `null`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(format = DateTime))]
    pub expires_at: Option<String>,
    /// The present password of the caller's account: a key outlives the session that makes it. A host application's user has
    /// none and leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(value_type = Option<String>, format = Password, write_only))]
    pub password: Option<Sensitive>,
}

/// A key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Names it.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How it begins: enough to know it again, too little to use it.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends or ended; `null`: never.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to a minute; `null`: never.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub last_used_at: Option<Timestamp>,
}

/// Answer of `POST /api/api-keys`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKey {
    /// What will be listed.
    pub api_key: ApiKey,
    /// The key itself, `igc_live_…`. Shown this once and kept nowhere.
    pub key: Sensitive,
}

/// Answer of `GET /api/api-keys`, and of what ends sessions and may leave keys: the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiKeysAnswer {
    /// The user's keys, ended ones included.
    pub api_keys: Vec<ApiKey>,
}

/// Body of `POST /api/sessions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateHostLink {
    /// Whom to sign in: the host application's own id of the user, in printable characters. `me` and `callback` mean
    /// something else in addresses and are refused.
    #[cfg_attr(feature = "utoipa", schema(min_length = 1, max_length = 200))]
    pub user_id: String,
    /// What to call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(max_length = 100))]
    pub name: Option<String>,
    /// The web app's path to land on; `/integrations` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(max_length = 1024))]
    pub return_to: Option<String>,
}

/// Answer of `POST /api/sessions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HostLinkAnswer {
    /// Send the person's browser here: it signs them in, once.
    pub url: Sensitive,
    /// When the link ends.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_one_name() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
            assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::from_name("connections"), None);
    }
}
