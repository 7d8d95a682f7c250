//! `/api/integrations/{provider}/{userId}/token`: the provider's own token, for programs.

use actix_web::web::Data;
use actix_web::{HttpRequest, Responder};
use shared::{ErrorCode, Scope, TokenAnswer};

use domain::connections::Program;

use super::{Target, WhichConnection};

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::openapi::errors::{CALLER, Errors, QUERY, UPSTREAM, just};
use crate::openapi::{OfProvider, UserId};
use crate::request::carry_out;
use crate::routes::{Success, success};
use crate::state::AppState;

/// The provider's own access token for the user's connection.
///
/// Refreshed first where it ends soon: Instagram's within ten days, Spotify's within five minutes. That it
/// was given is an event of the connection, which names the key, once a minute at most: its owner sees who
/// was given the token. Ask when you need it, up to 60 times an hour for each user, and keep it nowhere.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}/{userId}/token",
    operation_id = "getToken",
    tag = "Connections",
    security(("key" = ["tokens:read"])),
    params(OfProvider, UserId, WhichConnection),
    responses(
        (status = 200, description = "The token, as it is now.", body = Success<TokenAnswer>),
        Errors<{ CALLER | QUERY | UPSTREAM | just(&[ErrorCode::NotConnected, ErrorCode::NotFound, ErrorCode::NeedsReauthorization]) }>,
    ),
)]
pub(crate) async fn give(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::TokensRead)?;
    let key = caller.key().ok_or_else(ApiError::forbidden)?.clone();
    state.limits.strict_by_key_and_user(&limits::TOKEN, &key.id, &user_id).await?;
    let work = async move {
        // A caller that asks often is given the token as it is: the schedule refreshes it.
        let may_refresh = async || state.limits.strict_by_user(&limits::REFRESH, &user_id).await.is_ok();
        let to = Program { key_id: &key.id, key_name: &key.name };
        target.connections(&state).give_token(target.of(&user_id), to, may_refresh).await
    };
    Ok(success(carry_out(&request, work).await?))
}
