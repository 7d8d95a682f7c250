//! Instagram: tokens of 60 days, which are refreshed from half of their life on; what its subcodes mean.

use async_trait::async_trait;
use connection_store::Profile;
use futures_util::future::try_join;
use instagram_client::{AccountType, AuthorizeOptions, InstagramClient};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::{Provider, Scope, permission};
use upstream::ApiMethod::{Delete, Get, Post};
use upstream::{AccessToken, ApiCall, CodeVerifier, UpstreamError};

use super::{Account, Authorization, Credentials, Grant, ProviderClient, Refreshed, Rules};
use crate::clock::{Clock, earlier, later};
use crate::connections::ForwardedCall;

use Scope::{ConnectionsRead, ContentPublish, MessagesManage};

/// Instagram refreshes no token that is younger (`instagram-api.md` §4).
const YOUNGEST: SignedDuration = SignedDuration::from_hours(24);

/// The subcode of a token whose owner removed the app.
pub(crate) const APP_REMOVED: Option<i64> = Some(458);

/// Longest id of something at Instagram, in digits. Today's have 17.
const ID_MAX: usize = 32;

pub(super) static RULES: Rules = Rules {
    provider: Provider::Instagram,
    sigil: "@",
    permissions: &permission::ALL,
    basic: Some(permission::BASIC),
    purpose,
    sealed_as: ["accessToken", "refreshToken"],
    youngest: YOUNGEST,
    refresh_at,
    earliest_refresh,
    tells_id_late: false,
    expires_at: |_, token_expires_at| token_expires_at,
    expiring: SignedDuration::from_hours(10 * 24),
    margin: None,
    heard_twice_within: None,
    // 60 days and a day of grace.
    longest_raw_life: Some(61 * 24 * 3600),
    forwarded: &FORWARDED,
    is_id: |given| (1..=ID_MAX).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_digit()),
    revoke_url: None,
    profile_url: |username| Some(format!("https://www.instagram.com/{username}/")),
    expired: "Instagram's access for this account has ended.",
    why_refused,
};

/// Every call that is forwarded, with the scope that it needs (`instagram-api.md` §5, §7 and §8). `me` is the connection's
/// account, `{id}` the id of something in it. Whatever is not here is not forwarded, so a call that Meta adds has to be looked
/// at first.
static FORWARDED: [ForwardedCall; 18] = [
    (Get, "me", ConnectionsRead),
    (Get, "me/media", ConnectionsRead),
    (Get, "me/stories", ConnectionsRead),
    (Get, "me/insights", ConnectionsRead),
    (Get, "me/tags", ConnectionsRead),
    (Get, "me/content_publishing_limit", ConnectionsRead),
    (Get, "me/conversations", MessagesManage),
    (Post, "me/media", ContentPublish),
    (Post, "me/media_publish", ContentPublish),
    (Post, "me/messages", MessagesManage),
    (Get, "{id}", ConnectionsRead),
    (Get, "{id}/children", ConnectionsRead),
    (Get, "{id}/comments", ConnectionsRead),
    (Get, "{id}/insights", ConnectionsRead),
    (Get, "{id}/replies", ConnectionsRead),
    (Post, "{id}/comments", MessagesManage),
    (Post, "{id}/replies", MessagesManage),
    (Delete, "{id}", MessagesManage),
];

#[async_trait(?Send)]
impl ProviderClient for InstagramClient {
    fn redirect_uri(&self) -> &str {
        self.redirect_uri()
    }

    fn permissions(&self) -> Vec<String> {
        permission::ALL.map(str::to_owned).to_vec()
    }

    fn authorize(&self, state: &str, asks_afresh: bool) -> Authorization {
        let options = AuthorizeOptions { force_reauth: asks_afresh };
        let url = String::from(self.authorize_url(state, &permission::ALL, options));
        Authorization { url, verifier: None }
    }

    async fn exchange(
        &self,
        code: &str,
        _verifier: Option<CodeVerifier>,
        clock: &dyn Clock,
    ) -> Result<Grant, UpstreamError> {
        let short = self.exchange_code(code).await?;
        let issued_at = clock.now();
        let long = self.exchange_for_long_lived(&short.access_token);
        let (long, profile) = try_join(long, self.profile(&short.access_token)).await?;
        Ok(Grant {
            credentials: Credentials { access: Some(long.access_token), refresh: None },
            issued_at,
            expires_in: long.expires_in,
            account: account(profile),
            scopes: short.permissions.or(long.permissions),
        })
    }

    async fn refresh(&self, credentials: &Credentials) -> Result<Refreshed, UpstreamError> {
        let Some(token) = &credentials.access else {
            return Err(UpstreamError::unintelligible("there is no token to refresh"));
        };
        let refreshed = self.refresh(token).await?;
        Ok(Refreshed {
            access: refreshed.access_token,
            refresh: None,
            expires_in: refreshed.expires_in,
            scopes: refreshed.permissions,
        })
    }

    async fn account(&self, token: &AccessToken) -> Result<Account, UpstreamError> {
        self.profile(token).await.map(account)
    }

    async fn call(
        &self,
        mut call: ApiCall,
        account_id: &str,
        token: &AccessToken,
    ) -> Result<Value, UpstreamError> {
        // The path and the id of who asks are the same to Graph, and not all of its paths know `me`.
        for segment in call.path.iter_mut().filter(|segment| *segment == "me") {
            account_id.clone_into(segment);
        }
        self.graph(call, token).await
    }
}

fn account(profile: instagram_client::Profile) -> Account {
    Account {
        id: profile.professional_id,
        other_id: profile.app_scoped_id,
        is_personal: profile.account_type == Some(AccountType::Personal),
        profile: Profile {
            username: profile.username,
            name: profile.name,
            profile_picture_url: profile.profile_picture_url,
            biography: profile.biography,
            website: profile.website,
            followers_count: profile.followers_count,
            follows_count: profile.follows_count,
            media_count: profile.media_count,
            ..Profile::default()
        },
    }
}

/// Decides when a token is refreshed: `window` before its end, and as soon as Instagram does so where it lives for less. One that
/// lives for less than a day is asked about at its end, so that its owner is told.
fn refresh_at(issued_at: Timestamp, expires_at: Timestamp, window: SignedDuration) -> Timestamp {
    earlier(expires_at, window).max(earliest_refresh(issued_at, expires_at))
}

fn earliest_refresh(issued_at: Timestamp, expires_at: Timestamp) -> Timestamp {
    later(issued_at, YOUNGEST).min(expires_at)
}

fn purpose(scope: &str) -> &'static str {
    match scope {
        permission::BASIC => "read the profile",
        permission::CONTENT_PUBLISH => "publish posts",
        permission::MANAGE_MESSAGES => "read and answer messages",
        _ => "do all that it did",
    }
}

/// Tells the owner why Instagram refuses a token (`instagram-api.md` §6).
fn why_refused(subcode: Option<i64>) -> &'static str {
    match subcode {
        APP_REMOVED => "This app was removed in Instagram's settings.",
        Some(459) => "Instagram wants to check something: sign in at Instagram once.",
        Some(460) => "The Instagram password was changed.",
        Some(0 | 463) => RULES.expired,
        Some(464) => "The Instagram account is not confirmed.",
        _ => "Instagram no longer accepts our access to this account.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_at_either_end_of_the_calendar_is_due_at_some_time() {
        let window = SignedDuration::from_hours(24 * 30);
        assert_eq!(refresh_at(Timestamp::MAX, Timestamp::MAX, window), Timestamp::MAX);
        assert_eq!(refresh_at(Timestamp::MIN, Timestamp::MIN, window), Timestamp::MIN);
        assert_eq!(refresh_at(Timestamp::UNIX_EPOCH, Timestamp::MIN, window), Timestamp::MIN);
    }

    #[test]
    fn a_token_is_refreshed_in_its_window_and_no_younger_than_a_day() {
        let day = SignedDuration::from_hours(24);
        let decided = |life: SignedDuration| {
            let issued_at = Timestamp::UNIX_EPOCH;
            refresh_at(issued_at, issued_at + life, day * 30).duration_since(issued_at)
        };
        assert_eq!(decided(day * 60), day * 30);
        assert_eq!(decided(day * 20), day);
        assert_eq!(decided(day / 2), day / 2, "it cannot be refreshed, and its owner is told");
    }
}
