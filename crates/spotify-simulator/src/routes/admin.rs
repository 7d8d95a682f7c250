//! The admin route of Spotify's own. The README shows each call.

use actix_web::{HttpResponse, web};
use simulator_kit::no_account;

use super::WorldData;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/__simulator/accounts/{username}/revoke", web::post().to(revoke));
}

async fn revoke(world: WorldData, username: web::Path<String>) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.base.accounts.place(&username) else { return no_account() };
    world.revoke(account);
    HttpResponse::NoContent().finish()
}
