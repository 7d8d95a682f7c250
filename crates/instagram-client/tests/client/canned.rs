//! A server with one fixed answer, and a client that takes it for Instagram.

use std::time::Duration;

use instagram_client::{Config, InstagramClient};
use upstream::AccessToken;
use upstream::testing;
use url::Url;

pub(crate) const APP_ID: &str = "1377811407203207";
pub(crate) const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const REDIRECT_URI: &str = "https://example.com/auth/instagram/callback";
pub(crate) const TOKEN: &str = "IGAAStoredToken0123456789abcdefghijklmnopqrstuvwxyz";

/// A running server, and a client that takes it for Instagram.
pub(crate) struct Canned {
    pub(crate) client: InstagramClient,
    server: testing::Canned,
}

impl Canned {
    pub(crate) fn json(body: &str) -> Self {
        Self::of(testing::Canned::json(body))
    }

    pub(crate) fn answer(status: u16, headers: &[&str], body: &str) -> Self {
        Self::of(testing::Canned::answer(status, headers, body))
    }

    pub(crate) fn raw(answer: impl Into<Vec<u8>>) -> Self {
        Self::of(testing::Canned::raw(answer))
    }

    pub(crate) fn silent() -> Self {
        Self::of(testing::Canned::silent())
    }

    fn of(server: testing::Canned) -> Self {
        Self { client: client_of(&server.base), server }
    }

    pub(crate) fn request(&self) -> String {
        self.server.request()
    }
}

/// A client for Instagram at `base`, with a timeout short enough to wait for.
pub(crate) fn client_of(base: &str) -> InstagramClient {
    let url = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
    let defaults = Config::new(APP_ID.to_owned(), APP_SECRET.into(), REDIRECT_URI.to_owned());
    InstagramClient::new(Config {
        authorize_url: url("/oauth/authorize"),
        token_url: url("/oauth/access_token"),
        graph_url: url("/"),
        timeout: Duration::from_millis(1500),
        ..defaults
    })
    .unwrap()
}

/// A stored token.
pub(crate) fn token() -> AccessToken {
    TOKEN.to_owned().into()
}
