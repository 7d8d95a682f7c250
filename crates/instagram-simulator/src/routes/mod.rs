//! The routes, a file for each family of URLs.

mod admin;
mod authorize;
mod graph;
mod token;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{Answer, GraphError};
use crate::world::SharedWorld;

/// The simulated world, as handlers get it.
pub(crate) type WorldData = web::Data<SharedWorld>;

/// Adds every route.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.configure(authorize::configure)
        .configure(token::configure)
        .configure(graph::configure)
        .configure(admin::configure)
        .default_service(web::to(unknown));
}

async fn unknown(request: HttpRequest) -> HttpResponse {
    let error = GraphError::new(2500, None, format!("Unknown path components: {}", request.path()));
    let answer = Answer::from(error);
    HttpResponse::build(answer.status).json(answer.body)
}

/// The token of an `Authorization: Bearer` header.
fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
