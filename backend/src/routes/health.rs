//! `/healthz` and `/readyz`.

use std::time::{Duration, Instant};

use actix_web::Responder;
use actix_web::web::Data;
use connection_store::Store;
use serde::Serialize;
use shared::ErrorCode;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::{Done, Success, success};
use crate::app::AppState;
use crate::error::ApiError;
use crate::openapi::errors::{Errors, STORED, just};

/// Age up to which an answer of the database counts. Anybody may ask for `/readyz`, as often as they like.
const FRESH: Duration = Duration::from_secs(1);

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

/// The last look at the database: when it ended, and whether there was an answer.
#[derive(Default)]
pub(crate) struct LastPing(Mutex<Option<(Instant, bool)>>);

impl LastPing {
    /// Looks whether the database answers, unless somebody has just done so. However many ask at once, one of them looks.
    async fn look(&self, store: &dyn Store) -> Result<(), ApiError> {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, true)) if at.elapsed() < FRESH => Ok(()),
            Some((at, false)) if at.elapsed() < FRESH => Err(ApiError::database_away()),
            _ => {
                let outcome = store.ping().await;
                *last = Some((Instant::now(), outcome.is_ok()));
                Ok(outcome?)
            }
        }
    }
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

    use actix_web::test;
    use serde_json::{Value, json};

    use super::*;
    use crate::app;
    use crate::config::{Config, Variables};
    use domain::clock::SystemClock;

    #[actix_web::test]
    async fn a_job_that_is_stuck_is_named_and_the_service_is_ready_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let config = Config::from_env(&Variables::from_iter([("DATABASE_URL", url.as_str())])).unwrap();
        let keyring = config.encryption.keyring().unwrap();
        let store = connection_store::connect(&config.database.url).await.unwrap();
        let state = AppState::new(&config, keyring, store, Arc::new(SystemClock)).unwrap();
        let state = Data::new(state);
        let service = test::init_service(app::build(&state)).await;
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
