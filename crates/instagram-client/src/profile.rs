//! The profile of an account.

use serde::Deserialize;
use upstream::UpstreamError;

use crate::answer::{self, MaybeWrapped};

/// The fields that the profile request asks for (`instagram-api.md` §5).
pub(crate) const FIELDS: &str = "user_id,id,username,name,account_type,profile_picture_url,biography,website,\
    followers_count,follows_count,media_count";

/// An account's profile (`instagram-api.md` §5). What the person has not set, and counts of young accounts, are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The professional account's id (it starts with 17841), which webhooks and publishing use: `/me`'s `user_id`.
    /// Never `id`, not even when `user_id` is missing; then the answer is refused.
    pub professional_id: String,
    /// The id that only this app sees, which `signed_request` carries: `/me`'s `id`.
    pub app_scoped_id: Option<String>,
    /// The name that follows the `@`. It can change.
    pub username: String,
    /// The display name.
    pub name: Option<String>,
    /// The kind of the account. Only professional ones can grant the scopes.
    pub account_type: Option<AccountType>,
    /// A signed URL, which stops working within days.
    pub profile_picture_url: Option<String>,
    /// The text that the person wrote about the account.
    pub biography: Option<String>,
    /// The link that the person put in the profile.
    pub website: Option<String>,
    /// Number of accounts that follow this one.
    pub followers_count: Option<u64>,
    /// Number of accounts that this one follows.
    pub follows_count: Option<u64>,
    /// Number of posts.
    pub media_count: Option<u64>,
}

/// The kind of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountType {
    /// A professional account of a business.
    Business,
    /// A professional account of a creator: `MEDIA_CREATOR` or `CREATOR`.
    Creator,
    /// A personal account, which the API does not serve.
    Personal,
    /// A kind that this client does not know, as Instagram writes it.
    Other(String),
}

impl From<String> for AccountType {
    fn from(text: String) -> Self {
        match text.as_str() {
            "BUSINESS" => Self::Business,
            "MEDIA_CREATOR" | "CREATOR" => Self::Creator,
            "PERSONAL" => Self::Personal,
            _ => Self::Other(text),
        }
    }
}

/// The wire shape of §5.
#[derive(Deserialize)]
struct ProfileAnswer {
    #[serde(default, deserialize_with = "answer::integer_or_text")]
    user_id: Option<String>,
    #[serde(default, deserialize_with = "answer::integer_or_text")]
    id: Option<String>,
    username: Option<String>,
    name: Option<String>,
    account_type: Option<String>,
    profile_picture_url: Option<String>,
    biography: Option<String>,
    website: Option<String>,
    followers_count: Option<u64>,
    follows_count: Option<u64>,
    media_count: Option<u64>,
}

impl Profile {
    /// Reads a successful answer.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, UpstreamError> {
        let answer: ProfileAnswer = MaybeWrapped::parse(body)?;
        Ok(Self {
            professional_id: required(answer.user_id, "no user_id in the profile")?,
            app_scoped_id: answer.id.filter(|id| !id.is_empty()),
            username: required(answer.username, "no username in the profile")?,
            name: answer.name,
            account_type: answer.account_type.map(AccountType::from),
            profile_picture_url: answer.profile_picture_url,
            biography: answer.biography,
            website: answer.website,
            followers_count: answer.followers_count,
            follows_count: answer.follows_count,
            media_count: answer.media_count,
        })
    }
}

fn required(field: Option<String>, reason: &str) -> Result<String, UpstreamError> {
    field.filter(|text| !text.is_empty()).ok_or_else(|| UpstreamError::unintelligible(reason))
}
