//! The calls, one method each.

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::Value;
use upstream::{AccessToken, ApiCall, ConfigError, Endpoint, Transport, UpstreamError, below, without_token};
use url::Url;

use crate::config::Config;
use crate::endpoints::{CODE, GRAPH, LONG_LIVED, PROFILE, REFRESH};
use crate::oauth::Oauth;
use crate::profile::{FIELDS, Profile};
use crate::token::{LongLivedToken, ShortLivedToken};

/// Options of the authorize page beyond the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthorizeOptions {
    /// Make the person sign in again, so that another account can be chosen.
    pub force_reauth: bool,
}

/// A client of the Instagram API with Instagram Login, for one app. Clones share their connections.
#[derive(Debug, Clone)]
pub struct InstagramClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    oauth: Oauth,
    transport: Transport,
}

impl InstagramClient {
    /// A client for the app of `config`. Makes no call. Its connections live as long as the Tokio runtime that it is made in.
    ///
    /// # Errors
    /// What in `config` can never work.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let oauth = Oauth::new(&config)?;
        let transport = config.transport()?;
        Ok(Self { inner: Arc::new(Inner { config, oauth, transport }) })
    }

    /// The redirect URI of the configuration, for messages about one that Instagram does not accept.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.inner.config.redirect_uri
    }

    /// Returns the address to send the browser to, as a full-page navigation (a popup gets "400 Session
    /// Invalid"), to have a person connect an account (`instagram-api.md` §1). `state` comes back unchanged:
    /// unguessable, bound to the person, used once.
    #[must_use]
    pub fn authorize_url(&self, state: &str, scopes: &[&str], options: AuthorizeOptions) -> Url {
        self.inner.oauth.authorize_url(state, scopes, options)
    }

    /// Exchanges a code for a token of one hour (`instagram-api.md` §2). A code works once. A trailing `#_` is ignored.
    ///
    /// # Errors
    /// [`UpstreamError::InvalidCode`] and [`UpstreamError::Misconfigured`] above all.
    pub async fn exchange_code(&self, code: &str) -> Result<ShortLivedToken, UpstreamError> {
        let transport = &self.inner.transport;
        transport.observed(&CODE, self.inner.oauth.exchange_code(transport, code)).await
    }

    /// Exchanges a token of one hour for one of 60 days (`instagram-api.md` §3).
    ///
    /// # Errors
    /// Any [`UpstreamError`] but [`UpstreamError::InvalidCode`].
    pub async fn exchange_for_long_lived(
        &self,
        short: &AccessToken,
    ) -> Result<LongLivedToken, UpstreamError> {
        let parameters = [
            ("grant_type", "ig_exchange_token"),
            ("client_secret", self.inner.config.app_secret.expose_secret()),
            ("access_token", short.expose()),
        ];
        self.get(&LONG_LIVED, &["access_token"], &parameters, LongLivedToken::parse).await
    }

    /// Refreshes a token of 60 days (`instagram-api.md` §4). It must be at least 24 hours old and not yet expired. The result
    /// can hold the same token: a later expiry, not another text, tells success. On any error the stored token stays.
    ///
    /// # Errors
    /// Any [`UpstreamError`] but [`UpstreamError::InvalidCode`].
    pub async fn refresh(&self, token: &AccessToken) -> Result<LongLivedToken, UpstreamError> {
        let parameters = [("grant_type", "ig_refresh_token"), ("access_token", token.expose())];
        self.get(&REFRESH, &["refresh_access_token"], &parameters, LongLivedToken::parse).await
    }

    /// Returns the profile of the token's account (`instagram-api.md` §5).
    ///
    /// # Errors
    /// Any [`UpstreamError`] but [`UpstreamError::InvalidCode`].
    pub async fn profile(&self, token: &AccessToken) -> Result<Profile, UpstreamError> {
        let path = [self.inner.config.graph_version.as_str(), "me"];
        let parameters = [("fields", FIELDS), ("access_token", token.expose())];
        self.get(&PROFILE, &path, &parameters, Profile::parse).await
    }

    /// Makes a call of the Graph API that is the caller's own, such as one of `instagram-api.md` §7. The answer is Graph's as
    /// JSON, without the token and without any other parameter of a URL that carries one.
    ///
    /// # Errors
    /// Any [`UpstreamError`]. A call that changes something may have done so all the same where its answer did not come.
    pub async fn graph(&self, call: ApiCall, token: &AccessToken) -> Result<Value, UpstreamError> {
        let Inner { config, transport, .. } = &*self.inner;
        let request = call.into_request(&config.graph_url, &config.graph_version, token);
        transport.read(&GRAPH, request, |body| without_token(body, token)).await
    }

    /// A GET of the Graph API. The parameters, tokens among them, go into the query, as Meta documents it.
    async fn get<T>(
        &self,
        endpoint: &Endpoint,
        path: &[&str],
        parameters: &[(&str, &str)],
        parse: impl FnOnce(&[u8]) -> Result<T, UpstreamError>,
    ) -> Result<T, UpstreamError> {
        let mut url = below(&self.inner.config.graph_url, path);
        url.query_pairs_mut().extend_pairs(parameters);
        let request = reqwest::Request::new(reqwest::Method::GET, url);
        self.inner.transport.read(endpoint, request, parse).await
    }
}
