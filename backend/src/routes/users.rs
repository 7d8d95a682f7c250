//! `/api/users`: making a local account.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use connection_store::{CreateOutcome, NewUser, User};
use shared::{SignUp, validation};
use uuid::Uuid;

use super::{resource, session};
use crate::app::AppState;
use crate::error::ApiError;
use crate::request_body::JsonBody;

pub(super) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/api/users", [(Method::POST, web::to(sign_up))]));
}

/// Makes an account and signs its owner in.
async fn sign_up(state: Data<AppState>, JsonBody(body): JsonBody<SignUp>) -> Result<HttpResponse, ApiError> {
    validate(&body)?;
    let user = User {
        // Hosts bring users of their own later: the prefix keeps local ids apart from theirs.
        id: format!("usr_{}", Uuid::new_v4().simple()),
        email: body.email.trim().to_owned(),
        name: body.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        created_at: state.clock.now(),
    };
    let password_hash = state.passwords.hash(body.password.into_exposed().into()).await?;
    let new = NewUser { email_key: email_key(&user.email), user: user.clone(), password_hash };
    match state.store.create_user(new).await? {
        CreateOutcome::EmailTaken => Err(ApiError::email_taken()),
        CreateOutcome::Created => session::open(&state, user, HttpResponse::Created()).await,
    }
}

/// The form of an address that has to be unique.
pub(super) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
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
