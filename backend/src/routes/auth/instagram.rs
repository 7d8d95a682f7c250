//! `/auth/instagram/…`: the way to Instagram and back.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use serde::Deserialize;

use crate::app::AppState;
use crate::caller::{Caller, Scope};
use crate::connections::{Login, Redirected};
use crate::error::ApiError;
use crate::routes::{query, resource, success, web_app};

/// Where Instagram sends the browser back to, on the backend and on the web app alike.
pub(crate) const CALLBACK_PATH: &str = "/auth/instagram/callback";

pub(in crate::routes) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/auth/instagram/login", [(Method::GET, web::to(login))]));
    app.service(resource(CALLBACK_PATH, [(Method::GET, web::to(callback))]));
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginQuery {
    return_to: Option<String>,
    /// Makes the person sign in again at Instagram: "use another account".
    #[serde(default)]
    force_reauth: bool,
    /// Connects the present account again; another one is not put into its place unasked.
    #[serde(default)]
    reconnect: bool,
}

/// Where to send the browser. The one success without `ok`, as its clients have always known it.
async fn login(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(caller.user_id(), Scope::ConnectionsWrite)?;
    let LoginQuery { return_to, force_reauth, reconnect } = query(request.query_string())?;
    state.connections.begin(user_id, Login { return_to, force_reauth, reconnect }).await.map(web::Json)
}

#[derive(Deserialize)]
struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_reason: Option<String>,
}

/// One URL, two clients: Instagram sends the browser here, which is passed on to the web app; the web app then asks here
/// for the data.
async fn callback(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut response = if web_app::is_navigation(&request) {
        pass_on(&state, &request)
    } else {
        let caller = Caller::extract(&request).await?;
        exchange(&state, &caller, request.query_string()).await?
    };
    // The address holds a code, so nothing of it is kept, the page included.
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    Ok(response)
}

/// The web app's page where this server serves it, else a redirect to it, with the query untouched.
fn pass_on(state: &AppState, request: &HttpRequest) -> HttpResponse {
    if let Some(page) = &state.app_page {
        return page.respond(request);
    }
    let query = request.query_string();
    let separator = if query.is_empty() { "" } else { "?" };
    let target = format!("{}{CALLBACK_PATH}{separator}{query}", state.frontend_origin);
    HttpResponse::SeeOther().insert_header((header::LOCATION, target)).finish()
}

async fn exchange(state: &AppState, caller: &Caller, query_string: &str) -> Result<HttpResponse, ApiError> {
    let user_id = caller.authorize(caller.user_id(), Scope::ConnectionsWrite)?;
    let redirected = redirected(query(query_string)?)?;
    let answer = state.connections.exchange(user_id, redirected).await?;
    Ok(HttpResponse::Ok().json(success(answer)))
}

fn redirected(query: CallbackQuery) -> Result<Redirected, ApiError> {
    let given = |value: Option<String>| value.filter(|text| !text.is_empty());
    let state = given(query.state);
    if given(query.error).is_some() {
        return Ok(Redirected::Error { reason: query.error_reason, state });
    }
    match (given(query.code), state) {
        (Some(code), Some(state)) => Ok(Redirected::Code { code, state }),
        (None, _) => Err(ApiError::invalid_request("The code is missing.")),
        (_, None) => Err(ApiError::invalid_request("The state is missing.")),
    }
}
