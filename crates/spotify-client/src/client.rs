//! The calls, one method each.

use std::iter;
use std::sync::Arc;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    PkceCodeChallenge, PkceCodeVerifier, Scope, TokenUrl,
};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Request};
use secrecy::ExposeSecret;
use serde_json::Value;
use upstream::{
    AccessToken, CodeVerifier, ConfigError, RefreshToken, Transport, UpstreamError, bearer, below,
    without_token,
};
use url::Url;

use crate::config::Config;
use crate::endpoints::{API, CODE, PROFILE, REFRESH};
use crate::profile::Profile;
use crate::token::{Refreshed, Tokens};

type OauthClient = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Options of the authorize page beyond the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthorizeOptions {
    /// Show the consent page to somebody who agreed before, so that another account can be chosen. For every reconnect, too:
    /// a pass without the page may not begin another six months.
    pub show_dialog: bool,
}

/// The begin of a connection.
pub struct AuthorizationRequest {
    /// The address to send the browser to, as a full-page navigation.
    pub url: Url,
    /// The verifier that has to come with the code. It is kept on the server, beside the state.
    pub verifier: CodeVerifier,
}

/// A client of the Spotify Web API, for one app. Clones share their connections.
#[derive(Debug, Clone)]
pub struct SpotifyClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    oauth: OauthClient,
    transport: Transport,
}

impl SpotifyClient {
    /// Makes a client for the app of `config`. Makes no call. Its connections live as long as the Tokio runtime that it is
    /// made in.
    ///
    /// # Errors
    /// What in `config` can never work.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let redirect_uri = config.redirect_uri()?;
        // Also checks the addresses below.
        let transport = config.transport()?;
        let oauth = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(config.client_secret.expose_secret().to_owned()))
            .set_auth_uri(AuthUrl::from_url(below(&config.accounts_url, ["authorize"])))
            .set_token_uri(TokenUrl::from_url(below(&config.accounts_url, ["api", "token"])))
            .set_redirect_uri(redirect_uri);
        Ok(Self { inner: Arc::new(Inner { config, oauth, transport }) })
    }

    /// Returns the redirect URI of the configuration, for messages about one that Spotify does not accept.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.inner.config.redirect_uri
    }

    /// Begins to connect an account (`spotify-api.md` §1), with PKCE. `state` comes back unchanged: unguessable, bound to the
    /// person, used once. Without `scopes`, only what is public can be read.
    #[must_use]
    pub fn authorization_request(
        &self,
        state: &str,
        scopes: &[&str],
        options: AuthorizeOptions,
    ) -> AuthorizationRequest {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = self
            .inner
            .oauth
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(scopes.iter().map(|&scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge);
        if options.show_dialog {
            request = request.add_extra_param("show_dialog", "true");
        }
        AuthorizationRequest { url: request.url().0, verifier: verifier.into_secret().into() }
    }

    /// Exchanges a code for tokens (`spotify-api.md` §2). A code works once, with the verifier of the request that brought it.
    ///
    /// # Errors
    /// [`UpstreamError::InvalidCode`] and [`UpstreamError::Misconfigured`] above all.
    pub async fn exchange_code(&self, code: &str, verifier: &CodeVerifier) -> Result<Tokens, UpstreamError> {
        let Inner { oauth, transport, .. } = &*self.inner;
        let call = async {
            let send = |request: HttpRequest| transport.token_request(&CODE, request);
            let answer: BasicTokenResponse = oauth
                .exchange_code(AuthorizationCode::new(code.to_owned()))
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
                .request_async(&send)
                .await
                .map_err(UpstreamError::from)?;
            Tokens::of(&answer)
        };
        transport.observed(&CODE, call).await
    }

    /// Gets another access token (`spotify-api.md` §3). On any error the stored tokens stay.
    ///
    /// # Errors
    /// [`UpstreamError::NeedsReauthorization`] where Spotify says that the refresh token is dead. An outage has said so, too,
    /// of good ones: ask again before it is believed.
    pub async fn refresh(&self, token: &RefreshToken) -> Result<Refreshed, UpstreamError> {
        let Inner { oauth, transport, .. } = &*self.inner;
        let call = async {
            let send = |request: HttpRequest| transport.token_request(&REFRESH, request);
            let answer = oauth
                .exchange_refresh_token(&oauth2::RefreshToken::new(token.expose().to_owned()))
                .request_async(&send)
                .await
                .map_err(UpstreamError::from)?;
            Refreshed::of(&answer)
        };
        transport.observed(&REFRESH, call).await
    }

    /// Returns the profile of the token's person (`spotify-api.md` §5).
    ///
    /// # Errors
    /// [`UpstreamError::AccessTokenRefused`] asks for a refresh; [`UpstreamError::AppAccess`] comes from an app in development
    /// mode that does not list the person.
    pub async fn profile(&self, token: &AccessToken) -> Result<Profile, UpstreamError> {
        let request = self.api_request(&["me"], &[], token);
        self.inner.transport.read(&PROFILE, request, Profile::parse).await
    }

    /// Makes a reading call of the Web API that is the caller's own. It cannot leave the API's address and version: each
    /// element of `path`, which is below `/v1`, is one segment, whatever is in it. The answer is Spotify's as JSON, without
    /// the token.
    ///
    /// # Errors
    /// Any [`UpstreamError`] but [`UpstreamError::InvalidCode`] and [`UpstreamError::NeedsReauthorization`].
    pub async fn get(
        &self,
        path: &[impl AsRef<str>],
        query: &[(String, String)],
        token: &AccessToken,
    ) -> Result<Value, UpstreamError> {
        let request = self.api_request(path, query, token);
        self.inner.transport.read(&API, request, |body| without_token(body, token)).await
    }

    fn api_request(
        &self,
        path: &[impl AsRef<str>],
        query: &[(String, String)],
        token: &AccessToken,
    ) -> Request {
        let mut url =
            below(&self.inner.config.api_url, iter::once("v1").chain(path.iter().map(AsRef::as_ref)));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = Request::new(Method::GET, url);
        if let Some(bearer) = bearer(token) {
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        request
    }
}
