//! The application: the one place that assembles routes and middleware.

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, Error};
use tracing_actix_web::TracingLogger;

use crate::middleware::{RequestSpan, Round, admit, finish, guard, limit, measure};
use crate::request::idempotency;
use crate::routes;
use crate::state::AppState;

/// Assembles the application. A request passes the middleware from the last line to the first.
pub(crate) fn build(
    state: &Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(Data::clone(state))
        .app_data(Data::clone(&state.callers))
        // This runs once in each worker.
        .app_data(Round::default())
        .configure(routes::configure)
        .default_service(actix_web::web::to(routes::web_app))
        .wrap(from_fn(limit))
        .wrap(from_fn(guard))
        .wrap(cors(&state.frontend_origin))
        .wrap(from_fn(finish))
        .wrap(from_fn(measure))
        .wrap(TracingLogger::<RequestSpan>::new())
        .wrap(from_fn(admit))
}

/// Every route of the API as method and path, such as `GET /api/session`; names in paths are in braces.
pub fn served_routes() -> Vec<String> {
    routes::served().map(|(method, path)| format!("{method} {path}")).collect()
}

/// Exactly the web app's origin, with its cookie.
fn cors(frontend_origin: &str) -> Cors {
    Cors::default()
        .allowed_origin(frontend_origin)
        .supports_credentials()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allowed_headers([
            header::ACCEPT,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            header::HeaderName::from_static("x-request-id"),
        ])
        .allowed_header(idempotency::KEY_HEADER)
        .expose_headers([
            header::ETAG,
            header::RETRY_AFTER,
            header::HeaderName::from_static("ratelimit"),
            header::HeaderName::from_static("ratelimit-policy"),
            header::HeaderName::from_static("x-request-id"),
        ])
        .max_age(600)
}
