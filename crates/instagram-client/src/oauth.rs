//! The parts of the flow that are standard OAuth 2.0 (RFC 6749), on the `oauth2` crate.

use std::time::Duration;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, RefreshToken, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use upstream::{ConfigError, Transport, UpstreamError, parse_redirect_uri, required_token};
use url::Url;

use crate::answer::{self, MaybeWrapped};
use crate::client::AuthorizeOptions;
use crate::config::Config;
use crate::endpoints::CODE;
use crate::token::ShortLivedToken;

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
        let client = oauth2::Client::new(ClientId::new(config.app_id.clone()))
            .set_client_secret(ClientSecret::new(config.app_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(config.authorize_url.clone()))
            .set_token_uri(TokenUrl::from_url(config.token_url.clone()))
            .set_redirect_uri(parse_redirect_uri(&config.redirect_uri)?);
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
    ) -> Result<ShortLivedToken, UpstreamError> {
        // The fragment of the redirect, which some clients see glued to the code (§1).
        let code = code.strip_suffix("#_").unwrap_or(code);
        let send = |request: HttpRequest| transport.token_request(&CODE, request);
        let answer = self
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .request_async(&send)
            .await
            .map_err(UpstreamError::from)?;
        Ok(ShortLivedToken {
            access_token: required_token(Some(answer.access_token.into_secret().into()))?,
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
