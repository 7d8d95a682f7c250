//! The routes, a file for each family of URLs.

mod admin;
mod api;
mod authorize;
mod token;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, web};

use crate::world::World;

/// The simulated world, as handlers get it.
pub(crate) type WorldData = simulator_kit::WorldData<World>;

/// Adds every route of Spotify's own.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.configure(authorize::configure)
        .configure(token::configure)
        .configure(api::configure)
        .configure(admin::configure);
}

/// Returns the `Authorization` header. One that is not text is as wrong as any.
fn authorization(request: &HttpRequest) -> Option<&str> {
    request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default())
}
