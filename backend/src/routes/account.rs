//! `/api/users/me…`: what somebody with a local account does with the account itself.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use connection_store::Session;
use shared::{ApiKeysAnswer, ChangePassword, DeleteAccount, ErrorCode, validation};

use super::presence::prove_own_password;
use super::{Done, Success, api_keys, success};
use crate::api_error::ApiError;
use crate::openapi::errors::{BODY, CALLER, CHANGE, Errors, just};
use crate::request::{CallerAndBody, carry_out};
use crate::state::AppState;

/// Changes the password, and ends all other sessions.
///
/// API keys go on working unless `revokeApiKeys` is `true`. The answer lists those that are there afterwards. Connections stay as
/// they are.
#[utoipa::path(
    put,
    path = "/api/users/me/password",
    operation_id = "changePassword",
    tag = "People and sessions",
    security(("session" = [])),
    request_body = ChangePassword,
    responses(
        (status = 200, description = "The password is changed. This session goes on, all others are over, and these keys go on working until they end.", body = Success<ApiKeysAnswer>),
        Errors<{ CALLER | CHANGE | BODY | just(&[ErrorCode::InvalidCredentials, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(super) async fn change_password(
    state: Data<AppState>,
    request: HttpRequest,
    CallerAndBody(caller, body): CallerAndBody<ChangePassword>,
) -> Result<impl Responder, ApiError> {
    let (Session { user_id, .. }, session) = caller.require_session()?;
    if let Some(why) = validation::password(body.new_password.expose()) {
        return Err(ApiError::validation([("newPassword", why)]));
    }
    let present = prove_own_password(&state, &request, &caller, body.current_password).await?;
    let new_hash =
        state.passwords.hash(state.passwords.admit()?, body.new_password.into_exposed().into()).await?;
    let (old_hash, revoke) = (&present.password_hash, body.revoke_api_keys);
    if !state.store.change_password(user_id, old_hash, &new_hash, Some(session), revoke).await? {
        // Changed meanwhile: the one that was given is no longer the present one.
        return Err(ApiError::invalid_credentials());
    }
    Ok(success(api_keys::of_user(&state, user_id).await?))
}

/// Deletes the account and all that is its owner's: connections, history, keys and sessions.
///
/// It cannot be undone. What the application is told of each connection is `connection.deleted`. What cannot be erased at once
/// is erased within minutes.
#[utoipa::path(
    delete,
    path = "/api/users/me",
    operation_id = "deleteAccount",
    tag = "People and sessions",
    security(("session" = [])),
    request_body = DeleteAccount,
    responses(
        (status = 200, description = "The account is gone, and nobody is signed in to it.", body = Success<Done>),
        Errors<{ CALLER | CHANGE | BODY | just(&[ErrorCode::InvalidCredentials]) }>,
    ),
)]
pub(super) async fn delete(
    state: Data<AppState>,
    request: HttpRequest,
    CallerAndBody(caller, body): CallerAndBody<DeleteAccount>,
) -> Result<HttpResponse, ApiError> {
    let user_id = caller.signed_in()?.user_id.clone();
    prove_own_password(&state, &request, &caller, body.password).await?;
    let deleting = Data::clone(&state);
    carry_out(&request, async move { deleting.connections.delete_user(&user_id).await }).await?;
    Ok(HttpResponse::Ok()
        .cookie(state.session_cookie.erase())
        .cookie(state.device_cookie.erase())
        .json(success(Done {})))
}
