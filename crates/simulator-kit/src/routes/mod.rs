//! The routes that every simulator has, and what handlers of any of them need.

mod admin;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};

pub use admin::no_account;

use crate::picture::avatar;
use crate::world::{SharedWorld, World};

/// The simulated world, as handlers get it.
pub type WorldData<W> = web::Data<SharedWorld<W>>;

/// Adds every route.
pub(crate) fn configure<W: World>(app: &mut web::ServiceConfig) {
    app.configure(W::routes).configure(admin::configure::<W>).default_service(web::to(unknown::<W>));
}

async fn unknown<W: World>(request: HttpRequest) -> HttpResponse {
    W::unknown(request.path()).into()
}

/// Returns the token of an `Authorization: Bearer` header.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Returns where the client found this, whatever name it has for this machine: scheme, host and port.
pub fn origin(request: &HttpRequest) -> String {
    format!("http://{}", request.connection_info().host())
}

/// Answers with the picture of this hue, or 404 where there is none.
pub fn picture_response(username: &str, hue: Option<u16>) -> HttpResponse {
    match hue {
        Some(hue) => HttpResponse::Ok().content_type("image/svg+xml").body(avatar(username, hue)),
        None => HttpResponse::NotFound().finish(),
    }
}
