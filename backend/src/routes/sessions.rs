//! `/api/sessions`: where somebody is signed in, and ending it. A host application makes its links here, too.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, Responder};
use shared::{BrowserSession, ErrorCode, SessionsAnswer};

use super::{Done, Success, success};
use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::openapi::errors::{CALLER, CHANGE, Errors, just};
use crate::state::AppState;

/// The caller's live sessions, those used last first; at most 100.
#[utoipa::path(
    get,
    path = "/api/sessions",
    operation_id = "listSessions",
    tag = "People and sessions",
    security(("session" = [])),
    responses(
        (status = 200, description = "The sessions, this one among them.", body = Success<SessionsAnswer>),
        Errors<{ CALLER }>,
    ),
)]
pub(super) async fn list(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let present = caller.signed_in()?;
    let found = state.store.sessions(&present.user_id, state.clock.now()).await?;
    let sessions = found.into_iter().map(|session| BrowserSession {
        current: session.id == present.id,
        id: session.id,
        created_at: session.created_at.into(),
        last_used_at: session.last_used_at.into(),
        expires_at: session.expires_at.into(),
        user_agent: session.user_agent,
    });
    Ok(success(SessionsAnswer { sessions: sessions.collect() }))
}

/// Ends all of the caller's sessions but this one.
#[utoipa::path(
    delete,
    path = "/api/sessions",
    operation_id = "endOtherSessions",
    tag = "People and sessions",
    security(("session" = [])),
    responses(
        (status = 200, description = "This session is the only one.", body = Success<Done>),
        Errors<{ CALLER | CHANGE }>,
    ),
)]
pub(super) async fn end_others(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let (present, hash) = caller.require_session()?;
    state.store.delete_sessions(&present.user_id, Some(hash)).await?;
    Ok(success(Done {}))
}

/// Ends a session of the caller's.
#[utoipa::path(
    delete,
    path = "/api/sessions/{id}",
    operation_id = "endSession",
    tag = "People and sessions",
    security(("session" = [])),
    params(("id" = String, Path, description = "The session's `id`.", min_length = 1)),
    responses(
        (status = 200, description = "The session is over.", body = Success<Done>),
        Errors<{ CALLER | CHANGE | just(&[ErrorCode::NotFound]) }>,
    ),
)]
pub(super) async fn end(
    state: Data<AppState>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let present = caller.signed_in()?;
    if !state.store.delete_session_by_id(&id, &present.user_id).await? {
        return Err(ApiError::not_found());
    }
    let mut response = HttpResponse::Ok();
    if present.id == *id {
        response.cookie(state.session_cookie.erase());
    }
    Ok(response.json(success(Done {})))
}
