//! `/api/session`: signing in, who is signed in, signing out.

use actix_web::cookie::Cookie;
use actix_web::http::{Method, header};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use connection_store::{Credentials, NewSession, User};
use secrecy::SecretString;
use shared::{ErrorCode, Sensitive, SessionAnswer, SignIn};
use uuid::Uuid;

use super::{Done, Routes, Success, resource, success, users};
use crate::app::AppState;
use crate::caller::{Caller, is_local, public_user_id, session_end};
use crate::error::ApiError;
use crate::limits;
use crate::openapi::errors::{ANYBODY, BODY, CALLER, CHANGE, Errors, STORED, just};
use crate::request_body::JsonBody;
use crate::secret_token::SecretToken;

/// Most characters of a browser's name for itself that are kept.
const USER_AGENT_MAX: usize = 200;

pub(super) fn configure(app: &mut Routes<'_>) {
    app.service(resource(
        "/api/session",
        [(Method::GET, web::to(who)), (Method::POST, web::to(sign_in)), (Method::DELETE, web::to(sign_out))],
    ));
}

/// Who is signed in.
///
/// Somebody with a local account, or a host application's user, of whom no more is known than the application has said.
#[utoipa::path(
    get,
    path = "/api/session",
    operation_id = "getSession",
    tag = "People and sessions",
    security(("session" = [])),
    responses(
        (status = 200, description = "Who is signed in.", body = Success<SessionAnswer>),
        Errors<{ CALLER }>,
    ),
)]
async fn who(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let session = caller.signed_in()?;
    if is_local(&session.user_id) {
        let found = state.store.find_user(&session.user_id).await?;
        return Ok(success(answer(found.ok_or_else(ApiError::unauthenticated)?)));
    }
    let user = shared::User {
        id: public_user_id(&session.user_id).to_owned(),
        email: None,
        name: session.name.clone(),
        created_at: session.created_at.into(),
    };
    Ok(success(SessionAnswer { user }))
}

/// Opens a session for the right email and password.
///
/// Takes as long whether or not the account exists.
#[utoipa::path(
    post,
    path = "/api/session",
    operation_id = "signIn",
    tag = "People and sessions",
    request_body = SignIn,
    responses(
        (status = 200, description = "Who is signed in now, and the cookie of the session.", body = Success<SessionAnswer>),
        Errors<{ ANYBODY | STORED | CHANGE | BODY | just(&[ErrorCode::InvalidCredentials]) }>,
    ),
)]
async fn sign_in(
    state: Data<AppState>,
    request: HttpRequest,
    JsonBody(body): JsonBody<SignIn>,
) -> Result<HttpResponse, ApiError> {
    let proved = prove(&state, &request, &users::email_key(&body.email), body.password).await?;
    open(&state, &request, proved, HttpResponse::Ok()).await
}

/// The account of an address, once the password has proved to be its own. Refused tries cost no hashing, and
/// count for nothing where it was this server that had no time for them.
pub(super) async fn prove(
    state: &AppState,
    request: &HttpRequest,
    email_key: &str,
    password: Sensitive,
) -> Result<Credentials, ApiError> {
    let admission = state.passwords.admit()?;
    state.limits.strict_by_address(state, &limits::SIGN_IN, request).await?;
    let tries = state.limits.try_password(state, request, email_key).await?;
    let found = state.store.find_credentials(email_key).await?;
    let password_hash = found.as_ref().map(|found| found.password_hash.clone());
    let is_right = state.passwords.verify(admission, password.into_exposed().into(), password_hash).await?;
    let proved = found.filter(|_| is_right).ok_or_else(ApiError::invalid_credentials)?;
    state.limits.password_was_right(state, &tries).await?;
    Ok(proved)
}

/// Ends the session, here and in the browser.
#[utoipa::path(
    delete,
    path = "/api/session",
    operation_id = "signOut",
    tag = "People and sessions",
    security(("session" = [])),
    responses(
        (status = 200, description = "The session is over.", body = Success<Done>),
        Errors<{ CALLER | CHANGE }>,
    ),
)]
async fn sign_out(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let (_, session) = caller.require_session()?;
    state.store.delete_session(session).await?;
    Ok(HttpResponse::Ok().cookie(state.session_cookie.erase()).json(success(Done {})))
}

/// Opens a session for a user whose password was checked. Answers with its cookie, and with the one by which the browser is
/// known next time.
pub(super) async fn open(
    state: &AppState,
    request: &HttpRequest,
    Credentials { user, password_hash }: Credentials,
    mut response: HttpResponseBuilder,
) -> Result<HttpResponse, ApiError> {
    let cookie = start(state, request, user.id.clone(), None, Some(password_hash)).await?;
    let device = state.device_cookie.write(request, &state.vault, &users::email_key(&user.email));
    Ok(response.cookie(cookie).cookie(device).json(success(answer(user))))
}

/// Opens a session for a stored id, and returns its cookie: under a name where a host application gave one, for a local
/// account while its password hash is still the one that was checked.
///
/// # Errors
/// `invalid_credentials` when it is not.
pub(super) async fn start(
    state: &AppState,
    request: &HttpRequest,
    user_id: String,
    name: Option<String>,
    password_hash: Option<SecretString>,
) -> Result<Cookie<'static>, ApiError> {
    let token = SecretToken::generate();
    let now = state.clock.now();
    let session = NewSession {
        token_hash: token.hash(),
        id: format!("ses_{}", Uuid::new_v4().simple()),
        user_id,
        name,
        user_agent: user_agent(request),
        created_at: now,
        expires_at: session_end(now),
        password_hash,
    };
    if state.store.create_session(session).await? {
        Ok(state.session_cookie.write(&token))
    } else {
        Err(ApiError::invalid_credentials())
    }
}

/// What the browser calls itself, cut to what a list shows.
fn user_agent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(USER_AGENT_MAX).collect())
}

fn answer(user: User) -> SessionAnswer {
    SessionAnswer {
        user: shared::User {
            id: user.id,
            email: Some(user.email),
            name: user.name,
            created_at: user.created_at.into(),
        },
    }
}
