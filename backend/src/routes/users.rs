//! `/api/users`: making a local account.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use connection_store::{CreateOutcome, Credentials, NewUser, User};
use shared::{ErrorCode, SessionAnswer, SignUp, validation};
use uuid::Uuid;

use super::{Success, presence, session};
use crate::api_error::ApiError;
use crate::limits;
use crate::openapi::errors::{ANYBODY, BODY, CHANGE, Errors, STORED, just};
use crate::request::JsonBody;
use crate::state::AppState;
use domain::user_id::LOCAL_PREFIX;

/// Makes an account and signs its owner in.
#[utoipa::path(
    post,
    path = "/api/users",
    operation_id = "signUp",
    tag = "People and sessions",
    request_body = SignUp,
    responses(
        (status = 201, description = "The account, and the cookie of a session.", body = Success<SessionAnswer>),
        Errors<{ ANYBODY | STORED | CHANGE | BODY | just(&[ErrorCode::EmailTaken, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(super) async fn sign_up(
    state: Data<AppState>,
    request: HttpRequest,
    JsonBody(body): JsonBody<SignUp>,
) -> Result<HttpResponse, ApiError> {
    validate(&body)?;
    let admission = state.passwords.admit()?;
    state.limits.strict_by_address(&limits::SIGN_UP, &request).await?;
    let user = User {
        // A host application brings users of its own: the prefix keeps local ids apart from theirs.
        id: format!("{LOCAL_PREFIX}{}", Uuid::new_v4().simple()),
        email: body.email.trim().to_owned(),
        name: body.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        created_at: state.clock.now(),
    };
    let password_hash = state.passwords.hash(admission, body.password.into_exposed().into()).await?;
    let account = Credentials { user, password_hash };
    let new = NewUser {
        email_key: presence::email_key(&account.user.email),
        user: account.user.clone(),
        password_hash: account.password_hash.clone(),
    };
    match state.store.create_user(new).await? {
        CreateOutcome::EmailTaken => Err(ApiError::email_taken()),
        CreateOutcome::Created => session::open(&state, &request, account, HttpResponse::Created()).await,
    }
}

fn validate(body: &SignUp) -> Result<(), ApiError> {
    let wrong = [
        ("email", validation::email(&body.email)),
        ("password", validation::password(body.password.expose())),
        ("name", body.name.as_deref().and_then(validation::name)),
    ];
    let fields: Vec<_> = wrong.into_iter().filter_map(|(field, why)| Some((field, why?))).collect();
    if fields.is_empty() { Ok(()) } else { Err(ApiError::validation(fields)) }
}
