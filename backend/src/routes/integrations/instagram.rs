//! `/api/integrations/instagram…`: saving, reading, renewing and ending a connection.

use actix_web::Responder;
use actix_web::http::Method;
use actix_web::web::{self, Data, Path, ServiceConfig};
use shared::{ConnectionAnswer, SaveAnswer, SaveConnection};

use crate::app::AppState;
use crate::caller::{Caller, Scope};
use crate::error::ApiError;
use crate::request_body::CallerAndBody;
use crate::routes::{Done, resource, success};

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
