//! `/__simulator/…`: what a test, or a person with curl, changes in the simulated world. The README shows each call.

use actix_web::{HttpResponse, web};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::WorldData;
use crate::accounts::Account;
use crate::faults::{Endpoint, PlannedFault};
use crate::options::Options;
use crate::world::World;

pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.service(
        web::scope("/__simulator")
            .route("/health", web::get().to(health))
            .service(
                web::resource("/faults")
                    .route(web::get().to(faults))
                    .route(web::post().to(add_fault))
                    .route(web::delete().to(clear_faults)),
            )
            .service(
                web::resource("/requests")
                    .route(web::get().to(requests))
                    .route(web::delete().to(reset_requests)),
            )
            .service(web::resource("/clock").route(web::get().to(clock)).route(web::post().to(advance)))
            .service(
                web::resource("/options").route(web::get().to(options)).route(web::put().to(set_options)),
            )
            .route("/accounts", web::get().to(accounts))
            .route("/accounts/{username}", web::patch().to(change_account))
            .route("/accounts/{username}/revoke", web::post().to(revoke))
            .route("/accounts/{username}/tokens", web::post().to(issue_token)),
    );
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

async fn faults(world: WorldData) -> HttpResponse {
    HttpResponse::Ok().json(world.lock().faults.planned())
}

async fn add_fault(world: WorldData, planned: web::Json<PlannedFault>) -> HttpResponse {
    let mut world = world.lock();
    world.faults.add(planned.into_inner());
    HttpResponse::Created().json(world.faults.planned())
}

async fn clear_faults(world: WorldData) -> HttpResponse {
    world.lock().faults.clear();
    HttpResponse::NoContent().finish()
}

async fn requests(world: WorldData) -> HttpResponse {
    let world = world.lock();
    let count = |endpoint| (endpoint, world.requests(endpoint));
    let counts = Endpoint::SINGLE.into_iter().chain([Endpoint::Any]).map(count);
    HttpResponse::Ok().json(counts.collect::<std::collections::BTreeMap<_, _>>())
}

async fn reset_requests(world: WorldData) -> HttpResponse {
    world.lock().reset_requests();
    HttpResponse::NoContent().finish()
}

async fn clock(world: WorldData) -> HttpResponse {
    time(&world.lock())
}

#[derive(Deserialize)]
struct Advance {
    /// Seconds to move the clock forward.
    advance: u32,
}

async fn advance(world: WorldData, by: web::Json<Advance>) -> HttpResponse {
    let mut world = world.lock();
    world.advance(SignedDuration::from_secs(by.advance.into()));
    time(&world)
}

fn time(world: &World) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "now": world.now() }))
}

async fn options(world: WorldData) -> HttpResponse {
    HttpResponse::Ok().json(&world.lock().options)
}

/// Replaces all options; one that is left out goes back to its default.
async fn set_options(world: WorldData, options: web::Json<Options>) -> HttpResponse {
    let mut world = world.lock();
    world.options = options.into_inner();
    HttpResponse::Ok().json(&world.options)
}

async fn accounts(world: WorldData) -> HttpResponse {
    HttpResponse::Ok().json(world.lock().accounts.iter().map(describe).collect::<Vec<_>>())
}

fn describe(account: &Account) -> Value {
    json!({
        "username": account.username,
        "name": account.name,
        "account_type": account.account_type.as_api(),
        "user_id": account.user_id.to_string(),
        "id": account.app_scoped_id.to_string(),
        "followers_count": account.followers,
        "follows_count": account.follows,
        "media_count": account.media,
        "app_access": account.app_access,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    followers_count: Option<u64>,
    follows_count: Option<u64>,
    media_count: Option<u64>,
    app_access: Option<bool>,
}

/// Changes what is given of an account, and leaves the rest.
async fn change_account(
    world: WorldData,
    username: web::Path<String>,
    change: web::Json<AccountChange>,
) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.account_mut(&username) else { return no_account() };
    account.followers = change.followers_count.or(account.followers);
    account.follows = change.follows_count.or(account.follows);
    account.media = change.media_count.or(account.media);
    account.app_access = change.app_access.unwrap_or(account.app_access);
    HttpResponse::Ok().json(describe(account))
}

#[derive(Deserialize)]
struct Revocation {
    /// The `error_subcode` that dead tokens answer with.
    subcode: i64,
}

async fn revoke(
    world: WorldData,
    username: web::Path<String>,
    revocation: web::Json<Revocation>,
) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.account_index(&username) else { return no_account() };
    world.revoke(account, revocation.subcode);
    HttpResponse::NoContent().finish()
}

async fn issue_token(world: WorldData, username: web::Path<String>) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.account_index(&username) else { return no_account() };
    let token = world.issue_long_lived(account);
    HttpResponse::Created().json(json!({ "access_token": token, "expires_in": world.options.expires_in }))
}

fn no_account() -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "error": "there is no account of this name" }))
}
