//! People and their sessions: `/api/users` and `/api/session`.

use serde::{Deserialize, Serialize};

use crate::{Sensitive, Timestamp};

/// Body of `POST /api/users`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignUp {
    /// Compared case-insensitively; see [`crate::validation::email`].
    pub email: String,
    /// See [`crate::validation::password`].
    pub password: Sensitive,
    /// What to call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Body of `POST /api/session`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// The address given at sign-up, in any case.
    pub email: String,
    /// The password given at sign-up.
    pub password: Sensitive,
}

/// A person with a local account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Opaque; the `userId` of the integrations routes.
    pub id: String,
    /// As typed at sign-up.
    pub email: String,
    /// As typed at sign-up, `null` when left out.
    pub name: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// Answer of `POST /api/users`, `POST /api/session` and `GET /api/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAnswer {
    /// Who is signed in.
    pub user: User,
}
