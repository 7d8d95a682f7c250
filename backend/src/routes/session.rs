//! `/api/session`: signing in, who is signed in, signing out.

use actix_web::cookie::Cookie;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use connection_store::{Credentials, HostLink, NewSession, User};
use serde::Deserialize;
use shared::{CurrentSessionAnswer, ErrorCode, SessionAnswer, SignIn};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Done, Success, presence, query, success};
use crate::api_error::ApiError;
use crate::caller::{Caller, has_bearer_key, session_end};
use crate::openapi::errors::{ANYBODY, BODY, CALLER, CHANGE, Errors, QUERY, STORED, just};
use crate::request::JsonBody;
use crate::state::AppState;
use domain::SecretToken;
use domain::user_id::{is_local, public_user_id};

/// Most characters of a browser's name for itself that are kept.
const USER_AGENT_MAX: usize = 200;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CurrentSessionQuery {
    /// `true`: where nobody is signed in, the answer is a success with `"user": null`.
    #[serde(default)]
    optional: bool,
}

/// Who is signed in.
///
/// Somebody with a local account, or a host application's user, of whom no more is known than the application has said. A page
/// that signed-out visitors see, too, asks with `optional=true`: to them, 401 would be an error in the browser's console.
#[utoipa::path(
    get,
    path = "/api/session",
    operation_id = "getSession",
    tag = "People and sessions",
    security((), ("session" = [])),
    params(CurrentSessionQuery),
    responses(
        (status = 200, description = "Who is signed in.", body = Success<CurrentSessionAnswer>),
        Errors<{ CALLER | QUERY }>,
    ),
)]
pub(super) async fn who(
    state: Data<AppState>,
    request: HttpRequest,
    caller: Result<Caller, ApiError>,
) -> Result<impl Responder, ApiError> {
    let CurrentSessionQuery { optional } = query(request.query_string())?;
    let found = async { present_user(&state, &caller?).await };
    let mut response = HttpResponse::Ok();
    match found.await {
        Ok(user) => {
            let device = user.email.as_deref().and_then(|email| {
                state.device_cookie.renew(&request, &state.vault, &presence::email_key(email))
            });
            if let Some(device) = device {
                response.cookie(device);
            }
            Ok(response.json(success(CurrentSessionAnswer { user: Some(user) })))
        }
        // A key that is none is a mistake, whatever else is asked for.
        Err(refused)
            if optional
                && refused.code() == ErrorCode::Unauthenticated
                && !has_bearer_key(request.headers()) =>
        {
            Ok(response.json(success(CurrentSessionAnswer { user: None })))
        }
        Err(refused) => Err(refused),
    }
}

async fn present_user(state: &AppState, caller: &Caller) -> Result<shared::User, ApiError> {
    let session = caller.signed_in()?;
    if is_local(&session.user_id) {
        let found = state.store.find_user(&session.user_id).await?;
        return Ok(view(found.ok_or_else(ApiError::unauthenticated)?));
    }
    Ok(shared::User {
        id: public_user_id(&session.user_id).to_owned(),
        email: None,
        name: session.name.clone(),
        created_at: session.created_at.into(),
    })
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
pub(super) async fn sign_in(
    state: Data<AppState>,
    request: HttpRequest,
    JsonBody(body): JsonBody<SignIn>,
) -> Result<HttpResponse, ApiError> {
    let proved =
        presence::prove_password(&state, &request, presence::email_key(&body.email), body.password).await?;
    open(&state, &request, proved, HttpResponse::Ok()).await
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
pub(super) async fn sign_out(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let (_, session) = caller.require_session()?;
    state.store.delete_session(session).await?;
    Ok(HttpResponse::Ok().cookie(state.session_cookie.erase()).json(success(Done {})))
}

/// Opens a session for a user whose password was checked. Answers with its cookie, and with the one by which the browser is
/// known next time.
pub(super) async fn open(
    state: &AppState,
    request: &HttpRequest,
    credentials: Credentials,
    mut response: HttpResponseBuilder,
) -> Result<HttpResponse, ApiError> {
    let user = credentials.user.clone();
    let cookie = start(state, request, Proof::Password(credentials)).await?;
    let device = state.device_cookie.write(request, &state.vault, &presence::email_key(&user.email));
    Ok(response.cookie(cookie).cookie(device).json(success(SessionAnswer { user: view(user) })))
}

/// Shows that somebody may sign in.
pub(super) enum Proof {
    /// The password of these was right.
    Password(Credentials),
    /// A host application made this link, which is used up by it.
    HostLink(HostLink),
}

/// Opens a session, and returns its cookie. The one that the browser had before ends.
///
/// # Errors
/// When the proof holds no longer: `invalid_credentials` where the account was deleted or got another password since,
/// `invalid_state` where the link was used or taken away.
pub(super) async fn start(
    state: &AppState,
    request: &HttpRequest,
    proof: Proof,
) -> Result<Cookie<'static>, ApiError> {
    let token = SecretToken::generate();
    let now = state.clock.now();
    let (user_id, name, password_hash, host_link, refused) = match proof {
        Proof::Password(Credentials { user, password_hash }) => {
            (user.id, None, Some(password_hash), None, ApiError::invalid_credentials())
        }
        Proof::HostLink(link) => {
            (link.user_id, link.name, None, Some(link.token_hash), ApiError::invalid_state())
        }
    };
    let expires_at = session_end(&user_id, now, now);
    let session = NewSession {
        token_hash: token.hash(),
        id: format!("ses_{}", Uuid::new_v4().simple()),
        user_id,
        name,
        user_agent: user_agent(request),
        created_at: now,
        expires_at,
        password_hash,
        host_link,
    };
    if !state.store.create_session(session).await? {
        return Err(refused);
    }
    // The browser forgets its former session, so nobody could end it there any more.
    if let Some(former) = state.session_cookie.read(request.headers())
        && let Err(error) = state.store.delete_session(&former.hash()).await
    {
        ApiError::from(error).log();
    }
    Ok(state.session_cookie.write(&token, expires_at.duration_since(now)))
}

/// Returns the browser's name for itself, cut to the length that a list shows.
fn user_agent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(USER_AGENT_MAX).collect())
}

fn view(user: User) -> shared::User {
    shared::User { id: user.id, email: Some(user.email), name: user.name, created_at: user.created_at.into() }
}
