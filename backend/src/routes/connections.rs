//! `/api/connections`: the connections of all users of a host application.

use actix_web::web::Data;
use actix_web::{HttpRequest, Responder};
use serde::Deserialize;
use shared::{ConnectionStatus, ConnectionsAnswer, ErrorCode, Scope};
use utoipa::IntoParams;

use super::{Success, page_size, query, success};
use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::openapi::errors::{CALLER, Errors, QUERY, just};
use crate::state::AppState;
use domain::connections::ListPage;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// In this state only: `active`, `expiring` or `needs_reauthorization`.
    #[param(pattern = "^(active|expiring|needs_reauthorization)?$")]
    status: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The connections of all users of the host application.
///
/// In an order that never changes: whatever comes and goes meanwhile, a cursor leads on without gaps and repetitions. What was
/// disconnected is not among them.
#[utoipa::path(
    get,
    path = "/api/connections",
    operation_id = "listConnections",
    tag = "Host applications",
    security(("key" = ["connections:read"])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of them.", body = Success<ConnectionsAnswer>),
        Errors<{ CALLER | QUERY | just(&[ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(super) async fn list(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    caller.require_service(Scope::ConnectionsRead)?;
    let ListQuery { status, limit, cursor } = query(request.query_string())?;
    let status = status.filter(|name| !name.is_empty()).map(|name| read_status(&name)).transpose()?;
    let limit = page_size(limit, 50, 100)?;
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    Ok(success(state.connections.list(ListPage { status, limit, cursor }).await?))
}

fn read_status(name: &str) -> Result<ConnectionStatus, ApiError> {
    let why = "Give active, expiring or needs_reauthorization";
    ConnectionStatus::from_name(name).ok_or_else(|| ApiError::validation([("status", why)]))
}
