//! `/v1/…`, the Web API, and the pictures to which its answers point.

use actix_web::{HttpRequest, HttpResponse, web};
use simulator_kit::{Parameters, origin, picture_response, respond};

use super::{WorldData, authorization};
use crate::catalog::Call;
use crate::faults::Endpoint;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/v1/{path:.*}", web::get().to(call))
        .route("/pictures/{username}.svg", web::get().to(picture))
        .route("/covers/{hue}.svg", web::get().to(cover));
}

async fn call(
    world: WorldData,
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<Parameters>,
) -> HttpResponse {
    let endpoint = if path.as_str() == "me" { Endpoint::Profile } else { Endpoint::Api };
    let call = Call { path: &path, query: &query, origin: &origin(&request) };
    respond(&world, endpoint, &request, |world| world.api(authorization(&request), &call)).await
}

async fn picture(world: WorldData, username: web::Path<String>) -> HttpResponse {
    picture_response(&username, world.lock().picture_hue(&username))
}

async fn cover(hue: web::Path<u16>) -> HttpResponse {
    picture_response("Cover", Some(*hue % 360))
}
