//! SIGTERM amid renewals: what is under way is finished and stored, nothing more is begun, and the rest waits for nobody's lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use connection_store::Store;
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Method;

use crate::service::{Database, Service, World, all_connections};

const DAY: Duration = Duration::from_secs(86_400);

/// More than are renewed at once, and fewer than are claimed at once.
const ACCOUNTS: usize = 15;

/// Calls to Instagram that a service makes at once.
const CONCURRENCY: usize = 4;

async fn finishes_what_runs(database: Database) {
    let world = World::new(database);
    let service = world.serve(&[("SYNC_INTERVAL_HOURS", "720")]);
    connect_many(&world, &service).await;
    world.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 1000 }, Times::Forever);
    world.advance(35 * DAY);
    while world.instagram.requests(Endpoint::Refresh) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = Instant::now();
    let output = service.terminate();
    assert!(asked.elapsed() < Duration::from_secs(10), "{output}");
    let begun = usize::try_from(world.instagram.requests(Endpoint::Refresh)).unwrap();
    let store = world.store().await;
    let renewed = async || renewed(&world, &store).await;
    assert_eq!(renewed().await, begun, "every answer was stored: {output}");
    assert!(begun < ACCOUNTS, "nothing more was begun: {output}");

    // The clock stands where it stood: a lease that was left behind would keep the next one waiting.
    world.instagram.clear_faults();
    let next = world.serve(&[("SYNC_INTERVAL_HOURS", "720")]);
    for _ in 0..100 {
        if renewed().await == ACCOUNTS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(renewed().await, ACCOUNTS, "{}", next.output());
    assert_eq!(world.instagram.requests(Endpoint::Refresh), ACCOUNTS as u64, "each was renewed once");
    store.close().await;
}

/// A call that outlasts the stop keeps only what it is for: it may have been answered.
async fn leaves_the_rest_to_others(database: Database) {
    let world = World::new(database);
    let patient = [("SYNC_INTERVAL_HOURS", "720"), ("INSTAGRAM_TIMEOUT_SECONDS", "30")];
    let service = world.serve(&patient);
    connect_many(&world, &service).await;
    world.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 20_000 }, Times::Forever);
    world.advance(35 * DAY);
    while world.instagram.requests(Endpoint::Refresh) < CONCURRENCY as u64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = service.terminate();
    assert_eq!(world.instagram.requests(Endpoint::Refresh), CONCURRENCY as u64, "{output}");

    world.instagram.clear_faults();
    let next = world.serve(&patient);
    let store = world.store().await;
    for _ in 0..100 {
        if renewed(&world, &store).await == ACCOUNTS - CONCURRENCY {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(renewed(&world, &store).await, ACCOUNTS - CONCURRENCY, "{output}\n{}", next.output());
    store.close().await;
}

/// A page that is loaded again while its account is saved, and a service that stops at this moment.
async fn finishes_what_nobody_waits_for(database: Database) {
    let world = World::new(database);
    let service = world.serve(&[]);
    let ada = service.person("ada").await;
    let account = world.instagram.add_account("reloaded");
    let body = ada.own_token(&world.instagram, "reloaded", &account.professional);
    world.instagram.fault(Endpoint::Profile, Fault::Delay { ms: 1500 }, Times::ONCE);
    let asked = async {
        while world.instagram.requests(Endpoint::Profile) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    ada.hang_up("/api/integrations/instagram/callback", &body, asked).await;
    // Until the service has heard that its client is gone.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let output = service.terminate();
    let store = world.store().await;
    let saved = all_connections(&store).await;
    assert_eq!(saved.len(), 1, "{output}");
    assert!(saved[0].is_active);
    store.close().await;
}

async fn connect_many(world: &World, service: &Service) {
    let ada = service.person("ada").await;
    for number in 0..ACCOUNTS {
        let username = format!("{}_{number}", accounts::RECORD_SHOP);
        let account = world.instagram.add_account(&username);
        let body = ada.own_token(&world.instagram, &username, &account.professional);
        let saved = ada.call(Method::POST, "/api/integrations/instagram/callback", Some(body)).await;
        assert_eq!(saved.0, 200, "{}", saved.1);
    }
}

/// Counts the connections that have a new token.
async fn renewed(world: &World, store: &Arc<dyn Store>) -> usize {
    let now = world.now();
    let all = all_connections(store).await;
    all.iter().filter(|one| now.duration_since(one.token_issued_at).as_hours() < 24).count()
}

#[actix_web::test]
async fn what_was_not_begun_waits_for_no_call_that_hangs_on_sqlite() {
    leaves_the_rest_to_others(Database::Sqlite).await;
}

#[actix_web::test]
async fn what_was_not_begun_waits_for_no_call_that_hangs_on_mongodb() {
    leaves_the_rest_to_others(Database::MongoDb).await;
}

#[actix_web::test]
async fn work_whose_client_has_gone_is_finished_at_a_stop_on_sqlite() {
    finishes_what_nobody_waits_for(Database::Sqlite).await;
}

#[actix_web::test]
async fn work_whose_client_has_gone_is_finished_at_a_stop_on_mongodb() {
    finishes_what_nobody_waits_for(Database::MongoDb).await;
}

#[actix_web::test]
async fn renewals_that_run_are_finished_at_a_stop_on_sqlite() {
    finishes_what_runs(Database::Sqlite).await;
}

#[actix_web::test]
async fn renewals_that_run_are_finished_at_a_stop_on_mongodb() {
    finishes_what_runs(Database::MongoDb).await;
}
