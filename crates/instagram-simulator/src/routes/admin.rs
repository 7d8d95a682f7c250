//! `/__simulator/…`: what a test, or a person with curl, changes in the simulated world. The README shows each call.

use actix_web::{HttpResponse, web};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::WorldData;
use crate::accounts::{Account, AddError};
use crate::failures::{RandomFailures, Weather};
use crate::faults::{Endpoint, PlannedFault};
use crate::options::{Options, UserIdKind};
use crate::signed_request::{self, SignedBy};
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
            .service(
                web::resource("/failures").route(web::get().to(failures)).route(web::put().to(set_failures)),
            )
            .service(
                web::resource("/refreshes")
                    .route(web::get().to(refreshes))
                    .route(web::delete().to(clear_refreshes)),
            )
            .service(
                web::resource("/accounts").route(web::get().to(accounts)).route(web::post().to(add_account)),
            )
            .route("/accounts/{username}/deauthorize", web::post().to(deauthorize))
            .route("/accounts/{username}/data-deletion", web::post().to(data_deletion))
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

async fn failures(world: WorldData) -> HttpResponse {
    HttpResponse::Ok().json(world.lock().weather.failures())
}

/// Replaces the settings of random failures; one that is left out goes back to its default.
async fn set_failures(world: WorldData, failures: web::Json<RandomFailures>) -> HttpResponse {
    match Weather::new(failures.into_inner()) {
        Ok(weather) => {
            let mut world = world.lock();
            world.weather = weather;
            HttpResponse::Ok().json(world.weather.failures())
        }
        Err(error) => HttpResponse::BadRequest().json(json!({ "error": error })),
    }
}

async fn refreshes(world: WorldData) -> HttpResponse {
    let records = world.lock().refresh_records();
    HttpResponse::Ok().json(records)
}

async fn clear_refreshes(world: WorldData) -> HttpResponse {
    world.lock().refreshes.clear();
    HttpResponse::NoContent().finish()
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
    HttpResponse::Ok().json(world.lock().accounts.all().iter().map(describe).collect::<Vec<_>>())
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
        "revoked": account.revoked(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    username: String,
}

async fn add_account(world: WorldData, new: web::Json<NewAccount>) -> HttpResponse {
    match world.lock().accounts.add(&new.username) {
        Ok(account) => HttpResponse::Created().json(describe(account)),
        Err(error) => {
            let body = json!({ "error": error.message() });
            match error {
                AddError::InvalidUsername => HttpResponse::BadRequest().json(body),
                AddError::Taken => HttpResponse::Conflict().json(body),
            }
        }
    }
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
    let Some(place) = world.accounts.place(&username) else { return no_account() };
    let account = &mut world.accounts[place];
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
    let Some(account) = world.accounts.place(&username) else { return no_account() };
    world.revoke(account, revocation.subcode);
    HttpResponse::NoContent().finish()
}

async fn issue_token(world: WorldData, username: web::Path<String>) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.accounts.place(&username) else { return no_account() };
    let token = world.issue_long_lived(account);
    HttpResponse::Created().json(json!({ "access_token": token, "expires_in": world.options.expires_in }))
}

/// Describes a call of Meta's to the app's service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaCall {
    /// The address at which the service takes the call.
    url: Url,
    /// The one of the account's ids that it names.
    #[serde(default)]
    user_id_kind: UserIdKind,
    /// Seconds since 1970. Default: the simulator's now.
    issued_at: Option<i64>,
}

/// The person removes the app: their tokens die, and Meta says so to the service.
async fn deauthorize(
    world: WorldData,
    username: web::Path<String>,
    call: web::Json<MetaCall>,
) -> HttpResponse {
    let signed = {
        let mut world = world.lock();
        world.accounts.place(&username).map(|account| {
            world.revoke(account, APP_REMOVED);
            sign(&world, account, &call)
        })
    };
    deliver(signed, &call).await
}

/// The person wants their data deleted.
async fn data_deletion(
    world: WorldData,
    username: web::Path<String>,
    call: web::Json<MetaCall>,
) -> HttpResponse {
    let signed = {
        let world = world.lock();
        world.accounts.place(&username).map(|account| sign(&world, account, &call))
    };
    deliver(signed, &call).await
}

/// The `error_subcode` of tokens whose app the person removed.
const APP_REMOVED: i64 = 458;

fn sign(world: &World, account: usize, call: &MetaCall) -> String {
    let given = call.issued_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let issued_at = given.unwrap_or_else(|| world.now());
    world.signed_request(account, SignedBy::AppSecret, call.user_id_kind, issued_at)
}

/// Sends it to the service, and tells what the service answered.
async fn deliver(signed_request: Option<String>, call: &MetaCall) -> HttpResponse {
    let Some(signed_request) = signed_request else { return no_account() };
    match signed_request::post(&call.url, &signed_request).await {
        Ok(answer) => HttpResponse::Ok().json(json!({
            "signed_request": signed_request, "status": answer.status, "body": answer.body,
        })),
        Err(error) => {
            HttpResponse::BadGateway().json(json!({ "signed_request": signed_request, "error": error }))
        }
    }
}

fn no_account() -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "error": "there is no account of this name" }))
}
