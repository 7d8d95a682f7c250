//! Spotify: an access token for an hour, a refresh token for six months after the consent (`spotify-api.md`).

use async_trait::async_trait;
use connection_store::Profile;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;
use shared::{Provider, Scope};
use spotify_client::{AuthorizeOptions, SpotifyClient};
use upstream::ApiMethod::Get;
use upstream::{AccessToken, ApiCall, CodeVerifier, UpstreamError};

use super::{Account, Authorization, Credentials, Grant, ProviderClient, Refreshed, Rules};
use crate::clock::{Clock, later};
use crate::connections::ForwardedCall;

use Scope::ConnectionsRead;

/// An idle connection is asked about once a day, to learn of a revocation (`spotify-api.md` §3).
const PROBED_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Longest id of something at Spotify. Today's have 22 characters.
const ID_MAX: usize = 64;

pub(super) static RULES: Rules = Rules {
    provider: Provider::Spotify,
    sigil: "",
    permissions: &["user-read-private", "user-top-read", "playlist-read-private"],
    basic: None,
    purpose,
    sealed_as: ["spotify accessToken", "spotify refreshToken"],
    youngest: SignedDuration::ZERO,
    refresh_at: |issued_at, _, _| later(issued_at, PROBED_EVERY),
    earliest_refresh: |issued_at, _| issued_at,
    tells_id_late: true,
    expires_at: |consented_at, _| six_months_after(consented_at),
    expiring: SignedDuration::from_hours(14 * 24),
    margin: Some(SignedDuration::from_mins(5)),
    heard_twice_within: Some(SignedDuration::from_hours(1)),
    longest_raw_life: None,
    forwarded: &FORWARDED,
    is_id: |given| {
        (1..=ID_MAX).contains(&given.len()) && given.bytes().all(|byte| byte.is_ascii_alphanumeric())
    },
    revoke_url: Some("https://www.spotify.com/account/apps/"),
    profile_url: |_| None,
    expired: "Spotify asks again every six months, and these are over. Connect again: it takes a click.",
    why_refused: |_| "Spotify no longer accepts our access to this account.",
};

/// Every call that is forwarded (`providers.md` §1).
static FORWARDED: [ForwardedCall; 11] = [
    (Get, "me", ConnectionsRead),
    (Get, "me/top/artists", ConnectionsRead),
    (Get, "me/top/tracks", ConnectionsRead),
    (Get, "me/playlists", ConnectionsRead),
    (Get, "me/following", ConnectionsRead),
    (Get, "playlists/{id}", ConnectionsRead),
    (Get, "playlists/{id}/items", ConnectionsRead),
    (Get, "artists/{id}", ConnectionsRead),
    (Get, "albums/{id}", ConnectionsRead),
    (Get, "tracks/{id}", ConnectionsRead),
    (Get, "search", ConnectionsRead),
];

/// Asks Spotify, as one app.
pub struct Spotify {
    /// The client.
    pub client: SpotifyClient,
    /// Permissions that are asked for.
    pub scopes: Vec<String>,
}

#[async_trait(?Send)]
impl ProviderClient for Spotify {
    fn redirect_uri(&self) -> &str {
        self.client.redirect_uri()
    }

    fn permissions(&self) -> Vec<String> {
        self.scopes.clone()
    }

    fn authorize(&self, state: &str, asks_afresh: bool) -> Authorization {
        let scopes: Vec<_> = self.scopes.iter().map(String::as_str).collect();
        let options = AuthorizeOptions { show_dialog: asks_afresh };
        let request = self.client.authorization_request(state, &scopes, options);
        Authorization { url: request.url.into(), verifier: Some(request.verifier) }
    }

    async fn exchange(
        &self,
        code: &str,
        verifier: Option<CodeVerifier>,
        clock: &dyn Clock,
    ) -> Result<Grant, UpstreamError> {
        // A state without one is none that this made. Spotify refuses the code then.
        let verifier = verifier.unwrap_or_else(|| CodeVerifier::from(String::new()));
        let tokens = self.client.exchange_code(code, &verifier).await?;
        let issued_at = clock.now();
        let account = self.account(&tokens.access_token).await?;
        let credentials =
            Credentials { access: Some(tokens.access_token), refresh: Some(tokens.refresh_token) };
        Ok(Grant { credentials, issued_at, expires_in: tokens.expires_in, account, scopes: tokens.scopes })
    }

    async fn refresh(&self, credentials: &Credentials) -> Result<Refreshed, UpstreamError> {
        let Some(token) = &credentials.refresh else {
            return Err(UpstreamError::unintelligible("there is no refresh token"));
        };
        let refreshed = self.client.refresh(token).await?;
        Ok(Refreshed {
            access: refreshed.access_token,
            refresh: refreshed.refresh_token,
            expires_in: refreshed.expires_in,
            scopes: refreshed.scopes,
        })
    }

    async fn account(&self, token: &AccessToken) -> Result<Account, UpstreamError> {
        let profile = self.client.profile(token).await?;
        Ok(Account {
            id: profile.account_id.unwrap_or_else(|| profile.id.clone()),
            other_id: Some(profile.id.clone()),
            is_personal: false,
            profile: Profile {
                username: profile.id,
                name: profile.display_name,
                profile_picture_url: profile.picture_url,
                profile_url: profile.profile_url,
                followers_count: profile.followers,
                product: profile.product,
                ..Profile::default()
            },
        })
    }

    async fn call(
        &self,
        call: ApiCall,
        _account_id: &str,
        token: &AccessToken,
    ) -> Result<Value, UpstreamError> {
        self.client.get(&call.path, &call.query, token).await
    }
}

/// Returns the time six calendar months later, or the last there is. The exact day is not documented (`spotify-api.md` §0).
fn six_months_after(time: Timestamp) -> Timestamp {
    let later = time.to_zoned(TimeZone::UTC).checked_add(6.months());
    later.map_or(Timestamp::MAX, |later| later.timestamp())
}

fn purpose(scope: &str) -> &'static str {
    match scope {
        "user-read-private" => "read the subscription and the country",
        "user-read-email" => "read the email address",
        "user-top-read" => "read the favourite artists and tracks",
        "user-read-recently-played" => "read what was played lately",
        "playlist-read-private" | "playlist-read-collaborative" => "read the playlists",
        "playlist-modify-public" | "playlist-modify-private" => "change the playlists",
        "user-follow-read" => "read whom the account follows",
        "user-library-read" => "read what is saved",
        "user-library-modify" => "save to the library",
        _ => "do all that it did",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_lasts_six_calendar_months() {
        let of = |from: &str| six_months_after(from.parse().unwrap()).to_string();
        assert_eq!(of("2026-03-31T12:00:00Z"), "2026-09-30T12:00:00Z");
        assert_eq!(of("2026-08-30T00:00:00Z"), "2027-02-28T00:00:00Z");
        assert_eq!(six_months_after(Timestamp::MAX), Timestamp::MAX);
    }
}
