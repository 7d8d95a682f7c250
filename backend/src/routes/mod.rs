//! Every URL, one file a family.

mod auth;
mod health;
mod integrations;
pub(crate) mod metrics;
mod session;
mod users;
pub(crate) mod web_app;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

pub(crate) use auth::instagram::CALLBACK_PATH;

/// Adds all routes of the API.
pub(crate) fn configure(app: &mut ServiceConfig) {
    health::configure(app);
    users::configure(app);
    session::configure(app);
    auth::instagram::configure(app);
    auth::instagram_signals::configure(app);
    integrations::instagram::configure(app);
}

/// A resource that answers 405 with `Allow` to every other method.
fn resource<const N: usize>(path: &str, routes: [(Method, Route); N]) -> Resource {
    let methods: Vec<Method> = routes.iter().map(|(method, _)| method.clone()).collect();
    let resource = routes
        .into_iter()
        .fold(web::resource(path), |resource, (method, route)| resource.route(route.method(method)));
    resource.default_service(web::to(move || {
        let error = ApiError::method_not_allowed(&methods);
        async move { Err::<HttpResponse, _>(error) }
    }))
}

/// A success: `"ok": true` beside the fields of `T`.
#[derive(Serialize)]
struct Success<T> {
    ok: bool,
    #[serde(flatten)]
    answer: T,
}

fn success<T: Serialize>(answer: T) -> web::Json<Success<T>> {
    web::Json(Success { ok: true, answer })
}

/// A success with nothing to say.
#[derive(Serialize)]
struct Done {}

/// The query as a type. Its errors are not repeated: serde's may quote what was sent.
fn query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    web::Query::<T>::from_query(query)
        .map(web::Query::into_inner)
        .map_err(|_| ApiError::invalid_request("The query cannot be understood."))
}

/// The answer to every path that is no route.
pub(crate) async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found())
}
