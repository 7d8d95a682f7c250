//! `/api/users/me…`: what somebody with a local account does with the account itself.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use connection_store::{Credentials, Session};
use jiff::SignedDuration;
use shared::{ApiKeysAnswer, ChangePassword, DeleteAccount, ErrorCode, Sensitive, validation};

use super::{Done, Success, api_keys, session, success, users};
use crate::app::AppState;
use crate::caller::Caller;
use crate::carry_out::carry_out;
use crate::error::ApiError;
use crate::openapi::errors::{BODY, CALLER, CHANGE, Errors, just};
use crate::request_body::CallerAndBody;
use domain::user_id::is_local;

/// How long after a link has signed them in a host application's user may do what others show their password for.
const JUST_SIGNED_IN: SignedDuration = SignedDuration::from_mins(5);

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
    let present = prove(&state, &request, &caller, body.current_password).await?;
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
    prove(&state, &request, &caller, body.password).await?;
    let deleting = Data::clone(&state);
    carry_out(&request, async move { deleting.connections.delete_user(&user_id).await }).await?;
    Ok(HttpResponse::Ok()
        .cookie(state.session_cookie.erase())
        .cookie(state.device_cookie.erase())
        .json(success(Done {})))
}

/// Makes sure that the person is there, and not their session alone: for what outlives the session. Returns the credentials
/// of a local account; `None` for a host application's user, who has no password.
///
/// # Errors
/// `validation_failed` without a password, `invalid_credentials` and `rate_limited` as at a sign-in; `forbidden` for a
/// host application's user whose session is older than five minutes.
pub(super) async fn prove_presence(
    state: &Data<AppState>,
    request: &HttpRequest,
    caller: &Caller,
    password: Option<Sensitive>,
) -> Result<Option<Credentials>, ApiError> {
    let session = caller.signed_in()?;
    if !is_local(&session.user_id) {
        let age = state.clock.now().duration_since(session.created_at);
        return if age <= JUST_SIGNED_IN { Ok(None) } else { Err(ApiError::not_just_signed_in()) };
    }
    let password = password.filter(|password| !password.expose().is_empty());
    let password = password.ok_or_else(|| ApiError::validation([("password", "Enter your password")]))?;
    prove(state, request, caller, password).await.map(Some)
}

/// What the caller's own password is checked against, once it has proved to be right.
async fn prove(
    state: &Data<AppState>,
    request: &HttpRequest,
    caller: &Caller,
    password: Sensitive,
) -> Result<Credentials, ApiError> {
    let user_id = &caller.signed_in()?.user_id;
    if !is_local(user_id) {
        return Err(ApiError::no_password());
    }
    let user = state.store.find_user(user_id).await?.ok_or_else(ApiError::unauthenticated)?;
    session::prove(state, request, users::email_key(&user.email), password).await
}
