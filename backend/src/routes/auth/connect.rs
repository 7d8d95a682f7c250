//! `/auth/{provider}/…`: the way to the provider and back.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use serde::Deserialize;
use shared::{CallbackAnswer, ErrorCode, LoginAnswer, Provider, Scope, without_fragment};
use url::Url;
use utoipa::IntoParams;

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::openapi::OfProvider;
use crate::openapi::errors::{CALLER, Errors, QUERY, UPSTREAM, just};
use crate::request::is_navigation;
use crate::routes::{Success, query, success};
use crate::state::AppState;
use domain::connections::{AuthorizationRequest, AuthorizationResponse};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct LoginQuery {
    /// For whom; the caller when left out. A service key has to say.
    #[param(min_length = 1, max_length = 200)]
    user_id: Option<String>,
    /// Where the web app takes the person afterwards: a path of its own.
    #[param(max_length = 1024)]
    return_to: Option<String>,
    /// Has the provider ask the person again, whoever is signed in there: "use another account".
    #[serde(default)]
    force_reauth: bool,
    /// Connects the account in use again; another one is not put into its place unasked.
    #[serde(default)]
    reconnect: bool,
    /// As `reconnect`, for this one of several connections.
    #[param(max_length = 100)]
    connection_id: Option<String>,
}

/// Begins a connection: where to send the browser.
///
/// The one success without `ok`, as its clients have always known it.
#[utoipa::path(
    get,
    path = "/auth/{provider}/login",
    operation_id = "beginLogin",
    tag = "Connecting",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, LoginQuery),
    responses(
        (status = 200, description = "Where to send the browser, as a full page. The one success without `ok`.", body = LoginAnswer),
        Errors<{ CALLER | QUERY | just(&[ErrorCode::NotConfigured, ErrorCode::NotFound, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(crate) async fn login(
    state: Data<AppState>,
    caller: Caller,
    provider: Path<Provider>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let LoginQuery { user_id, return_to, force_reauth, reconnect, connection_id } =
        query(request.query_string())?;
    let user_id = caller.authorize(user_id.as_deref().unwrap_or("me"), Scope::ConnectionsWrite)?;
    let login = AuthorizationRequest { return_to, force_reauth, reconnect, connection_id };
    Ok(web::Json(state.connections.get(*provider).begin(&user_id, login).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    /// For whom the state was made; the caller when left out. Added by programs: no provider sends it.
    #[serde(rename = "userId")]
    user_id: Option<String>,
    /// The provider's code.
    code: Option<String>,
    /// What `beginLogin` put into the address.
    state: Option<String>,
    /// That the provider says no.
    error: Option<String>,
    /// The reason, where the provider gives one: Instagram does.
    error_reason: Option<String>,
}

/// Finishes at the provider what `beginLogin` began.
///
/// One URL, two clients: the provider sends the browser here, which is passed on to the web app; the web app
/// then asks here for the data. A client that prefers `text/html` to JSON is taken for a browser. Instagram
/// ends the address with `#_`: at the end of a parameter it is ignored. The answer's `access_token` is not
/// the provider's: it is what `saveConnection` wants.
#[utoipa::path(
    get,
    path = "/auth/{provider}/callback",
    operation_id = "finishLogin",
    tag = "Connecting",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, CallbackQuery),
    responses(
        (status = 200, description = "For programs: what the provider granted. For browsers, where the service serves the web app: its page.", content(
            (Success<CallbackAnswer> = "application/json"),
            (String = "text/html"),
        )),
        (status = 303, description = "For browsers: on to the web app, with the same query.", headers(
            ("Location" = String, description = "The web app's address."),
        )),
        Errors<{ CALLER | QUERY | UPSTREAM | just(&[ErrorCode::InvalidState, ErrorCode::InvalidCode, ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn callback(
    state: Data<AppState>,
    provider: Path<Provider>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut response = if is_navigation(&request) {
        pass_on(&state, *provider, &request)
    } else {
        let caller = Caller::extract(&request).await?;
        exchange(&state, &caller, *provider, &request).await?
    };
    // The address holds a code, so nothing of it is kept, the page included.
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    Ok(response)
}

/// The web app's page where this server serves it, else a redirect to it, with the query untouched.
fn pass_on(state: &AppState, provider: Provider, request: &HttpRequest) -> HttpResponse {
    if let Some(app) = &state.web_app
        && !is_away_from_app(state, provider, request)
    {
        return app.page(request);
    }
    let query = request.query_string();
    let separator = if query.is_empty() { "" } else { "?" };
    let target = format!("{}{}{separator}{query}", state.frontend_origin, request.path());
    HttpResponse::SeeOther().insert_header((header::LOCATION, target)).finish()
}

/// Tells whether the provider has sent the browser to an address of this server that is not the web app's: Spotify refuses
/// `localhost`, and on 127.0.0.1 nobody is signed in. A `Host` that is neither was made up by a proxy, and says nothing.
fn is_away_from_app(state: &AppState, provider: Provider, request: &HttpRequest) -> bool {
    let redirect = state.connections.get(provider).redirect_uri().and_then(|uri| Url::parse(uri).ok());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    redirect.map(|uri| uri.origin().ascii_serialization()).is_some_and(|origin| {
        !state.origins.contains(&origin) && origin.split_once("://").map(|(_, host)| host) == host
    })
}

async fn exchange(
    state: &AppState,
    caller: &Caller,
    provider: Provider,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let query: CallbackQuery = query(request.query_string())?;
    let user_id = caller.authorize(query.user_id.as_deref().unwrap_or("me"), Scope::ConnectionsWrite)?;
    // A program has one address for all its users.
    if caller.key().is_none() {
        state.limits.strict_by_address(&limits::CALLBACK, request).await?;
    }
    state.limits.strict_by_user(&limits::CALLBACK, &user_id).await?;
    let answer = state.connections.get(provider).exchange(&user_id, redirected(query)?).await?;
    Ok(HttpResponse::Ok().json(success(answer)))
}

/// Reads a query as the callback does, for the fuzz targets.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_callback_query(query_string: &str) {
    if let Ok(query) = query::<CallbackQuery>(query_string) {
        let _ = redirected(query);
    }
}

fn redirected(query: CallbackQuery) -> Result<AuthorizationResponse, ApiError> {
    // A program that reads the whole address sends its end along, with whatever parameter is last.
    let given = |value: Option<String>| {
        value.map(|text| without_fragment(&text).to_owned()).filter(|text| !text.is_empty())
    };
    let state = given(query.state);
    if given(query.error).is_some() {
        return Ok(AuthorizationResponse::Error { reason: given(query.error_reason), state });
    }
    match (given(query.code), state) {
        (Some(code), Some(state)) => Ok(AuthorizationResponse::Code { code, state }),
        (None, _) => Err(ApiError::invalid_request("The code is missing.")),
        (_, None) => Err(ApiError::invalid_request("The state is missing.")),
    }
}
