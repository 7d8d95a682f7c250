//! `/healthz` and `/readyz`.

use actix_web::Responder;
use actix_web::web::Data;
use serde::Serialize;
use shared::ErrorCode;
use utoipa::ToSchema;

use super::{Done, Success, success};
use crate::api_error::ApiError;
use crate::openapi::errors::{Errors, STORED, just};
use crate::state::AppState;

/// The process lives.
#[utoipa::path(
    method(get, head),
    path = "/healthz",
    operation_id = "getLiveness",
    tag = "Service",
    responses(
        (status = 200, description = "The process lives.", body = Success<Done>),
        Errors<{ just(&[ErrorCode::PayloadTooLarge, ErrorCode::Internal]) }>,
    ),
)]
pub(super) async fn healthz() -> impl Responder {
    success(Done {})
}

/// What `/readyz` answers while the database does.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"ok": true, "stuckJobs": []})))]
struct Readiness {
    /// Jobs that have not got their work done for far too long.
    stuck_jobs: Vec<&'static str>,
}

/// The database answers.
///
/// A stuck job is named and is no reason to answer 503: requests can be served all the same, and what
/// keeps the jobs of one process mostly keeps those of all, none of which would be left then.
#[utoipa::path(
    method(get, head),
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Service",
    responses(
        (status = 200, description = "The database answers.", body = Success<Readiness>),
        Errors<{ STORED | just(&[ErrorCode::PayloadTooLarge, ErrorCode::Internal]) }>,
    ),
)]
pub(super) async fn readyz(state: Data<AppState>) -> Result<impl Responder, ApiError> {
    state.last_ping.look(state.store.as_ref()).await?;
    Ok(success(Readiness { stuck_jobs: state.jobs.stuck() }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use actix_web::{App, test, web};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{Config, Variables};
    use domain::clock::SystemClock;
    use utoipa::openapi::OpenApi;

    #[actix_web::test]
    async fn a_job_that_is_stuck_is_named_and_the_service_is_ready_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let config = Config::from_env(&Variables::from_iter([("DATABASE_URL", url.as_str())])).unwrap();
        let keyring = config.encryption.keyring().unwrap();
        let store = connection_store::connect(&config.database.url).await.unwrap();
        let clock = Arc::new(SystemClock);
        let state = AppState::new(&config, keyring, store, clock, OpenApi::default()).unwrap();
        let state = Data::new(state);
        let app = App::new().app_data(Data::clone(&state)).route("/readyz", web::get().to(readyz));
        let service = test::init_service(app).await;
        let read = async || -> Value {
            let request = test::TestRequest::get().uri("/readyz").to_request();
            test::call_and_read_body_json(&service, request).await
        };
        state.jobs.add("sync", Duration::from_secs(60));
        assert_eq!(read().await, json!({"ok": true, "stuckJobs": []}));
        state.jobs.set_back("sync", Duration::from_secs(3600));
        assert_eq!(read().await, json!({"ok": true, "stuckJobs": ["sync"]}));
        state.jobs.done("sync");
        assert_eq!(read().await, json!({"ok": true, "stuckJobs": []}));
    }
}
