//! Choices of the simulator's answers, where Spotify has been seen to answer in more than one way, or where
//! nobody knows.

use serde::{Deserialize, Serialize};

/// Choices between answers: those that Spotify has been seen to give, and those of which nothing certain is
/// known.
///
/// Setting options replaces all of them, so start from the default:
///
/// ```
/// use spotify_simulator::{Options, Rotation};
///
/// let options = Options { rotation: Rotation::OnOldDies, ..Options::default() };
/// assert_eq!(options.expires_in, 3_600);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// What a refresh says of the refresh token. Default: nothing.
    pub rotation: Rotation,
    /// Form in which token answers give `scope`. Default: what was granted.
    pub scope: ScopeShape,
    /// The life of an access token, in seconds. Default: 3600.
    pub expires_in: u64,
    /// The life of an authorization code, in seconds. Default: 600.
    pub code_life: u64,
    /// Lets profiles have `account_id`, where the account has one. Default: yes.
    pub account_id: bool,
    /// Puts the app into development mode: fewer fields, fewer endpoints, small searches. Default: no.
    pub development_mode: bool,
    /// Lets the app's owner have Premium. Without, each call of the Web API answers 403. Default: yes.
    pub owner_premium: bool,
    /// Lets errors of the token endpoint have an `error_description`. Default: yes.
    pub descriptions: bool,
    /// Calls an expired refresh token revoked. Default: no.
    pub expired_says_revoked: bool,
    /// The body of the Web API's 403 for people and owners, and of its 429. Default: plain text.
    pub error_body: ErrorBody,
    /// The text of the 403 for an account that is not on the app's list.
    pub not_registered: NotRegistered,
    /// Ends access tokens at once when the person removes the app. False: they live out their hour. Default:
    /// yes.
    pub revoking_ends_access: bool,
    /// Lets a new consent end the refresh tokens of older ones. Default: no.
    pub consent_ends_older: bool,
    /// Lets a pass without the consent page start six new months. Default: no.
    pub silent_pass_restarts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rotation: Rotation::default(),
            scope: ScopeShape::default(),
            expires_in: 3_600,
            code_life: 600,
            account_id: true,
            development_mode: false,
            owner_premium: true,
            descriptions: true,
            expired_says_revoked: false,
            error_body: ErrorBody::default(),
            not_registered: NotRegistered::default(),
            revoking_ends_access: true,
            consent_ends_older: false,
            silent_pass_restarts: false,
        }
    }
}

/// What a refresh says of the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// No `refresh_token`: since June 2026.
    #[default]
    Off,
    /// `"refresh_token": null`
    Null,
    /// `"refresh_token": ""`
    Empty,
    /// A new one. The old one goes on working.
    On,
    /// A new one. The old one is revoked.
    OnOldDies,
}

/// Forms in which token answers give `scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeShape {
    /// What was granted, separated by spaces.
    #[default]
    Granted,
    /// No `scope`.
    Absent,
    /// `"scope": ""`
    Empty,
}

/// Bodies of an error that has been seen in several shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// The message as plain text.
    #[default]
    Text,
    /// `{"error": {"status", "message"}}`
    Json,
    /// Nothing.
    Empty,
}

/// Texts that Spotify has been seen to give for an account that is not on the app's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRegistered {
    /// `Check settings on developer.spotify.com/dashboard, the user may not be registered.`
    #[default]
    CheckSettings,
    /// `User not registered in the Developer Dashboard`
    Dashboard,
    /// The words of 2026: `The user is not registered for this application…`
    ThisApplication,
    /// The words of 2021: `User not approved for app`
    NotApproved,
}

impl NotRegistered {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::CheckSettings => {
                "Check settings on developer.spotify.com/dashboard, the user may not be registered."
            }
            Self::Dashboard => "User not registered in the Developer Dashboard",
            Self::ThisApplication => {
                "The user is not registered for this application. Please check your settings on \
                 https://developer.spotify.com/dashboard"
            }
            Self::NotApproved => "User not approved for app",
        }
    }
}
