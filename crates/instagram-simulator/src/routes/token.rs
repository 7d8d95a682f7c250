//! The three endpoints that give tokens.

use actix_web::{HttpRequest, HttpResponse, web};
use simulator_kit::{Parameters, bearer, respond, respond_with};

use super::WorldData;
use crate::faults::Endpoint;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.route("/oauth/access_token", web::post().to(code_exchange))
        .route("/access_token", web::get().to(long_lived))
        .route("/refresh_access_token", web::get().to(refresh));
}

async fn code_exchange(
    world: WorldData,
    request: HttpRequest,
    form: Option<web::Form<Parameters>>,
) -> HttpResponse {
    // A body that is no form is a form without fields: the answer then names the first that is missing.
    let form = form.map(web::Form::into_inner).unwrap_or_default();
    respond(&world, Endpoint::CodeExchange, &request, |world| world.code_exchange(&form)).await
}

async fn long_lived(world: WorldData, request: HttpRequest, query: web::Query<Parameters>) -> HttpResponse {
    respond(&world, Endpoint::LongLived, &request, |world| world.long_lived(&query, bearer(&request))).await
}

async fn refresh(world: WorldData, request: HttpRequest, query: web::Query<Parameters>) -> HttpResponse {
    respond_with(
        &world,
        Endpoint::Refresh,
        &request,
        |world, fault| world.refresh(&query, bearer(&request), fault),
        // The log has these as well.
        |world, fault| world.refresh_prevented(&query, bearer(&request), fault),
    )
    .await
}
