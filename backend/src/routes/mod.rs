//! Every URL, one file a family.

mod account;
mod api_keys;
mod auth;
mod connections;
mod docs;
mod health;
mod host_sessions;
mod integrations;
pub(crate) mod metrics;
mod presence;
mod session;
mod sessions;
mod table;
mod users;

use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::{OpenApi, ToSchema};

use crate::api_error::ApiError;
use crate::state::AppState;
use table::ApiRoute;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use auth::connect::fuzz_callback_query;

/// Makes the table of routes. A row names a handler; the attribute `#[utoipa::path]` on it says the rest.
///
/// Describing one handler at a time ties its path, methods and description to it by utoipa's public derive alone.
macro_rules! routes {
    ($($($step:ident)::+,)+) => {
        fn table() -> Vec<ApiRoute> {
            vec![$({
                #[derive(OpenApi)]
                #[openapi(paths($($step)::+))]
                struct Description;
                ApiRoute::new(Description::openapi(), || web::to($($step)::+))
            }),+]
        }
    };
}

// In the order in which the reference shows the routes of a part. Of two paths that fit an address, the first one serves it.
routes! {
    auth::connect::login,
    auth::connect::callback,
    integrations::connections::save,
    integrations::connections::read,
    integrations::connections::disconnect,
    integrations::connections::read_own,
    integrations::connections::read_all,
    integrations::connections::select,
    integrations::connections::disconnect_one,
    integrations::connections::refresh,
    integrations::connections::sync,
    integrations::connections::history,
    integrations::connections::events,
    integrations::token::give,
    integrations::proxy::read,
    integrations::proxy::write,
    integrations::proxy::delete,
    integrations::overview::own,
    integrations::overview::of_user,
    connections::list,
    users::sign_up,
    session::who,
    session::sign_in,
    session::sign_out,
    sessions::list,
    host_sessions::create,
    sessions::end_others,
    sessions::end,
    account::change_password,
    account::delete,
    host_sessions::show,
    host_sessions::follow,
    host_sessions::end_all,
    api_keys::list,
    api_keys::create,
    api_keys::revoke,
    auth::meta_callbacks::deauthorize,
    auth::meta_callbacks::delete_data,
    auth::meta_callbacks::deletion_status,
    health::healthz,
    health::readyz,
    docs::document,
    docs::page,
}

/// Adds all routes of the API.
pub(crate) fn configure(app: &mut ServiceConfig) {
    table::serve(table(), app);
}

/// Method and path of every route of the API: paths with `{names}` in them.
pub(crate) fn served() -> impl Iterator<Item = (Method, String)> {
    table().into_iter().flat_map(|route| route.served().collect::<Vec<_>>())
}

/// The descriptions of all routes. See [`crate::openapi`].
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    table::describe(table())
}

/// Answers what is no route of the API, from the web app.
pub(crate) async fn web_app(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = state.web_app.as_ref();
    app.and_then(|app| app.respond(&request)).ok_or_else(ApiError::not_found)
}

/// A success: `"ok": true` beside the fields of `T`. The description makes one object of both.
#[derive(Serialize, ToSchema)]
pub(crate) struct Success<T> {
    /// Always `true`.
    pub(crate) ok: bool,
    #[serde(flatten)]
    pub(crate) answer: T,
}

fn success<T: Serialize>(answer: T) -> web::Json<Success<T>> {
    web::Json(Success { ok: true, answer })
}

/// A success with nothing to say.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"ok": true})))]
pub(crate) struct Done {}

/// The query as a type. Its errors are not repeated: serde's may quote what was sent.
fn query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    web::Query::<T>::from_query(query)
        .map(web::Query::into_inner)
        .map_err(|_| ApiError::invalid_request("The query cannot be understood."))
}

/// Returns the number of items that a page of a list holds.
fn page_size(limit: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(default);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let why = format!("Give a number from 1 to {most}");
    Err(ApiError::validation([("limit", why.as_str())]))
}
