//! `/{version}/me`, and the pictures to which profiles point.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{WorldData, bearer};
use crate::faults::Endpoint;
use crate::parameters::Parameters;
use crate::wire::respond;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route(r"/{version:v\d+\.\d+}/me", web::get().to(profile))
        // Graph takes a path without a version for the oldest one that the app may use.
        .route("/me", web::get().to(profile))
        .route("/pictures/{username}.svg", web::get().to(picture));
}

async fn profile(world: WorldData, request: HttpRequest, query: web::Query<Parameters>) -> HttpResponse {
    respond(&world, Endpoint::Profile, &request, |world| {
        // The picture is where the client found the profile, whatever name it has for this machine.
        let origin = format!("http://{}", request.connection_info().host());
        world.profile(&query, bearer(&request), &origin)
    })
    .await
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
    match world.picture(&username) {
        Some(svg) => HttpResponse::Ok().content_type("image/svg+xml").body(svg),
        None => HttpResponse::NotFound().finish(),
    }
}
