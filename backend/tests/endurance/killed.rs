//! `kill -9` between Instagram's answer and the write, wherever there is such a moment.
//!
//! Instagram's answer is delayed, the database is held meanwhile, and the process dies waiting for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connection_store::{Connection, Store};
use instagram_simulator::{Endpoint, Fault, SignedBy, Times, UserIdKind, accounts};
use reqwest::Method;
use serde_json::Value;

use crate::receiver::Receiver;
use crate::service::{Database, Person, Service, World, all_connections};

/// The account's professional id at the simulator.
const ACCOUNT_ID: &str = "17841400000000000";

const DAY: Duration = Duration::from_secs(86_400);

/// Keeps everybody from writing while it lives: on SQLite by a lock, on MongoDB by taking the server away.
enum Hold<'a> {
    Sqlite(rusqlite::Connection),
    MongoDb(&'a mut World),
}

impl<'a> Hold<'a> {
    fn on(world: &'a mut World) -> Self {
        if let Some(server) = &mut world.mongodb {
            // Not frozen: a frozen one would find the write in its socket later, and carry it out.
            server.stop();
            return Self::MongoDb(world);
        }
        Self::Sqlite(lock(&world.database_file()))
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        match self {
            Self::Sqlite(database) => database.execute_batch("ROLLBACK").unwrap(),
            Self::MongoDb(world) => world.mongodb.as_mut().unwrap().restart(),
        }
    }
}

fn lock(file: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(file).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    database
}

/// Moment at which the process dies: it has Instagram's answer to this, and has not stored it.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The job renews a token.
    Refresh,
    /// The owner has it renewed.
    OwnersRefresh,
    /// The job reads a profile.
    Sync,
    /// The owner has it read.
    OwnersSync,
    /// A client saves a token of its own.
    Save,
}

impl Moment {
    const ALL: [Self; 5] = [Self::Refresh, Self::OwnersRefresh, Self::Sync, Self::OwnersSync, Self::Save];

    fn endpoint(self) -> Endpoint {
        match self {
            Self::Refresh | Self::OwnersRefresh => Endpoint::Refresh,
            Self::Sync | Self::OwnersSync | Self::Save => Endpoint::Profile,
        }
    }

    /// Returns the time that has to pass before it is due.
    fn wait(self) -> Duration {
        match self {
            Self::Refresh => 35 * DAY,
            Self::OwnersRefresh => 2 * DAY,
            Self::Sync => DAY / 2,
            Self::OwnersSync | Self::Save => Duration::from_secs(60),
        }
    }

    /// The configuration that lets nothing else happen in between.
    fn variables(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Sync => [("SYNC_INTERVAL_HOURS", "6"), ("REFRESH_WINDOW_DAYS", "1")],
            _ => [("SYNC_INTERVAL_HOURS", "720"), ("REFRESH_WINDOW_DAYS", "30")],
        }
    }

    /// Returns the request that somebody has to make; for the jobs, none.
    fn request(self, person: &Person, world: &World) -> Option<(&'static str, Option<Value>)> {
        match self {
            Self::Refresh | Self::Sync => None,
            Self::OwnersRefresh => Some(("/api/integrations/instagram/me/refresh", None)),
            Self::OwnersSync => Some(("/api/integrations/instagram/me/sync", None)),
            Self::Save => {
                let body = person.own_token(&world.instagram, accounts::RECORD_SHOP, ACCOUNT_ID);
                Some(("/api/integrations/instagram/callback", Some(body)))
            }
        }
    }
}

/// Waits until Instagram has been asked.
async fn reached(world: &World, endpoint: Endpoint) {
    for _ in 0..400 {
        if world.instagram.requests(endpoint) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{endpoint:?} was not called");
}

async fn only(store: &Arc<dyn Store>) -> Connection {
    let all = all_connections(store).await;
    assert_eq!(all.len(), 1);
    all.into_iter().next().unwrap()
}

async fn recovers(database: Database, moment: Moment) {
    let mut world = World::new(database);
    let service: Service = world.serve(&moment.variables());
    let person = Arc::new(service.person("ada").await);
    person.connect(&world.instagram, accounts::RECORD_SHOP, ACCOUNT_ID).await;
    let store = world.store().await;
    let before = only(&store).await;

    world.instagram.fault(moment.endpoint(), Fault::Delay { ms: 800 }, Times::ONCE);
    world.instagram.reset_requests();
    let request = moment.request(&person, &world);
    world.advance(moment.wait());
    if let Some((path, body)) = request.clone() {
        let person = Arc::clone(&person);
        // It gets no answer: the process dies.
        tokio::spawn(async move { person.try_call(Method::POST, path, body).await });
    }
    reached(&world, moment.endpoint()).await;
    let hold = Hold::on(&mut world);
    // The answer arrives within this time, and the write waits for longer than is left of it.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    service.kill();
    drop(hold);

    let after = only(&store).await;
    assert_eq!(after.access_token, before.access_token, "{moment:?}: the old token is not lost");
    if matches!(moment, Moment::Sync | Moment::OwnersSync) {
        assert_eq!(after.last_synced_at, before.last_synced_at, "{moment:?}: nothing was written");
    }

    // Time for the dead process's lease to end.
    world.advance(Duration::from_secs(3600));
    let service = world.serve(&moment.variables());
    if matches!(moment, Moment::Save) {
        let other = service.person("bob").await;
        let body = other.own_token(&world.instagram, accounts::RECORD_SHOP, ACCOUNT_ID);
        let answer = other.call(Method::POST, "/api/integrations/instagram/callback", Some(body)).await;
        assert_eq!(answer.0, 409, "the account is still whose it was: {}", answer.1);
    }
    // Whoever got no answer asks again.
    if let Some((path, body)) = request {
        let (status, answer) = person.at(&service).call(Method::POST, path, body).await;
        assert_eq!(status, 200, "{moment:?}: {answer}");
    }
    let done = |now: &Connection| match moment {
        Moment::Refresh | Moment::OwnersRefresh => now.token_expires_at > before.token_expires_at,
        Moment::Sync | Moment::OwnersSync => now.last_synced_at > before.last_synced_at,
        Moment::Save => now.access_token != before.access_token,
    };
    for _ in 0..100 {
        if done(&only(&store).await) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let healed = only(&store).await;
    assert!(done(&healed), "{moment:?}: {healed:?}\n{}", service.output());
    assert_eq!((healed.is_active, healed.needs_reauthorization_since), (true, None), "{moment:?}");
    store.close().await;
}

/// Instagram has taken the code, and its answer is not here yet: no handle is out.
async fn an_exchange_is_begun_anew(database: Database) {
    let world = World::new(database);
    let service = world.serve(&[]);
    let person = Arc::new(service.person("ada").await);
    let path = person.consent(&world.instagram, accounts::RECORD_SHOP).await;
    world.instagram.fault(Endpoint::CodeExchange, Fault::Delay { ms: 800 }, Times::ONCE);
    let (asking, fetch) = (Arc::clone(&person), path.clone());
    tokio::spawn(async move { asking.try_call(Method::GET, &fetch, None).await });
    reached(&world, Endpoint::CodeExchange).await;
    service.kill();

    let store = world.store().await;
    assert_eq!(all_connections(&store).await, [], "nothing is stored before the handle comes back");
    let service = world.serve(&[]);
    let person = person.at(&service);
    let (status, answer) = person.call(Method::GET, &path, None).await;
    assert_eq!((status, &answer["code"]), (400, &"invalid_state".into()), "the state is used up");
    let path = person.consent(&world.instagram, accounts::RECORD_SHOP).await;
    let (status, answer) = person.call(Method::GET, &path, None).await;
    assert_eq!(status, 200, "{answer}");
    person.save(&answer).await;
    let saved = only(&store).await;
    assert_eq!((saved.is_active, saved.provider_account_id.as_str()), (true, ACCOUNT_ID));
    store.close().await;
}

/// Kills the service while it writes a call of Meta. Meta gets no answer, and calls again.
async fn a_signal_comes_again(database: Database, path: &'static str) {
    let mut world = World::new(database);
    let service = world.serve(&[]);
    let person = service.person("ada").await;
    person.connect(&world.instagram, accounts::RECORD_SHOP, ACCOUNT_ID).await;
    let store = world.store().await;
    let request = world.instagram.signed_request(
        accounts::RECORD_SHOP,
        SignedBy::AppSecret,
        UserIdKind::AppScoped,
        world.instagram.now(),
    );
    let hold = Hold::on(&mut world);
    let (url, form) = (service.url.clone(), request.clone());
    let telling = tokio::spawn(async move { tell(&url, path, &form).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    service.kill();
    drop(hold);
    assert!(telling.await.unwrap().is_err(), "{path}: it got no answer");
    let untouched = only(&store).await;
    assert_eq!((untouched.is_active, untouched.needs_reauthorization_since), (true, None), "{path}");

    let service = world.serve(&[]);
    assert_eq!(tell(&service.url, path, &request).await.unwrap(), 200);
    let left = all_connections(&store).await;
    match path {
        DEAUTHORIZE => assert!(left[0].needs_reauthorization_since.is_some(), "{left:?}"),
        _ => assert_eq!(left, [], "everything is gone"),
    }
    store.close().await;
}

const DEAUTHORIZE: &str = "/auth/instagram/deauthorize";
const DATA_DELETION: &str = "/auth/instagram/data-deletion";

/// Posts a `signed_request` as Meta does. Returns the answer's status.
async fn tell(url: &str, path: &str, signed_request: &str) -> reqwest::Result<u16> {
    let form =
        reqwest::Client::new().post(format!("{url}{path}")).form(&[("signed_request", signed_request)]);
    Ok(form.send().await?.status().as_u16())
}

/// The receiver has a message and says so, and the service dies before it has written that down.
async fn a_delivery_comes_again(database: Database) {
    let mut world = World::new(database);
    let receiver = Receiver::start();
    let variables = receiver.variables();
    let service = world.serve(&variables);
    let person = service.person("ada").await;
    person.connect(&world.instagram, accounts::RECORD_SHOP, ACCOUNT_ID).await;
    let first = receiver.wait_for(1).await;
    let hold = Hold::on(&mut world);
    receiver.answer();
    // The answer arrives within this time, and the write waits for longer.
    tokio::time::sleep(Duration::from_millis(500)).await;
    service.kill();
    drop(hold);

    // Time for the dead process's lease to end.
    world.advance(Duration::from_secs(3600));
    let _service = world.serve(&variables);
    let both = receiver.wait_for(2).await;
    assert_eq!(both[1], first[0], "the same message, by which a receiver knows it");
    receiver.answer();
    world.advance(Duration::from_secs(3600));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.wait_for(2).await.len(), 2, "it has arrived, and does not come again");
}

#[actix_web::test]
async fn a_kill_between_answer_and_write_costs_nothing_on_sqlite() {
    for moment in Moment::ALL {
        recovers(Database::Sqlite, moment).await;
    }
}

#[actix_web::test]
async fn a_kill_between_answer_and_write_costs_nothing_on_mongodb() {
    for moment in Moment::ALL {
        recovers(Database::MongoDb, moment).await;
    }
}

#[actix_web::test]
async fn a_kill_in_an_exchange_costs_a_second_consent_on_sqlite() {
    an_exchange_is_begun_anew(Database::Sqlite).await;
}

#[actix_web::test]
async fn a_kill_in_an_exchange_costs_a_second_consent_on_mongodb() {
    an_exchange_is_begun_anew(Database::MongoDb).await;
}

#[actix_web::test]
async fn a_signal_that_a_kill_cut_off_works_when_it_comes_again_on_sqlite() {
    for path in [DEAUTHORIZE, DATA_DELETION] {
        a_signal_comes_again(Database::Sqlite, path).await;
    }
}

#[actix_web::test]
async fn a_signal_that_a_kill_cut_off_works_when_it_comes_again_on_mongodb() {
    for path in [DEAUTHORIZE, DATA_DELETION] {
        a_signal_comes_again(Database::MongoDb, path).await;
    }
}

#[actix_web::test]
async fn a_message_that_nobody_knows_has_arrived_comes_again_on_sqlite() {
    a_delivery_comes_again(Database::Sqlite).await;
}

#[actix_web::test]
async fn a_message_that_nobody_knows_has_arrived_comes_again_on_mongodb() {
    a_delivery_comes_again(Database::MongoDb).await;
}
