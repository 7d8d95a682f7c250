//! `POST /api/sessions` and `/auth/host`: a host application signs its own user in by a link.

use actix_web::cookie::Cookie;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use connection_store::HostLink;
use jiff::SignedDuration;
use serde::Deserialize;
use shared::{CreateHostLink, ErrorCode, HostLinkAnswer, Scope, validation};
use utoipa::{IntoParams, ToSchema};

use super::{Routes, Success, page, query, resource, session, success, web_app};
use crate::app::AppState;
use crate::caller::{Caller, host_user_id};
use crate::error::ApiError;
use crate::idempotency::{self, CutOff};
use crate::limits;
use crate::openapi::IdempotencyKey;
use crate::openapi::errors::{ANYBODY, BODY, CALLER, CHANGE, Errors, QUERY, STORED, just};
use crate::request_body::{CallerAndBody, FormBody};
use crate::secret_token::SecretToken;

/// How long a link waits to be opened.
const LINK_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Where a link leads. The secret is in the query, which no log line of this service holds.
const LINK_PATH: &str = "/auth/host";

/// Where a person lands unless the host says otherwise.
const LANDING_PATH: &str = "/integrations";

pub(super) fn configure(app: &mut Routes<'_>) {
    app.service(resource(LINK_PATH, [(Method::GET, web::to(open)), (Method::POST, web::to(confirm))]));
}

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
    idempotency::once(&state, &request, &caller, &body, CutOff::DoAgain, work).await
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

/// Signs the browser in and sends it on to the web app.
///
/// A browser that opens a link which is used up, or too old, or which cannot be opened now, is shown a page that says so in
/// place of `ErrorBody`.
///
/// A browser in which somebody else is signed in is shown a page that asks first, and posts: else whoever gets a person to open a
/// link of their own would have them go on as somebody that they are not.
///
/// Otherwise a plain `GET` uses the link up. A page in between that posts itself would keep the link from those that open links for
/// somebody else to see what is behind; but it would need a script or a click, and a host sends its user here straight from
/// its own page: nobody's mail or chat has the link. Browsers that fetch ahead say so, and are sent away.
#[utoipa::path(
    get,
    path = LINK_PATH,
    operation_id = "openHostLink",
    tag = "Host applications",
    params(LinkQuery),
    responses(
        (status = 200, description = "Somebody else is signed in: a page that asks whether to go on.", body = String, content_type = "text/html"),
        (status = 303, description = "Signed in, with the cookie of a session: on to the web app.", headers(
            ("Location" = String, description = "The web app's address."),
        )),
        Errors<{ ANYBODY | STORED | QUERY | just(&[ErrorCode::InvalidState]) }>,
    ),
)]
async fn open(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let opened = open_link(&state, &request).await;
    as_page(opened, web_app::is_navigation(&request))
}

/// What a person sends who is signed in as somebody else and goes on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `FormBody` reads")]
#[schema(examples(json!({"token": "dGhlIHNlY3JldCBvZiBhIGxpbmsgb2YgdGhlIGhvc3Q"})))]
struct LinkForm {
    /// The link's secret.
    token: String,
}

/// Signs the browser in as the link's user in place of whoever is signed in there.
///
/// The page that `openHostLink` shows then posts this.
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
async fn confirm(
    state: Data<AppState>,
    request: HttpRequest,
    form: FormBody,
) -> Result<HttpResponse, ApiError> {
    let opened = async {
        state.limits.strict_by_address(&state, &limits::HOST_LINK, &request).await?;
        let token = form.field("token").and_then(SecretToken::parse).ok_or_else(ApiError::invalid_state)?;
        let response = sign_in(&state, &request, &token).await?;
        // Whoever was signed in here is so no longer.
        if let Ok(caller) = Caller::find(&request).await
            && let Ok((_, before)) = caller.require_session()
        {
            state.store.delete_session(before).await?;
        }
        Ok(response)
    };
    as_page(opened.await, web_app::prefers_html(&request))
}

/// A person's browser is shown a page where a program gets JSON.
fn as_page(opened: Result<HttpResponse, ApiError>, for_people: bool) -> Result<HttpResponse, ApiError> {
    let mut response = match opened {
        Ok(response) => response,
        Err(refused) if for_people => refused_page(&refused),
        Err(refused) => return Err(refused),
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

async fn open_link(state: &AppState, request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    if is_ahead_of_time(request.headers()) {
        return Err(ApiError::invalid_request(
            "This link is opened when its person wants it, and not before.",
        ));
    }
    state.limits.strict_by_address(state, &limits::HOST_LINK, request).await?;
    let LinkQuery { token } = query(request.query_string())?;
    let token = SecretToken::parse(&token).ok_or_else(ApiError::invalid_state)?;
    if web_app::is_navigation(request)
        && let Ok(caller) = Caller::find(request).await
        && let Ok(session) = caller.signed_in()
    {
        let link = state.store.find_host_link(&token.hash(), state.clock.now()).await?;
        let link = link.ok_or_else(ApiError::invalid_state)?;
        if link.user_id != session.user_id {
            return Ok(asking_page(&link, &token, &state.frontend_origin));
        }
    }
    sign_in(state, request, &token).await
}

async fn sign_in(
    state: &AppState,
    request: &HttpRequest,
    token: &SecretToken,
) -> Result<HttpResponse, ApiError> {
    let link = state.store.consume_host_link(&token.hash(), state.clock.now()).await?;
    let link = link.ok_or_else(ApiError::invalid_state)?;
    let landing = link.return_to.as_deref().unwrap_or(LANDING_PATH);
    let target = format!("{}{landing}", state.frontend_origin);
    let cookie = session::start(state, request, link.user_id, link.name, None).await?;
    Ok(signed_in(&target, &cookie))
}

/// The security headers that every answer gets forbid to keep this one, and to pass its address on as a referrer.
fn signed_in(target: &str, cookie: &Cookie<'_>) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, target)).cookie(cookie.clone()).finish()
}

/// Whether a browser only fetches this in case its person goes there (<https://wicg.github.io/nav-speculation/prefetch.html>;
/// the other two are what browsers sent before).
fn is_ahead_of_time(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| {
        let purpose = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        purpose.to_ascii_lowercase().contains("prefetch")
    })
}

/// What a person sees who is signed in as somebody else.
fn asking_page(link: &HostLink, token: &SecretToken, frontend_origin: &str) -> HttpResponse {
    let name = link.name.as_deref().map_or("somebody else".to_owned(), |name| format!("“{name}”"));
    let text = format!(
        "<p>You are signed in here already. This link signs this browser in as {} instead, and what you connect then is \
         theirs.</p><p>Did you not expect this? Then stay.</p>",
        page::escape(&name)
    );
    let form = format!(
        "<form method=\"post\" action=\"{LINK_PATH}\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <a href=\"{}{LANDING_PATH}\">Stay signed in</a> <button>Go on as {}</button></form>",
        token.expose(),
        page::escape(frontend_origin),
        page::escape(&name)
    );
    page::respond_with_form(page::html(page::UNKNOWN, "Go on as somebody else?", &text, &form))
}

/// What a person sees whom a link did not sign in.
fn refused_page(refused: &ApiError) -> HttpResponse {
    refused.log();
    let (title, why) = match refused.code() {
        ErrorCode::InvalidState => (
            "This link is used up",
            "A link like this signs in once, and for ten minutes only. This one was used already, or it is too old.",
        ),
        _ => ("This link cannot be opened now", refused.sentence()),
    };
    let text = format!(
        "<p>{}</p><p>Go back to the application that you came from, and open it from there again.</p>",
        page::escape(why)
    );
    let mut response = page::respond(refused.status_code(), page::html(page::UNKNOWN, title, &text, ""));
    let headers = response.headers_mut();
    if let Some(seconds) = refused.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(quota) = refused.quota() {
        quota.write(headers);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn a_browser_that_only_looks_ahead_says_so() {
        let is_ahead = |name: &'static str, value: &'static str| {
            let pair = (HeaderName::from_static(name), HeaderValue::from_static(value));
            is_ahead_of_time(&HeaderMap::from_iter([pair]))
        };
        assert!(is_ahead("sec-purpose", "prefetch;prerender"));
        assert!(is_ahead("purpose", "prefetch"));
        assert!(is_ahead("x-moz", "Prefetch"));
        assert!(!is_ahead("sec-fetch-mode", "navigate"));
        assert!(!is_ahead("purpose", "\u{9}"));
    }
}
