//! `/metrics`, on an address of its own.

use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, Responder};
use connection_store::StoreResult;
use domain::Connections;
use futures_util::future::try_join_all;
use jiff::SignedDuration;

use crate::api_error::ApiError;
use crate::metrics::{OPEN_METRICS, PLAIN_TEXT, Present};
use crate::state::AppState;

/// Time that the database may take: a look that takes longer than Prometheus waits shows nothing at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves the metrics at the address, and nothing else.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.route("/metrics", web::get().to(metrics));
}

/// Returns for how long the refresh that waits longest has been due, of any provider.
async fn oldest_due(state: &AppState) -> StoreResult<Option<SignedDuration>> {
    let all = try_join_all(state.connections.iter().map(Connections::oldest_due)).await?;
    Ok(all.into_iter().max().flatten())
}

/// The metrics of this process. They are there when the database is not.
async fn metrics(request: HttpRequest, state: Data<AppState>) -> Result<impl Responder, ApiError> {
    let asked = tokio::time::timeout(PATIENCE, oldest_due(&state)).await;
    let oldest_due = asked.ok().and_then(Result::ok);
    let present = Present {
        oldest_due_refresh: oldest_due.map(|age| age.unwrap_or(SignedDuration::ZERO)),
        job_ages: state.jobs.ages(),
        store_calls: state.store.calls(),
    };
    let text = state.metrics.encode(present).map_err(ApiError::internal)?;
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_open = accept.is_some_and(|accept| accept.contains(OPEN_METRICS));
    let form = match is_open {
        true => format!("{OPEN_METRICS}; version=1.0.0; charset=utf-8"),
        false => PLAIN_TEXT.to_owned(),
    };
    Ok(HttpResponse::Ok().content_type(form).body(text))
}
