//! `/api/token`, which gives tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use simulator_kit::{Parameters, respond_with};

use super::{WorldData, authorization};
use crate::faults::Endpoint;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/api/token", web::post().to(token));
}

async fn token(world: WorldData, request: HttpRequest, form: Option<web::Form<Parameters>>) -> HttpResponse {
    // A body that is no form is a form without fields: the answer then names the first that is missing.
    let form = form.map(web::Form::into_inner).unwrap_or_default();
    let client = authorization(&request);
    if form.text("grant_type") == "refresh_token" {
        return respond_with(
            &world,
            Endpoint::Refresh,
            &request,
            |world, fault| world.refresh(client, &form, fault),
            // The log has these as well.
            |world, fault| world.refresh_prevented(&form, fault),
        )
        .await;
    }
    let act = |world: &mut crate::world::World, fault: Option<&_>| world.code_exchange(client, &form, fault);
    respond_with(&world, Endpoint::CodeExchange, &request, act, |_, _| {}).await
}
