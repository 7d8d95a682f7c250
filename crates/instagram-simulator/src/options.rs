//! Choices of the simulator's answers, where Instagram has been seen to answer in more than one way.

use serde::{Deserialize, Serialize};

/// Choices between the answers that Instagram has been seen to give.
///
/// Setting options replaces all of them, so start from the default:
///
/// ```
/// use instagram_simulator::{Options, TokenShape};
///
/// let options = Options { token_shape: TokenShape::WrappedInData, ..Options::default() };
/// assert!(!options.profile_wrapped);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The shape of the code exchange's answer. Default: permissions as a list.
    pub token_shape: TokenShape,
    /// Form in which the code exchange writes `user_id`. Default: as a number.
    pub token_user_id: UserIdForm,
    /// The one of the account's two ids that the code exchange calls `user_id`. Default: the app-scoped one.
    pub token_user_id_kind: UserIdKind,
    /// Wraps the profile as `{"data":[{…}]}`. Default: no.
    pub profile_wrapped: bool,
    /// The life of a long-lived token, in seconds. Default: 5 183 944, a little under 60 days.
    pub expires_in: u64,
    /// Lets a refresh return another token. The old one keeps its own life. False: the same token lives
    /// longer. Default: yes.
    pub refresh_rotates: bool,
    /// Lets a refresh also return the permissions, as comma-separated text. Default: no.
    pub refresh_permissions: bool,
    /// The `error_subcode` beside code 190 for an expired token: 463, or 0 as has been seen too. Default: 463.
    pub expired_subcode: i64,
    /// The `estimated_time_to_regain_access` that a rate-limited answer gives, in minutes. Default: 15.
    pub regain_access_minutes: u64,
    /// Form in which a `signed_request` writes `user_id`. Default: as text.
    pub signed_request_user_id: UserIdForm,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token_shape: TokenShape::default(),
            token_user_id: UserIdForm::default(),
            token_user_id_kind: UserIdKind::default(),
            profile_wrapped: false,
            expires_in: 5_183_944,
            refresh_rotates: true,
            refresh_permissions: false,
            expired_subcode: 463,
            regain_access_minutes: 15,
            signed_request_user_id: UserIdForm::Text,
        }
    }
}

/// The shapes in which the code exchange has been seen to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenShape {
    /// `{"access_token", "user_id", "permissions": ["…", "…"]}`
    #[default]
    PermissionsList,
    /// `{"access_token", "user_id", "permissions": "…,…"}`
    PermissionsText,
    /// `{"data": [{"access_token", "user_id", "permissions": "…,…"}]}`
    WrappedInData,
    /// `{"access_token", "user_id"}`
    WithoutPermissions,
}

/// Forms in which an answer or a `signed_request` writes `user_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserIdForm {
    /// A JSON number, above 2^53.
    #[default]
    Number,
    /// A JSON string.
    Text,
}

/// Names one of an account's two ids, for the code exchange to return or a `signed_request` to carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserIdKind {
    /// The profile's `id`. This is what Meta documents.
    #[default]
    AppScoped,
    /// The profile's `user_id`.
    Professional,
}
