//! The named people who have an account on the simulated Spotify. More can be added.
//!
//! The constants are user names, as the consent page shows them and as [`Consent`](crate::Consent) takes
//! them. A user name is Spotify's `id`, until the account's `id` is changed.

/// A Premium account with every profile field set: the happy path.
pub const LISTENER: &str = "wizzler";
/// An account whose `display_name` is null and whose `images` are empty.
pub const UNNAMED: &str = "31vq4f7xk2d5trwl6se0mbn3ya";
/// An account of the free product, with text that is not ASCII.
pub const NOT_ASCII: &str = "zoe.nguyen";
/// An account whose profile has the fields of development mode only.
pub const DEVELOPMENT: &str = "indie.sam";
/// An account that is not on the app's list. Consent and tokens succeed; every call of the Web API then
/// answers 403.
pub const UNREGISTERED: &str = "mallory.fm";
/// An account without `account_id`, as all were until May 2026.
pub const WITHOUT_ACCOUNT_ID: &str = "old.timer";

/// The two ids of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountIds {
    /// `account_id` in the profile, which never changes.
    pub account_id: Option<String>,
    /// `id` in the profile, which can change.
    pub id: String,
}
