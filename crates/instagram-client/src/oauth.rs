//! The parts of the flow that are standard OAuth 2.0 (RFC 6749), on the `oauth2` crate.

use std::time::Duration;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    TokenResponse, TokenUrl,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::answer::{self, MaybeWrapped};
use crate::client::AuthorizeOptions;
use crate::config::{Config, ConfigError};
use crate::error::InstagramError;
use crate::token::{ShortLivedToken, not_empty};
use crate::transport::{Endpoint, Transport};

type OauthClient = oauth2::Client<
    BasicErrorResponse,
    CodeAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The authorize URL and the code exchange.
#[derive(Debug)]
pub(crate) struct Oauth {
    client: OauthClient,
}

impl Oauth {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        // `RedirectUrl` keeps the text as it was given, which must match the dashboard's byte for byte.
        let redirect_uri =
            RedirectUrl::new(config.redirect_uri.clone()).map_err(|_| ConfigError::InvalidRedirectUri)?;
        let client = oauth2::Client::new(ClientId::new(config.app_id.clone()))
            .set_client_secret(ClientSecret::new(config.app_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(config.authorize_url.clone()))
            .set_token_uri(TokenUrl::from_url(config.token_url.clone()))
            .set_redirect_uri(redirect_uri);
        Ok(Self { client })
    }

    pub(crate) fn authorize_url(&self, state: &str, scopes: &[&str], options: AuthorizeOptions) -> Url {
        let mut request = self
            .client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            // One scope to the crate, which would join several with blanks; Instagram wants commas.
            .add_scope(Scope::new(scopes.join(",")));
        if options.force_reauth {
            request = request.add_extra_param("force_reauth", "true");
        }
        request.url().0
    }

    pub(crate) async fn exchange_code(
        &self,
        transport: &Transport,
        code: &str,
    ) -> Result<ShortLivedToken, InstagramError> {
        // The fragment of the redirect, which some clients see glued to the code (§1).
        let code = code.strip_suffix("#_").unwrap_or(code);
        let send = |request: HttpRequest| async move {
            let request = request
                .try_into()
                .map_err(|_| InstagramError::Misconfigured { message: "invalid token URL".to_owned() })?;
            transport.call(Endpoint::Code, request).await.map(HttpResponse::new)
        };
        let answer = self
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .request_async(&send)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(error) => error,
                RequestTokenError::Parse(error, _) => answer::unintelligible(error.inner()),
                // The transport lets only successes through, and the crate finds nothing else wrong but emptiness.
                RequestTokenError::ServerResponse(_) | RequestTokenError::Other(_) => {
                    InstagramError::unintelligible("an empty body")
                }
            })?;
        Ok(ShortLivedToken {
            access_token: not_empty(Some(answer.access_token.into_secret().into()))?,
            permissions: answer.permissions,
            user_id: answer.user_id,
        })
    }
}

/// The wire shapes of §2.
#[derive(Debug, Deserialize, Serialize)]
#[serde(from = "MaybeWrapped<CodeFields>")]
pub(crate) struct CodeAnswer {
    access_token: oauth2::AccessToken,
    user_id: Option<String>,
    permissions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct CodeFields {
    access_token: oauth2::AccessToken,
    #[serde(default, deserialize_with = "answer::integer_or_text")]
    user_id: Option<String>,
    #[serde(default, deserialize_with = "answer::permissions")]
    permissions: Option<Vec<String>>,
}

impl From<MaybeWrapped<CodeFields>> for CodeAnswer {
    fn from(answer: MaybeWrapped<CodeFields>) -> Self {
        let CodeFields { access_token, user_id, permissions } = answer.into_inner();
        Self { access_token, user_id, permissions }
    }
}

impl TokenResponse for CodeAnswer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &oauth2::AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}
