//! `/oauth/authorize`: the consent page, and what a person decides there.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ContentType, LOCATION};
use actix_web::{HttpResponse, web};

use super::WorldData;
use crate::consent::Consent;
use crate::consent_page;
use crate::oauth::PageError;
use crate::parameters::Parameters;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.service(web::resource("/oauth/authorize").route(web::get().to(show)).route(web::post().to(decide)));
}

/// The consent page, or an error page of Instagram's own.
async fn show(world: WorldData, query: web::Query<Parameters>) -> HttpResponse {
    let world = world.lock();
    match world.authorize(&query) {
        Ok(request) => page(StatusCode::OK, consent_page::consent(&world, &query, &request)),
        Err(error) => error_page(&error),
    }
}

/// The form's answer: sends the browser back to the app.
///
/// The form carries the whole request again and it is checked again, so the simulator keeps nothing between the two.
async fn decide(world: WorldData, form: web::Form<Parameters>) -> HttpResponse {
    let choice = Consent {
        account: form.text("account").to_owned(),
        permissions: Some(form.all("permission")),
        // Anything but a clear yes is a no.
        refuse: form.text("decision") != "allow",
    };
    let mut world = world.lock();
    match world.authorize(&form).and_then(|request| world.decide(&request, choice)) {
        Ok(url) => HttpResponse::SeeOther()
            .insert_header((LOCATION, url))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish(),
        Err(error) => error_page(&error),
    }
}

fn error_page(error: &PageError) -> HttpResponse {
    page(StatusCode::BAD_REQUEST, consent_page::error(error))
}

fn page(status: StatusCode, html: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html)
}
