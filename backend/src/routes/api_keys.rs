//! `/api/api-keys`: the keys of a user's own programs.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use connection_store::{KeyOutcome, NewApiKey, SecretHash};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use shared::{ApiKeysAnswer, CreateApiKey, CreatedApiKey, ErrorCode, Scope, validation};

use super::{Done, Success, presence, success};
use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::caller::api_key::{self, ApiKeyText, KeyTerms};
use crate::openapi::IdempotencyKey;
use crate::openapi::errors::{BODY, CALLER, CHANGE, Errors, just};
use crate::request::{CallerAndBody, CutOff};
use crate::state::AppState;

/// Most keys that a user has at once, ended ones included.
const KEYS_MAX: u32 = 50;

/// Longest life of a key that ends: five years, leap days included.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours((5 * 365 + 2) * 24);

/// The caller's keys, the newest first.
///
/// What a key is itself was shown when it was made.
#[utoipa::path(
    get,
    path = "/api/api-keys",
    operation_id = "listApiKeys",
    tag = "API keys",
    security(("session" = [])),
    responses(
        (status = 200, description = "The keys, without the keys themselves.", body = Success<ApiKeysAnswer>),
        Errors<{ CALLER }>,
    ),
)]
pub(super) async fn list(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    Ok(success(of_user(&state, &caller.signed_in()?.user_id).await?))
}

/// Lists the keys of a user, the newest first.
pub(super) async fn of_user(state: &AppState, user_id: &str) -> Result<ApiKeysAnswer, ApiError> {
    let api_keys = state.store.api_keys(Some(user_id)).await?.into_iter().map(api_key::view).collect();
    Ok(ApiKeysAnswer { api_keys })
}

/// Makes a key that acts for the caller, and shows it this once.
///
/// It needs the present `password`, each time that it is sent: a key outlives the session that makes it. A host application's user,
/// who has no password, has to have come by a link within the last five minutes.
#[utoipa::path(
    post,
    path = "/api/api-keys",
    operation_id = "createApiKey",
    tag = "API keys",
    security(("session" = [])),
    params(IdempotencyKey),
    request_body = CreateApiKey,
    responses(
        (status = 201, description = "The key, shown this once.", body = Success<CreatedApiKey>),
        Errors<{ CALLER | CHANGE | BODY | just(&[ErrorCode::InvalidCredentials, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(super) async fn create(
    state: Data<AppState>,
    request: HttpRequest,
    CallerAndBody(caller, mut body): CallerAndBody<CreateApiKey>,
) -> Result<HttpResponse, ApiError> {
    // Taken out of the body: a hash of the rest is kept for those who repeat the request, and would tell a guesser more.
    let password = body.password.take();
    let proved = presence::prove_presence(&state, &request, &caller, password).await?;
    let (session, session_hash) = caller.require_session()?;
    let proof = match proved {
        Some(credentials) => Proof::Password(credentials.password_hash),
        None => Proof::Session(*session_hash),
    };
    let work = make(Data::clone(&state), session.user_id.clone(), proof, body.clone());
    state.idempotency.once(&request, &caller, &body, CutOff::DoAgain, work).await
}

/// Proof that has to hold still when the key is stored.
enum Proof {
    /// The stored hash that the password was checked against.
    Password(SecretString),
    /// The session of a host application's user, by its hash.
    Session(SecretHash),
}

async fn make(
    state: Data<AppState>,
    user_id: String,
    proof: Proof,
    body: CreateApiKey,
) -> Result<HttpResponse, ApiError> {
    let now = state.clock.now();
    let terms = terms(&user_id, &body, now)?;
    let text = ApiKeyText::generate();
    let (password_hash, session, unproved) = match proof {
        Proof::Password(hash) => (Some(hash), None, ApiError::invalid_credentials()),
        Proof::Session(hash) => (None, Some(hash), ApiError::unauthenticated()),
    };
    let new = NewApiKey { password_hash, session, ..text.to_stored(terms, now) };
    let stored = connection_store::ApiKey::from(new.clone());
    match state.store.create_api_key(new, Some(KEYS_MAX)).await? {
        KeyOutcome::Created => {}
        KeyOutcome::Taken => return Err(ApiError::internal("two random keys were the same")),
        KeyOutcome::TooMany => {
            let why = "You have 50 keys, as many as there can be. Revoke one";
            return Err(ApiError::validation([("name", why)]));
        }
        // Changed meanwhile: the password that was given is no longer the present one, or the session has ended.
        KeyOutcome::Unproved => return Err(unproved),
    }
    let answer = CreatedApiKey { api_key: api_key::view(stored), key: text.expose().to_owned().into() };
    Ok(HttpResponse::Created().json(success(answer)))
}

/// Ends a key of the caller's: from now on it is nobody's.
#[utoipa::path(
    delete,
    path = "/api/api-keys/{id}",
    operation_id = "revokeApiKey",
    tag = "API keys",
    security(("session" = [])),
    params(("id" = String, Path, description = "The key's `id`.", min_length = 1)),
    responses(
        (status = 200, description = "The key is nobody's any more.", body = Success<Done>),
        Errors<{ CALLER | CHANGE | just(&[ErrorCode::NotFound]) }>,
    ),
)]
pub(super) async fn revoke(
    state: Data<AppState>,
    caller: Caller,
    id: Path<String>,
) -> Result<impl Responder, ApiError> {
    let user_id = &caller.signed_in()?.user_id;
    let was_there = state.store.delete_api_key(&id, Some(user_id)).await?;
    if was_there { Ok(success(Done {})) } else { Err(ApiError::not_found()) }
}

/// The terms that a body asks for.
fn terms(user_id: &str, body: &CreateApiKey, now: Timestamp) -> Result<KeyTerms, ApiError> {
    let mut wrong: Vec<_> = validation::key_name(&body.name).map(|why| ("name", why)).into_iter().collect();
    let scopes = scopes(&body.scopes).unwrap_or_else(|why| {
        wrong.push(("scopes", why));
        Vec::new()
    });
    let expires_at = match body.expires_at.as_deref().map(str::parse::<Timestamp>) {
        None => None,
        Some(Ok(end)) if end > now && end <= now + LONGEST_LIFE => Some(end),
        Some(_) => {
            wrong.push(("expiresAt", "Give a time in the future, five years from now at the latest"));
            None
        }
    };
    if !wrong.is_empty() {
        return Err(ApiError::validation(wrong));
    }
    Ok(KeyTerms { user_id: Some(user_id.to_owned()), name: body.name.trim().to_owned(), scopes, expires_at })
}

/// The scopes of these names, each once, in the order that they are listed in everywhere.
fn scopes(names: &[String]) -> Result<Vec<Scope>, &'static str> {
    let asked: Option<Vec<Scope>> = names.iter().map(|name| Scope::from_name(name)).collect();
    let asked = asked.ok_or("One of these is no scope")?;
    if asked.contains(&Scope::SessionsCreate) {
        return Err("Only the operator's service keys can have sessions:create");
    }
    if let Some(why) = validation::chosen(asked.len()) {
        return Err(why);
    }
    Ok(Scope::ALL.into_iter().filter(|scope| asked.contains(scope)).collect())
}
