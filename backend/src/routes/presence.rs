//! Making sure that a person is there: by the password of their account, or by a link that has just signed them in.

use actix_web::HttpRequest;
use actix_web::web::Data;
use connection_store::Credentials;
use domain::user_id::is_local;
use jiff::SignedDuration;
use shared::{Sensitive, validation};

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::request::carry_out;
use crate::state::AppState;

/// Time after a link's sign-in in which a host application's user may do things that need a password of
/// others.
const JUST_SIGNED_IN: SignedDuration = SignedDuration::from_mins(5);

/// The account of an address, once the password has proved to be its own. Refused tries cost no hashing, and
/// count for nothing where it was this server that had no time for them.
pub(super) async fn prove_password(
    state: &Data<AppState>,
    request: &HttpRequest,
    email_key: String,
    password: Sensitive,
) -> Result<Credentials, ApiError> {
    let (state, asked) = (Data::clone(state), request.clone());
    // Counted as a failure first: a right password has to be forgotten again, even if nobody waits for the answer any more.
    carry_out(request, async move { look_at(&state, &asked, &email_key, password).await }).await
}

async fn look_at(
    state: &AppState,
    request: &HttpRequest,
    email_key: &str,
    password: Sensitive,
) -> Result<Credentials, ApiError> {
    let admission = state.passwords.admit()?;
    state.limits.strict_by_address(&limits::SIGN_IN, request).await?;
    let device = state.device_cookie.read(request, &state.vault, email_key);
    let tries = state.limits.try_password(device, email_key).await?;
    let found = state.store.find_credentials(email_key).await?;
    let password_hash = found.as_ref().map(|found| found.password_hash.clone());
    let is_right = state.passwords.verify(admission, password.into_exposed().into(), password_hash).await?;
    let proved = found.filter(|_| is_right).ok_or_else(ApiError::invalid_credentials)?;
    state.limits.password_was_right(&tries).await?;
    Ok(proved)
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
    let password = password.unwrap_or_default();
    if let Some(why) = validation::present_password(password.expose()) {
        return Err(ApiError::validation([("password", why)]));
    }
    prove_own_password(state, request, caller, password).await.map(Some)
}

/// Returns the credentials that the caller's own password is checked against, once it has proved to be right.
pub(super) async fn prove_own_password(
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
    prove_password(state, request, email_key(&user.email), password).await
}

/// The form of an address that has to be unique.
pub(super) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}
