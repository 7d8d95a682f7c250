//! An app, its tokens, and clients that take a server for Spotify.

use std::time::Duration;

use spotify_client::{Config, SpotifyClient};
use upstream::testing::Canned;
use upstream::{AccessToken, CodeVerifier, RefreshToken};
use url::Url;

pub(crate) const CLIENT_ID: &str = "5fe01282e44241328a84e7c5cc169165";
pub(crate) const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const REDIRECT_URI: &str = "https://example.com/auth/spotify/callback";
pub(crate) const ACCESS_TOKEN: &str = "BQStoredAccess0123456789abcdefghijklmnopqrstuvwxyz";
pub(crate) const REFRESH_TOKEN: &str = "AQStoredRefresh0123456789abcdefghijklmnopqrstuvwxyz";
pub(crate) const VERIFIER: &str = "verifier-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF";

/// The settings of the app.
pub(crate) fn config(redirect_uri: &str) -> Config {
    Config::new(CLIENT_ID.to_owned(), CLIENT_SECRET.into(), redirect_uri.to_owned())
}

/// A configuration for Spotify at `base`, with a timeout short enough to wait for.
pub(crate) fn config_of(base: &str) -> Config {
    let base = Url::parse(base).unwrap();
    let timeout = Duration::from_millis(1500);
    Config { accounts_url: base.clone(), api_url: base, timeout, ..config(REDIRECT_URI) }
}

/// A client of this server.
pub(crate) fn client_of(server: &Canned) -> SpotifyClient {
    SpotifyClient::new(config_of(&server.base)).unwrap()
}

/// A client that gets this JSON for an answer.
pub(crate) fn answered(body: &str) -> SpotifyClient {
    client_of(&Canned::json(body))
}

pub(crate) fn access_token() -> AccessToken {
    ACCESS_TOKEN.to_owned().into()
}

pub(crate) fn refresh_token() -> RefreshToken {
    REFRESH_TOKEN.to_owned().into()
}

pub(crate) fn verifier() -> CodeVerifier {
    VERIFIER.to_owned().into()
}
