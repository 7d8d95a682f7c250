//! `/api/integrations/instagram…`: saving, reading, renewing and ending a connection.

use actix_web::http::Method;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, Responder};
use jiff::Timestamp;
use serde::Deserialize;
use shared::{ConnectionAnswer, SaveAnswer, SaveConnection};

use crate::app::AppState;
use crate::caller::{Caller, Scope};
use crate::connections::HistoryPage;
use crate::error::ApiError;
use crate::request_body::CallerAndBody;
use crate::routes::{Done, query, resource, success};

pub(in crate::routes) fn configure(app: &mut ServiceConfig) {
    // Before the route with a user id in the same place.
    app.service(resource("/api/integrations/instagram/callback", [(Method::POST, web::to(save))]));
    app.service(resource("/api/integrations/instagram", [(Method::GET, web::to(read_own))]));
    app.service(resource(
        "/api/integrations/instagram/{userId}",
        [(Method::GET, web::to(read)), (Method::DELETE, web::to(disconnect))],
    ));
    app.service(resource("/api/integrations/instagram/{userId}/refresh", [(Method::POST, web::to(refresh))]));
    app.service(resource("/api/integrations/instagram/{userId}/sync", [(Method::POST, web::to(sync))]));
    app.service(resource("/api/integrations/instagram/{userId}/history", [(Method::GET, web::to(history))]));
    app.service(resource("/api/integrations/instagram/{userId}/events", [(Method::GET, web::to(events))]));
}

/// Stores the connection that a sealed handle or a raw token stands for.
async fn save(
    state: Data<AppState>,
    CallerAndBody(caller, body): CallerAndBody<SaveConnection>,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&body.user_id, Scope::ConnectionsWrite)?;
    let connection = state.connections.save(user_id, &body).await?;
    Ok(success(SaveAnswer { connection }))
}

/// The user's connection.
async fn read(state: Data<AppState>, caller: Caller, user: Path<String>) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsRead)?;
    let connection = state.connections.read(user_id).await?;
    Ok(success(ConnectionAnswer { connection }))
}

/// The caller's own connection.
async fn read_own(state: Data<AppState>, caller: Caller) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(caller.user_id(), Scope::ConnectionsRead)?;
    let connection = state.connections.read(user_id).await?;
    Ok(success(ConnectionAnswer { connection }))
}

/// Ends the user's connection.
async fn disconnect(
    state: Data<AppState>,
    caller: Caller,
    user: Path<String>,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsWrite)?;
    state.connections.disconnect(user_id).await?;
    Ok(success(Done {}))
}

/// Renews the token of the user's connection now.
async fn refresh(
    state: Data<AppState>,
    caller: Caller,
    user: Path<String>,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsWrite)?;
    let connection = state.connections.refresh(user_id).await?;
    Ok(success(ConnectionAnswer { connection }))
}

/// Reads the profile of the user's connection from Instagram now.
async fn sync(state: Data<AppState>, caller: Caller, user: Path<String>) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsWrite)?;
    let connection = state.connections.sync(user_id).await?;
    Ok(success(ConnectionAnswer { connection }))
}

#[derive(Deserialize)]
struct HistoryQuery {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The counts of the user's connection over time.
async fn history(
    state: Data<AppState>,
    caller: Caller,
    user: Path<String>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsRead)?;
    let HistoryQuery { from, to, limit, cursor } = query(request.query_string())?;
    let limit = page_size(limit, 100, 1000)?;
    let page = HistoryPage { from, to, limit, cursor };
    Ok(success(state.connections.history(user_id, page).await?))
}

#[derive(Deserialize)]
struct EventsQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What happened to the user's connection.
async fn events(
    state: Data<AppState>,
    caller: Caller,
    user: Path<String>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let user_id = caller.authorize(&user, Scope::ConnectionsRead)?;
    let EventsQuery { limit, cursor } = query(request.query_string())?;
    let limit = page_size(limit, 50, 100)?;
    Ok(success(state.connections.events(user_id, limit, cursor.as_deref()).await?))
}

/// How many a page of a list holds.
fn page_size(limit: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(default);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let why = format!("Give a number from 1 to {most}");
    Err(ApiError::validation([("limit", why.as_str())]))
}
