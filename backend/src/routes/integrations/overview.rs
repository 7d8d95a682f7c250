//! `/api/integrations` and `/api/users/{userId}/integrations`: all that a user has connected.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use shared::{IntegrationsAnswer, Scope};

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::openapi::UserId;
use crate::openapi::errors::{CALLER, Errors};
use crate::request::etag;
use crate::routes::{Success, success};
use crate::state::AppState;

/// All that the caller has connected, provider by provider.
///
/// Ask with `If-None-Match` to be sent it only when it has changed.
#[utoipa::path(
    get,
    path = "/api/integrations",
    operation_id = "listOwnIntegrations",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have.")),
    responses(
        (status = 200, description = "Each provider, in an order that never changes.", body = Success<IntegrationsAnswer>, headers(
            ("ETag" = String, description = "Names exactly this answer."),
        )),
        (status = 304, description = "It is still what you have."),
        Errors<CALLER>,
    ),
)]
pub(crate) async fn own(
    state: Data<AppState>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let user_id = caller.authorize("me", Scope::ConnectionsRead)?;
    etag::respond(&request, &success(state.connections.overview(&user_id).await?).0)
}

/// All that a user has connected, provider by provider.
///
/// Ask with `If-None-Match` to be sent it only when it has changed.
#[utoipa::path(
    get,
    path = "/api/users/{userId}/integrations",
    operation_id = "listIntegrations",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(UserId, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have.")),
    responses(
        (status = 200, description = "Each provider, in an order that never changes.", body = Success<IntegrationsAnswer>, headers(
            ("ETag" = String, description = "Names exactly this answer."),
        )),
        (status = 304, description = "It is still what you have."),
        Errors<CALLER>,
    ),
)]
pub(crate) async fn of_user(
    state: Data<AppState>,
    caller: Caller,
    user: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsRead)?;
    etag::respond(&request, &success(state.connections.overview(&user_id).await?).0)
}
