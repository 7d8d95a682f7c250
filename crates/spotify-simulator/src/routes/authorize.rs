//! `/authorize`: the consent page, and what a person decides there.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use simulator_kit::pages::{page, see_other};
use simulator_kit::{Consent, Parameters};

use super::WorldData;
use crate::authorize::PageError;
use crate::consent_page::{self, LOOK};

/// The cookie of a browser that is signed in, with the account's user name. Here nobody has to prove who they
/// are.
const SIGNED_IN: &str = "spotify_simulator_account";

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.service(web::resource("/authorize").route(web::get().to(show)).route(web::post().to(decide)));
}

/// Shows the consent page or an error page of Spotify's own, or sends the browser straight back.
async fn show(world: WorldData, request: HttpRequest, query: web::Query<Parameters>) -> HttpResponse {
    let mut world = world.lock();
    let asked = match world.authorize(&query) {
        Ok(asked) => asked,
        Err(error) => return error_page(&error),
    };
    let signed_in = request.cookie(SIGNED_IN).and_then(|cookie| world.base.accounts.place(cookie.value()));
    match signed_in.and_then(|account| world.pass_silently(&asked, account)) {
        Some(url) => see_other(&url),
        None => page(StatusCode::OK, consent_page::consent(&world, &query, &asked)),
    }
}

/// Sends the browser back to the app with what the form says.
///
/// The form carries the whole request again and it is checked again, so the simulator keeps nothing between
/// the two.
async fn decide(world: WorldData, form: web::Form<Parameters>) -> HttpResponse {
    let mut world = world.lock();
    // Single scopes cannot be unticked.
    let choice = Consent { permissions: None, ..Consent::from_form(&form) };
    let (url, account) = match world.authorize(&form).and_then(|asked| world.decide(&asked, choice)) {
        Ok(decided) => decided,
        Err(error) => return error_page(&error),
    };
    let mut response = see_other(&url);
    if let Some(account) = account {
        let username = world.base.accounts[account].username.clone();
        let cookie = Cookie::build(SIGNED_IN, username).path("/").http_only(true).same_site(SameSite::Lax);
        // A cookie made of a user name is a valid header.
        let _ = response.add_cookie(&cookie.finish());
    }
    response
}

fn error_page(error: &PageError) -> HttpResponse {
    LOOK.error(&error.to_string(), error.advice())
}
