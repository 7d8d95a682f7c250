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
mod page;
mod session;
mod sessions;
mod table;
mod users;
pub(crate) mod web_app;

use actix_web::App;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::{OpenApi, ToSchema};

use crate::error::ApiError;

pub(crate) use auth::instagram::CALLBACK_PATH;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use auth::instagram::fuzz_callback_query;
pub(crate) use health::LastPing;
pub(crate) use integrations::instagram_proxy::{GraphAnswer, GraphParameters};
pub(crate) use page::{escape, policy};
use table::{Routes, resource};

/// Adds all routes of the API.
pub(crate) fn configure(app: &mut ServiceConfig) {
    add_all(&mut Routes::of(app));
}

/// Method and path of every route of the API, as [`configure`] adds them: paths with `{names}` in them.
pub(crate) fn served() -> Vec<(Method, String)> {
    let mut served = Vec::new();
    let _ = App::new().configure(|app| {
        let mut routes = Routes::of(app);
        add_all(&mut routes);
        served = routes.into_served();
    });
    served
}

fn add_all(routes: &mut Routes<'_>) {
    health::configure(routes);
    docs::configure(routes);
    users::configure(routes);
    account::configure(routes);
    session::configure(routes);
    sessions::configure(routes);
    host_sessions::configure(routes);
    api_keys::configure(routes);
    auth::instagram::configure(routes);
    auth::instagram_signals::configure(routes);
    integrations::instagram::configure(routes);
    integrations::instagram_token::configure(routes);
    integrations::instagram_proxy::configure(routes);
    connections::configure(routes);
}

/// The described routes, in the order in which the reference shows those of a part. See [`crate::openapi`].
#[derive(OpenApi)]
#[openapi(paths(
    auth::instagram::login,
    auth::instagram::callback,
    integrations::instagram::save,
    integrations::instagram::read,
    integrations::instagram::read_own,
    integrations::instagram::read_all,
    integrations::instagram::disconnect_one,
    integrations::instagram::refresh,
    integrations::instagram::sync,
    integrations::instagram::history,
    integrations::instagram::events,
    integrations::instagram::disconnect,
    integrations::instagram_token::give,
    integrations::instagram_proxy::read,
    integrations::instagram_proxy::write,
    integrations::instagram_proxy::delete,
    connections::list,
    users::sign_up,
    session::sign_in,
    session::who,
    session::sign_out,
    sessions::list,
    sessions::end,
    sessions::end_others,
    account::change_password,
    account::delete,
    host_sessions::create,
    host_sessions::show,
    host_sessions::follow,
    host_sessions::end_all,
    api_keys::create,
    api_keys::list,
    api_keys::revoke,
    auth::instagram_signals::deauthorize,
    auth::instagram_signals::delete_data,
    auth::instagram_signals::deletion_status,
    health::healthz,
    health::readyz,
    docs::document,
    docs::page,
))]
pub(crate) struct Described;

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
pub(crate) struct Done {}

/// The query as a type. Its errors are not repeated: serde's may quote what was sent.
fn query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    web::Query::<T>::from_query(query)
        .map(web::Query::into_inner)
        .map_err(|_| ApiError::invalid_request("The query cannot be understood."))
}

/// How many a page of a list holds.
fn page_size(limit: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(default);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let why = format!("Give a number from 1 to {most}");
    Err(ApiError::validation([("limit", why.as_str())]))
}
