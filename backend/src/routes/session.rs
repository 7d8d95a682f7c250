//! `/api/session`: signing in, who is signed in, signing out.

use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, HttpResponseBuilder, Responder};
use connection_store::{NewSession, User};
use shared::{SessionAnswer, SignIn};

use super::{Done, resource, success, users};
use crate::app::AppState;
use crate::caller::{Caller, session_end};
use crate::error::ApiError;
use crate::request_body::JsonBody;
use crate::secret_token::SecretToken;

pub(super) fn configure(app: &mut ServiceConfig) {
    app.service(resource(
        "/api/session",
        [(Method::GET, web::to(who)), (Method::POST, web::to(sign_in)), (Method::DELETE, web::to(sign_out))],
    ));
}

/// Who is signed in.
async fn who(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let user = state.store.find_user(caller.user_id()).await?.ok_or_else(ApiError::unauthenticated)?;
    Ok(success(answer(user)))
}

/// Opens a session for the right email and password. Takes as long whether or not the account exists.
async fn sign_in(state: Data<AppState>, JsonBody(body): JsonBody<SignIn>) -> Result<HttpResponse, ApiError> {
    let found = state.store.find_credentials(&users::email_key(&body.email)).await?;
    let (user, password_hash) = found.map(|found| (found.user, found.password_hash)).unzip();
    let is_right = state.passwords.verify(body.password.into_exposed().into(), password_hash).await?;
    match user.filter(|_| is_right) {
        Some(user) => open(&state, user, HttpResponse::Ok()).await,
        None => Err(ApiError::invalid_credentials()),
    }
}

/// Ends the session, here and in the browser.
async fn sign_out(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    state.store.delete_session(caller.session()).await?;
    Ok(HttpResponse::Ok().cookie(state.session_cookie.erase()).json(success(Done {})))
}

/// Opens a session for a user and answers with its cookie.
pub(super) async fn open(
    state: &AppState,
    user: User,
    mut response: HttpResponseBuilder,
) -> Result<HttpResponse, ApiError> {
    let token = SecretToken::generate();
    let now = state.clock.now();
    let session = NewSession {
        token_hash: token.hash(),
        user_id: user.id.clone(),
        created_at: now,
        expires_at: session_end(now),
    };
    state.store.create_session(session).await?;
    Ok(response.cookie(state.session_cookie.write(&token)).json(success(answer(user))))
}

fn answer(user: User) -> SessionAnswer {
    SessionAnswer {
        user: shared::User {
            id: user.id,
            email: user.email,
            name: user.name,
            created_at: user.created_at.into(),
        },
    }
}
