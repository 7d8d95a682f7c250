//! `/oauth/authorize`: the consent page, and what a person decides there.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use simulator_kit::pages::{page, see_other};
use simulator_kit::{Consent, Parameters};

use super::WorldData;
use crate::consent_page::{self, LOOK};
use crate::oauth::PageError;

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
    let mut world = world.lock();
    let choice = Consent::from_form(&form);
    match world.authorize(&form).and_then(|request| world.decide(&request, choice)) {
        Ok(url) => see_other(&url),
        Err(error) => error_page(&error),
    }
}

fn error_page(error: &PageError) -> HttpResponse {
    LOOK.error(&error.to_string(), error.advice())
}
