//! People and their sessions: `/api/users`, `/api/session` and `/api/sessions`.

use serde::{Deserialize, Serialize};

use crate::{Sensitive, Timestamp};

/// Body of `POST /api/users`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignUp {
    /// Compared without regard to case.
    #[cfg_attr(feature = "utoipa", schema(max_length = 254))]
    pub email: String,
    /// 10 to 256 characters.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, min_length = 10, max_length = 256, format = Password, write_only))]
    pub password: Sensitive,
    /// What to call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "utoipa", schema(max_length = 100))]
    pub name: Option<String>,
}

/// Body of `POST /api/session`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// The address given at sign-up, in any case.
    #[cfg_attr(feature = "utoipa", schema(max_length = 254))]
    pub email: String,
    /// The password given at sign-up.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = Password, write_only))]
    pub password: Sensitive,
}

/// Body of `PUT /api/users/me/password`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    /// The one that is to be replaced.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = Password, write_only))]
    pub current_password: Sensitive,
    /// 10 to 256 characters.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, min_length = 10, max_length = 256, format = Password, write_only))]
    pub new_password: Sensitive,
    /// `true`: all API keys are revoked, too. They do not depend on the password.
    #[serde(default)]
    pub revoke_api_keys: bool,
}

/// Body of `DELETE /api/users/me`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeleteAccount {
    /// The account's own: it shows that its owner wants it.
    #[cfg_attr(feature = "utoipa", schema(value_type = String, format = Password, write_only))]
    pub password: Sensitive,
}

/// A browser in which somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BrowserSession {
    /// Names the session; no secret.
    pub id: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was used last: to a day.
    pub last_used_at: Timestamp,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// What the browser calls itself, cut to 200 characters; `null` where it says nothing.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Answer of `GET /api/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct SessionsAnswer {
    /// Those used last first.
    pub sessions: Vec<BrowserSession>,
}

/// A person: one with a local account, or a host application's user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Opaque; the `userId` of the integrations routes.
    pub id: String,
    /// As typed at sign-up; `null` for a host application's user.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub email: Option<String>,
    /// As typed at sign-up or given by the host application, `null` when left out.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub name: Option<String>,
    /// When the account was made; for a host application's user, when this session was opened.
    pub created_at: Timestamp,
}

/// Answer of `GET /api/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct CurrentSessionAnswer {
    /// The person who is signed in. `null` where nobody is, which is the answer to `optional=true` alone.
    #[cfg_attr(feature = "utoipa", schema(required))]
    pub user: Option<User>,
}

/// Answer of `POST /api/users` and `POST /api/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct SessionAnswer {
    /// Who is signed in.
    pub user: User,
}
