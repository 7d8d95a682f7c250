//! `/api/integrations/{provider}…`: saving, reading, refreshing and ending a connection.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use jiff::Timestamp;
use serde::Deserialize;
use shared::{
    ConnectionAnswer, EndAnswer, ErrorCode, EventsAnswer, HistoryAnswer, SaveAnswer, SaveConnection, Scope,
    SelectConnection, UserConnection, UserConnectionsAnswer,
};
use utoipa::IntoParams;

use crate::api_error::ApiError;
use crate::caller::Caller;
use crate::limits;
use crate::openapi::errors::{BODY, CALLER, CHANGE, Errors, QUERY, UPSTREAM, just};
use crate::openapi::{IdempotencyKey, OfProvider, UserId};
use crate::request::{CallerAndBody, CutOff, carry_out, etag};
use crate::routes::{Success, page_size, query, success};
use crate::state::AppState;
use domain::connections::{AskedBy, ConnectionOf, Connections, HistoryPage};

use super::{Target, WhichConnection};

/// Stores the connection that a sealed handle or a raw token stands for.
#[utoipa::path(
    post,
    path = "/api/integrations/{provider}/callback",
    operation_id = "saveConnection",
    tag = "Connecting",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, IdempotencyKey),
    request_body = SaveConnection,
    responses(
        (status = 200, description = "What was stored, in short.", body = Success<SaveAnswer>),
        Errors<{ CALLER | CHANGE | BODY | UPSTREAM | just(&[ErrorCode::AccountInUse, ErrorCode::NotFound, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(crate) async fn save(
    state: Data<AppState>,
    request: HttpRequest,
    target: Target,
    CallerAndBody(caller, body): CallerAndBody<SaveConnection>,
) -> Result<HttpResponse, ApiError> {
    let user_id = caller.authorize(&body.user_id, Scope::ConnectionsWrite)?;
    let (asked, saving) = (body.clone(), Data::clone(&state));
    let work = async move {
        if !token_vault::is_handle(body.access_token.expose()) {
            saving.limits.strict_by_user(&limits::CALLBACK, &user_id).await?;
        }
        let connection = target.connections(&saving).save(&user_id, &body).await?;
        Ok(HttpResponse::Ok().json(success(SaveAnswer { connection })))
    };
    state.idempotency.once(&request, &caller, &asked, CutOff::DoAgain, work).await
}

/// The user's connection.
///
/// Ask with `If-None-Match` to be sent it only when it has changed.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}/{userId}",
    operation_id = "getConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(OfProvider, WhichConnection, UserId, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have.")),
    responses(
        (status = 200, description = "The account in use, or the one that the query names.", body = Success<ConnectionAnswer>, headers(
            ("ETag" = String, description = "Names exactly this answer."),
        )),
        (status = 304, description = "It is still what you have."),
        Errors<{ CALLER | just(&[ErrorCode::NotConnected, ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn read(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsRead)?;
    let connection = target.connections(&state).read(target.of(&user_id)).await?;
    etag::respond(&request, &success(ConnectionAnswer { connection }).0)
}

/// The caller's own connection.
///
/// Ask with `If-None-Match` to be sent it only when it has changed.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}",
    operation_id = "getOwnConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(OfProvider, WhichConnection, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have.")),
    responses(
        (status = 200, description = "The account in use, or the one that the query names.", body = Success<ConnectionAnswer>, headers(
            ("ETag" = String, description = "Names exactly this answer."),
        )),
        (status = 304, description = "It is still what you have."),
        Errors<{ CALLER | just(&[ErrorCode::NotConnected, ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn read_own(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let user_id = caller.authorize("me", Scope::ConnectionsRead)?;
    let connection = target.connections(&state).read(target.of(&user_id)).await?;
    etag::respond(&request, &success(ConnectionAnswer { connection }).0)
}

/// The user's connections, of which there are several where they connected several accounts.
///
/// The one in use comes first: it is the one that routes without a connection's id mean. At most a hundred.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}/{userId}/connections",
    operation_id = "getConnections",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(OfProvider, UserId),
    responses(
        (status = 200, description = "All of them.", body = Success<UserConnectionsAnswer>),
        Errors<{ CALLER | just(&[ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn read_all(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsRead)?;
    let connections = target.connections(&state).read_all(&user_id).await?;
    let listed = |(place, connection)| UserConnection { current: place == 0, connection };
    let connections = connections.into_iter().enumerate().map(listed).collect();
    Ok(success(UserConnectionsAnswer { connections }))
}

/// Makes one of the user's connections the one in use.
///
/// It is the one that routes without a connection's id mean.
#[utoipa::path(
    put,
    path = "/api/integrations/{provider}/{userId}/current",
    operation_id = "selectConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, UserId),
    request_body = SelectConnection,
    responses(
        (status = 200, description = "The connection that is in use now.", body = Success<ConnectionAnswer>),
        Errors<{ CALLER | CHANGE | BODY | just(&[ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn select(
    state: Data<AppState>,
    target: Target,
    CallerAndBody(caller, body): CallerAndBody<SelectConnection>,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsWrite)?;
    let connection = target.connections(&state).select(&user_id, &body.connection_id).await?;
    Ok(success(ConnectionAnswer { connection }))
}

/// A connection's id in a path.
#[derive(Deserialize)]
pub(crate) struct ConnectionPath {
    id: String,
}

/// Ends a connection, and says where its owner removes the app at the provider, where nobody can do it for them.
async fn end(connections: &Connections, which: ConnectionOf<'_>) -> Result<EndAnswer, ApiError> {
    connections.disconnect(which).await?;
    Ok(EndAnswer { revoke_url: connections.rules().revoke_url.map(str::to_owned) })
}

/// Ends one of the user's connections.
#[utoipa::path(
    delete,
    path = "/api/integrations/{provider}/{userId}/connections/{id}",
    operation_id = "endOneConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, UserId, ("id" = String, Path, description = "The connection's `id`.")),
    responses(
        (status = 200, description = "The token is erased.", body = Success<EndAnswer>),
        Errors<{ CALLER | CHANGE | just(&[ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn disconnect_one(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    path: Path<ConnectionPath>,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsWrite)?;
    let which = ConnectionOf { user_id: &user_id, id: Some(&path.id) };
    Ok(success(end(target.connections(&state), which).await?))
}

/// Ends the user's connection.
#[utoipa::path(
    delete,
    path = "/api/integrations/{provider}/{userId}",
    operation_id = "endConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, WhichConnection, UserId),
    responses(
        (status = 200, description = "The token is erased.", body = Success<EndAnswer>),
        Errors<{ CALLER | CHANGE | just(&[ErrorCode::NotConnected, ErrorCode::NotFound]) }>,
    ),
)]
pub(crate) async fn disconnect(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsWrite)?;
    Ok(success(end(target.connections(&state), target.of(&user_id)).await?))
}

/// Refreshes the token of the user's connection now.
#[utoipa::path(
    post,
    path = "/api/integrations/{provider}/{userId}/refresh",
    operation_id = "refreshConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, WhichConnection, UserId),
    responses(
        (status = 200, description = "The connection, refreshed.", body = Success<ConnectionAnswer>),
        Errors<{ CALLER | CHANGE | UPSTREAM | just(&[ErrorCode::NotConnected, ErrorCode::NotFound, ErrorCode::NeedsReauthorization]) }>,
    ),
)]
pub(crate) async fn refresh(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsWrite)?;
    state.limits.strict_by_user(&limits::REFRESH, &user_id).await?;
    // A refreshed token exists nowhere else until it is stored.
    let work = async move { target.connections(&state).refresh(target.of(&user_id), AskedBy::Owner).await };
    let connection = carry_out(&request, work).await?;
    Ok(success(ConnectionAnswer { connection }))
}

/// Reads the profile of the user's connection from the provider now.
#[utoipa::path(
    post,
    path = "/api/integrations/{provider}/{userId}/sync",
    operation_id = "syncConnection",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:write"])),
    params(OfProvider, WhichConnection, UserId),
    responses(
        (status = 200, description = "The connection, as the provider shows it now.", body = Success<ConnectionAnswer>),
        Errors<{ CALLER | CHANGE | UPSTREAM | just(&[ErrorCode::NotConnected, ErrorCode::NotFound, ErrorCode::NeedsReauthorization]) }>,
    ),
)]
pub(crate) async fn sync(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsWrite)?;
    state.limits.strict_by_user(&limits::SYNC, &user_id).await?;
    // The provider's word on the token or on its own limits is recorded for everybody.
    let work = async move { target.connections(&state).sync(target.of(&user_id)).await };
    let connection = carry_out(&request, work).await?;
    Ok(success(ConnectionAnswer { connection }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// The first moment.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The last moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The counts of the user's connection over time.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}/{userId}/history",
    operation_id = "getHistory",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(OfProvider, WhichConnection, UserId, HistoryQuery),
    responses(
        (status = 200, description = "A page of it, the oldest point first.", body = Success<HistoryAnswer>),
        Errors<{ CALLER | QUERY | just(&[ErrorCode::NotConnected, ErrorCode::NotFound, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(crate) async fn history(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsRead)?;
    let HistoryQuery { from, to, limit, cursor } = query(request.query_string())?;
    let limit = page_size(limit, 100, 1000)?;
    let page = HistoryPage { from, to, limit, cursor };
    Ok(success(target.connections(&state).history(target.of(&user_id), page).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What happened to the user's connection.
#[utoipa::path(
    get,
    path = "/api/integrations/{provider}/{userId}/events",
    operation_id = "listEvents",
    tag = "Connections",
    security(("session" = []), ("key" = ["connections:read"])),
    params(OfProvider, WhichConnection, UserId, EventsQuery),
    responses(
        (status = 200, description = "A page of them, the newest first.", body = Success<EventsAnswer>),
        Errors<{ CALLER | QUERY | just(&[ErrorCode::NotConnected, ErrorCode::NotFound, ErrorCode::ValidationFailed]) }>,
    ),
)]
pub(crate) async fn events(
    state: Data<AppState>,
    caller: Caller,
    target: Target,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&target.user, Scope::ConnectionsRead)?;
    let EventsQuery { limit, cursor } = query(request.query_string())?;
    let limit = page_size(limit, 50, 100)?;
    Ok(success(target.connections(&state).events(target.of(&user_id), limit, cursor.as_deref()).await?))
}
