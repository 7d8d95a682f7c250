//! `POST /api/sessions`, `/auth/host` and `DELETE /api/users/{userId}/sessions`: a host application signs its own user in, by
//! a link, and out.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use connection_store::HostLink;
use jiff::SignedDuration;
use serde::Deserialize;
use shared::{ApiKeysAnswer, CreateHostLink, ErrorCode, HostLinkAnswer, Scope, validation};
use utoipa::{IntoParams, ToSchema};

use super::{Success, api_keys, query, session, success};
use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::openapi::errors::{ANYBODY, BODY, CALLER, CHANGE, Errors, QUERY, STORED, just};
use crate::openapi::{IdempotencyKey, UserId};
use crate::pages;
use crate::request::{CallerAndBody, CutOff, FormBody, is_navigation, prefers_html};
use crate::state::AppState;
use domain::SecretToken;
use domain::user_id::{host_user_id, public_user_id};

/// Time for which a link waits to be opened.
const LINK_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Path that a link leads to. The secret is in the query, which no log line of this service holds.
const LINK_PATH: &str = "/auth/host";

/// Path at which a person lands unless the host says otherwise.
const LANDING_PATH: &str = "/integrations";

/// Makes a link that signs one browser in, once, as a user of the host application.
#[utoipa::path(
    post,
    path = "/api/sessions",
    operation_id = "createHostLink",
    tag = "Host applications",
    security(("key" = ["sessions:create"])),
    params(IdempotencyKey),
    request_body = CreateHostLink,
    responses(
        (status = 201, description = "The link. It is good for ten minutes and for one browser.", body = Success<HostLinkAnswer>),
        Errors<{ CALLER | CHANGE | BODY | just(&[ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(super) async fn create(
    state: Data<AppState>,
    request: HttpRequest,
    CallerAndBody(caller, body): CallerAndBody<CreateHostLink>,
) -> Result<HttpResponse, ApiError> {
    caller.require_service(Scope::SessionsCreate)?;
    let work = make(Data::clone(&state), body.clone());
    state.idempotency.once(&request, &caller, &body, CutOff::DoAgain, work).await
}

async fn make(state: Data<AppState>, body: CreateHostLink) -> Result<HttpResponse, ApiError> {
    validate(&body)?;
    let token = SecretToken::generate();
    let now = state.clock.now();
    let expires_at = now + LINK_LIFE;
    let link = HostLink {
        token_hash: token.hash(),
        user_id: host_user_id(&body.user_id).into_owned(),
        name: body.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        return_to: body.return_to,
        created_at: now,
        expires_at,
    };
    state.store.insert_host_link(link).await?;
    // The session's cookie is the backend's, so that is where it has to be set.
    let [public_origin, _] = &state.origins;
    let url = format!("{public_origin}{LINK_PATH}?token={}", token.expose());
    Ok(HttpResponse::Created()
        .json(success(HostLinkAnswer { url: url.into(), expires_at: expires_at.into() })))
}

fn validate(body: &CreateHostLink) -> Result<(), ApiError> {
    let is_path = body.return_to.as_deref().is_none_or(validation::is_return_path);
    let wrong = [
        ("userId", validation::host_user_id(&body.user_id)),
        ("name", body.name.as_deref().and_then(validation::name)),
        ("returnTo", (!is_path).then_some("Give a path of the web app, such as /integrations")),
    ];
    let fields: Vec<_> = wrong.into_iter().filter_map(|(field, why)| Some((field, why?))).collect();
    if fields.is_empty() { Ok(()) } else { Err(ApiError::validation(fields)) }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LinkQuery {
    /// The link's secret.
    #[serde(default)]
    token: String,
}

/// Shows the page that asks whether to sign in.
///
/// The page names the user whom the link signs in, and posts the form of `confirmHostLink`. A `GET` signs nobody in and uses
/// nothing up, whoever sends it: an address can be opened by another site's page, by an image in it, by whoever looks at what is
/// behind a link, and by a browser that fetches ahead. A link that is used up or too old is answered with a page that says so
/// where `Accept` prefers one to `ErrorBody`.
#[utoipa::path(
    get,
    path = LINK_PATH,
    operation_id = "openHostLink",
    tag = "Host applications",
    params(LinkQuery),
    responses(
        (status = 200, description = "A page that asks whether to sign in as the link's user.", body = String, content_type = "text/html"),
        Errors<{ ANYBODY | STORED | QUERY | just(&[ErrorCode::InvalidState]) }>,
    ),
)]
pub(super) async fn show(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let shown = async {
        state.limits.strict_by_address(&limits::HOST_LINK, &request).await?;
        let LinkQuery { token } = query(request.query_string())?;
        let token = SecretToken::parse(&token).ok_or_else(ApiError::invalid_state)?;
        let link = find(&state, &token).await?;
        let present = state.callers.find(&request).await.ok();
        let present = present.as_ref().and_then(|caller| caller.signed_in().ok());
        let is_other = present.is_some_and(|session| session.user_id != link.user_id);
        Ok(asking_page(&link, &token, is_other, &state.frontend_origin))
    };
    as_page(shown.await, is_navigation(&request))
}

/// What the page of a link sends.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `FormBody` reads")]
#[schema(examples(json!({"token": "dGhlIHNlY3JldCBvZiBhIGxpbmsgb2YgdGhlIGhvc3Q"})))]
struct LinkForm {
    /// The link's secret.
    token: String,
}

/// Signs the browser in as the link's user, in place of whoever is signed in there, and sends it on to the web app.
///
/// The page that `openHostLink` shows posts this. As everywhere, another site's page cannot.
#[utoipa::path(
    post,
    path = LINK_PATH,
    operation_id = "confirmHostLink",
    tag = "Host applications",
    request_body(content = LinkForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 303, description = "Signed in, with the cookie of a session: on to the web app.", headers(
            ("Location" = String, description = "The web app's address."),
        )),
        Errors<{ ANYBODY | STORED | BODY | CHANGE | just(&[ErrorCode::InvalidState]) }>,
    ),
)]
pub(super) async fn follow(
    state: Data<AppState>,
    request: HttpRequest,
    form: FormBody,
) -> Result<HttpResponse, ApiError> {
    let followed = async {
        state.limits.strict_by_address(&limits::HOST_SIGN_IN, &request).await?;
        let token = form.field("token").and_then(SecretToken::parse).ok_or_else(ApiError::invalid_state)?;
        let link = find(&state, &token).await?;
        let landing = link.return_to.as_deref().unwrap_or(LANDING_PATH);
        let target = format!("{}{landing}", state.frontend_origin);
        let cookie = session::start(&state, &request, session::Proof::HostLink(link)).await?;
        Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, target)).cookie(cookie).finish())
    };
    as_page(followed.await, prefers_html(&request))
}

async fn find(state: &AppState, token: &SecretToken) -> Result<HostLink, ApiError> {
    let found = state.store.find_host_link(&token.hash(), state.clock.now()).await?;
    found.ok_or_else(ApiError::invalid_state)
}

/// A person's browser is shown a page where a program gets JSON.
fn as_page(answer: Result<HttpResponse, ApiError>, for_people: bool) -> Result<HttpResponse, ApiError> {
    let mut response = match answer {
        Ok(response) => response,
        Err(refused) if for_people => refused_page(&refused),
        Err(refused) => return Err(refused),
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct EndQuery {
    /// `true`: the user's API keys are revoked, too.
    #[serde(default)]
    revoke_api_keys: bool,
}

/// Ends all sessions of a user of the host application, and the links for them that wait to be opened.
///
/// For when the user has signed out at the application, or has lost a device. API keys that the user has made go on working
/// unless `revokeApiKeys` is `true`; the answer lists those that are there afterwards.
#[utoipa::path(
    delete,
    path = "/api/users/{userId}/sessions",
    operation_id = "endUserSessions",
    tag = "Host applications",
    security(("key" = ["sessions:create"])),
    params(UserId, EndQuery),
    responses(
        (status = 200, description = "The user is signed in nowhere. These keys go on working until they end.", body = Success<ApiKeysAnswer>),
        Errors<{ CALLER | CHANGE | QUERY }>,
    ),
)]
pub(super) async fn end_all(
    state: Data<AppState>,
    request: HttpRequest,
    caller: Caller,
    user: Path<String>,
) -> Result<impl Responder, ApiError> {
    caller.require_service(Scope::SessionsCreate)?;
    let user_id = caller.authorize(&user, Scope::SessionsCreate)?;
    let EndQuery { revoke_api_keys } = query(request.query_string())?;
    state.store.sign_out_everywhere(&user_id, revoke_api_keys).await?;
    Ok(success(api_keys::of_user(&state, &user_id).await?))
}

/// Asks whether to sign in. `is_other`: somebody else is signed in here.
fn asking_page(link: &HostLink, token: &SecretToken, is_other: bool, frontend_origin: &str) -> HttpResponse {
    // Apart from the words around it, whichever way it is written.
    let isolated = |text: &str| format!("<bdi>{}</bdi>", pages::escape(text));
    let id = public_user_id(&link.user_id);
    let name = isolated(link.name.as_deref().unwrap_or(id));
    // Anybody can be called anything; the id is the application's own.
    let id = link.name.is_some().then(|| format!(" (user <code>{}</code>)", isolated(id)));
    let (title, before, stay) = if is_other {
        let stay = format!("<a href=\"{}{LANDING_PATH}\">Stay signed in</a>", pages::escape(frontend_origin));
        ("Continue as somebody else?", "<p>You are signed in here already, as somebody else.</p>", stay)
    } else {
        ("Sign in?", "", String::new())
    };
    let text = format!(
        "{before}<p>This link signs this browser in as <strong>{name}</strong>{}. What you connect then is theirs.</p>\
         <p>Is that not you, or did you not expect this? Then close this page.</p>",
        id.unwrap_or_default()
    );
    let form = format!(
        "<form method=\"post\" action=\"{LINK_PATH}\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <button>Continue as {name}</button>{stay}</form>",
        token.expose()
    );
    pages::respond_with_form(pages::html(pages::UNKNOWN, title, &text, &form), frontend_origin)
}

/// Returns the page for a person whom a link did not sign in.
fn refused_page(refused: &ApiError) -> HttpResponse {
    refused.log();
    let (title, why) = match refused.code() {
        ErrorCode::InvalidState => (
            "This link no longer works",
            "A link like this signs in once, and for ten minutes only. This one was used already, or it is too old.",
        ),
        _ => ("This link cannot be opened now", refused.sentence()),
    };
    let text = format!(
        "<p>{}</p><p>Go back to the application that you came from, and open it from there again.</p>",
        pages::escape(why)
    );
    let mut response = pages::respond(refused.status_code(), pages::html(pages::UNKNOWN, title, &text, ""));
    let headers = response.headers_mut();
    if let Some(seconds) = refused.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(quota) = refused.quota() {
        quota.write(headers);
    }
    response
}
