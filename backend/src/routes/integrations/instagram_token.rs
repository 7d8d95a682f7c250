//! `/api/integrations/instagram/{userId}/token`: Instagram's own token, for programs.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, Responder};
use shared::{ErrorCode, Scope, TokenAnswer};

use domain::connections::Program;

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::openapi::UserId;
use crate::openapi::errors::{CALLER, Errors, just};
use crate::request::carry_out;
use crate::routes::{Success, success};
use crate::state::AppState;

/// Instagram's own token for the user's connection.
///
/// Renewed first where it ends within ten days. That it was given is an event of the connection, which names the key, once a
/// minute at most: its owner sees who was given the token. Ask when you need it, up to 60 times an hour for each user, and keep
/// it nowhere.
#[utoipa::path(
    get,
    path = "/api/integrations/instagram/{userId}/token",
    operation_id = "getToken",
    tag = "Connections",
    security(("key" = ["tokens:read"])),
    params(UserId),
    responses(
        (status = 200, description = "The token, as it is now.", body = Success<TokenAnswer>),
        Errors<{ CALLER | just(&[ErrorCode::NotConnected, ErrorCode::NeedsReauthorization]) }>,
    ),
)]
pub(crate) async fn give(
    state: Data<AppState>,
    caller: Caller,
    user: Path<String>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::TokensRead)?;
    let key = caller.key().ok_or_else(ApiError::forbidden)?.clone();
    state.limits.strict_by_key_and_user(&limits::TOKEN, &key.id, &user_id).await?;
    let work = async move {
        // Who asks often is given the token as it is: the schedule renews it.
        let may_refresh = async || state.limits.strict_by_user(&limits::REFRESH, &user_id).await.is_ok();
        let to = Program { key_id: &key.id, key_name: &key.name };
        state.connections.give_token(&user_id, to, may_refresh).await
    };
    Ok(success(carry_out(&request, work).await?))
}
