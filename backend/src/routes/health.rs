//! `/healthz` and `/readyz`.

use actix_web::Responder;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig};
use serde::Serialize;

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

/// What `/readyz` answers while the database does.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    /// Jobs that have not got their work done for far too long.
    stuck_jobs: Vec<&'static str>,
}

/// The database answers. A stuck job is named and is no reason to answer 503: requests can be served all the same, and what
/// keeps the jobs of one process mostly keeps those of all, none of which would be left then.
async fn readyz(state: Data<AppState>) -> Result<impl Responder, ApiError> {
    state.store.ping().await?;
    Ok(success(Readiness { stuck_jobs: state.jobs.stuck() }))
}
