//! `/{version}/me`, what else there is under a version, and the pictures to which profiles point.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};
use simulator_kit::{Parameters, bearer, origin, picture_response, respond};
use url::form_urlencoded;

use super::WorldData;
use crate::content::Call;
use crate::faults::Endpoint;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route(r"/{version:v\d+\.\d+}/me", web::get().to(profile))
        // Graph takes a path without a version for the oldest one that the app may use.
        .route("/me", web::get().to(profile))
        .route(r"/{version:v\d+\.\d+}/{object:me|\d+}", web::to(content))
        .route(r"/{version:v\d+\.\d+}/{object:me|\d+}/{edge:[a-z_]+}", web::to(content))
        .route("/pictures/{username}.svg", web::get().to(picture));
}

async fn profile(world: WorldData, request: HttpRequest, query: web::Query<Parameters>) -> HttpResponse {
    respond(&world, Endpoint::Profile, &request, |world| {
        // The picture is where the client found the profile.
        world.profile(&query, bearer(&request), &origin(&request))
    })
    .await
}

async fn content(
    world: WorldData,
    request: HttpRequest,
    query: web::Query<Parameters>,
    body: web::Bytes,
) -> HttpResponse {
    let parameters = query.into_inner().and(body_parameters(&request, &body));
    let path = request.match_info();
    respond(&world, Endpoint::Graph, &request, |world| {
        world.content(&Call {
            method: request.method(),
            object: path.query("object"),
            edge: path.get("edge"),
            parameters: &parameters,
            bearer: bearer(&request),
            origin: &origin(&request),
        })
    })
    .await
}

/// The parameters in a form, or in a JSON object: there, what is no text is kept as JSON.
fn body_parameters(request: &HttpRequest, body: &[u8]) -> Parameters {
    if request.content_type() != "application/json" {
        return form_urlencoded::parse(body).into_owned().collect();
    }
    let fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: Value| value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

async fn picture(
    world: WorldData,
    username: web::Path<String>,
    query: web::Query<Parameters>,
) -> HttpResponse {
    let world = world.lock();
    if world.picture_expired(&query) {
        return HttpResponse::Forbidden().body("URL signature expired");
    }
    picture_response(&username, world.picture_hue(&username))
}
