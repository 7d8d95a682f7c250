//! `/__simulator/…`: what a test, or a person with curl, changes in the simulated world. The READMEs of the
//! simulators show each call.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::WorldData;
use crate::accounts::{Account, AddError};
use crate::faults::{Endpoint, PlannedFault};
use crate::weather::RandomFailures;
use crate::world::World;

pub(super) fn configure<W: World>(app: &mut web::ServiceConfig) {
    let twice = |path: &str, get, other| web::resource(path.to_owned()).route(get).route(other);
    app.service(
        web::scope("/__simulator")
            .route("/health", web::get().to(health))
            .service(
                twice("/faults", web::get().to(faults::<W>), web::post().to(add_fault::<W>))
                    .route(web::delete().to(clear_faults::<W>)),
            )
            .service(twice("/requests", web::get().to(requests::<W>), web::delete().to(reset_requests::<W>)))
            .service(twice("/clock", web::get().to(clock::<W>), web::post().to(advance::<W>)))
            .service(twice("/options", web::get().to(options::<W>), web::put().to(set_options::<W>)))
            .service(twice("/failures", web::get().to(failures::<W>), web::put().to(set_failures::<W>)))
            .service(twice(
                "/refreshes",
                web::get().to(refreshes::<W>),
                web::delete().to(clear_refreshes::<W>),
            ))
            .service(twice("/accounts", web::get().to(accounts::<W>), web::post().to(add_account::<W>)))
            .route("/accounts/{username}", web::patch().to(change_account::<W>))
            .route("/accounts/{username}/tokens", web::post().to(issue_token::<W>)),
    );
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

async fn faults<W: World>(world: WorldData<W>) -> HttpResponse {
    HttpResponse::Ok().json(world.lock().base().faults.planned())
}

async fn add_fault<W: World>(
    world: WorldData<W>,
    planned: web::Json<PlannedFault<W::Endpoint, W::Fault>>,
) -> HttpResponse {
    let mut world = world.lock();
    let faults = &mut world.base_mut().faults;
    faults.add(planned.into_inner());
    HttpResponse::Created().json(faults.planned())
}

async fn clear_faults<W: World>(world: WorldData<W>) -> HttpResponse {
    world.lock().base_mut().faults.clear();
    HttpResponse::NoContent().finish()
}

async fn requests<W: World>(world: WorldData<W>) -> HttpResponse {
    let world = world.lock();
    let count = |endpoint| (endpoint, world.base().requests(endpoint));
    let counts = W::Endpoint::SINGLE.iter().copied().chain([W::Endpoint::ANY]).map(count);
    HttpResponse::Ok().json(counts.collect::<BTreeMap<_, _>>())
}

async fn reset_requests<W: World>(world: WorldData<W>) -> HttpResponse {
    world.lock().base_mut().reset_requests();
    HttpResponse::NoContent().finish()
}

async fn clock<W: World>(world: WorldData<W>) -> HttpResponse {
    time(&*world.lock())
}

#[derive(Deserialize)]
struct Advance {
    /// Seconds to move the clock forward.
    advance: u32,
}

async fn advance<W: World>(world: WorldData<W>, by: web::Json<Advance>) -> HttpResponse {
    let mut world = world.lock();
    world.advance(SignedDuration::from_secs(by.advance.into()));
    time(&*world)
}

fn time<W: World>(world: &W) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "now": world.base().now() }))
}

async fn failures<W: World>(world: WorldData<W>) -> HttpResponse {
    HttpResponse::Ok().json(world.lock().base().random_failures())
}

/// Replaces the settings of random failures; one that is left out goes back to its default.
async fn set_failures<W: World>(
    world: WorldData<W>,
    failures: web::Json<RandomFailures<W::Endpoint>>,
) -> HttpResponse {
    let mut world = world.lock();
    match world.base_mut().set_random_failures(failures.into_inner()) {
        Ok(()) => HttpResponse::Ok().json(world.base().random_failures()),
        Err(error) => HttpResponse::BadRequest().json(json!({ "error": error })),
    }
}

async fn refreshes<W: World>(world: WorldData<W>) -> HttpResponse {
    HttpResponse::Ok().json(&world.lock().base().refreshes)
}

async fn clear_refreshes<W: World>(world: WorldData<W>) -> HttpResponse {
    world.lock().base_mut().refreshes.clear();
    HttpResponse::NoContent().finish()
}

async fn options<W: World>(world: WorldData<W>) -> HttpResponse {
    HttpResponse::Ok().json(&world.lock().base().options)
}

/// Replaces all options; one that is left out goes back to its default.
async fn set_options<W: World>(world: WorldData<W>, options: web::Json<W::Options>) -> HttpResponse {
    let mut world = world.lock();
    let base = world.base_mut();
    base.options = options.into_inner();
    HttpResponse::Ok().json(&base.options)
}

async fn accounts<W: World>(world: WorldData<W>) -> HttpResponse {
    let world = world.lock();
    HttpResponse::Ok().json(world.base().accounts.all().iter().map(Account::describe).collect::<Vec<_>>())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    username: String,
}

async fn add_account<W: World>(world: WorldData<W>, new: web::Json<NewAccount>) -> HttpResponse {
    match world.lock().base_mut().accounts.add(&new.username) {
        Ok(account) => HttpResponse::Created().json(account.describe()),
        Err(error) => {
            let body = json!({ "error": error.message() });
            match error {
                AddError::InvalidUsername => HttpResponse::BadRequest().json(body),
                AddError::Taken => HttpResponse::Conflict().json(body),
            }
        }
    }
}

/// Changes what is given of an account, and leaves the rest.
async fn change_account<W: World>(
    world: WorldData<W>,
    username: web::Path<String>,
    change: web::Json<<W::Account as Account>::Change>,
) -> HttpResponse {
    let mut world = world.lock();
    let accounts = &mut world.base_mut().accounts;
    let Some(place) = accounts.place(&username) else { return no_account() };
    accounts[place].change(change.into_inner());
    HttpResponse::Ok().json(accounts[place].describe())
}

async fn issue_token<W: World>(world: WorldData<W>, username: web::Path<String>) -> HttpResponse {
    let mut world = world.lock();
    let Some(account) = world.base().accounts.place(&username) else { return no_account() };
    HttpResponse::Created().json(world.issue(account))
}

/// Answers 404: no account has the name.
pub fn no_account() -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "error": "there is no account of this name" }))
}
