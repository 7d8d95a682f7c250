//! `/healthz` and `/readyz`.

use actix_web::Responder;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};

use super::{Done, resource, success};
use crate::app::AppState;
use crate::error::ApiError;

pub(super) fn configure(app: &mut ServiceConfig) {
    app.service(resource("/healthz", [(Method::GET, web::to(healthz)), (Method::HEAD, web::to(healthz))]));
    app.service(resource("/readyz", [(Method::GET, web::to(readyz)), (Method::HEAD, web::to(readyz))]));
}

/// The process lives.
async fn healthz() -> impl Responder {
    success(Done {})
}

/// The database answers.
async fn readyz(state: Data<AppState>) -> Result<impl Responder, ApiError> {
    state.store.ping().await?;
    Ok(success(Done {}))
}
