//! `kill -9` between Instagram's answer and the write, wherever there is such a moment.
//!
//! Instagram's answer is delayed, the database is held meanwhile, and the process dies waiting for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connection_store::{Connection, Store};
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Method;
use serde_json::Value;

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

/// Where the process is when it dies: it has Instagram's answer to this, and has not stored it.
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

    /// What has to pass before it is due.
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

    /// What somebody has to ask for, for the jobs nothing.
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
    if let Some((path, body)) = request {
        let person = Arc::clone(&person);
        // It gets no answer: the process dies.
        tokio::spawn(async move { person.try_call(Method::POST, path, body).await });
    }
    for _ in 0..400 {
        if world.instagram.requests(moment.endpoint()) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.instagram.requests(moment.endpoint()), 1, "{moment:?}: {}", service.output());
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
    match moment {
        Moment::Refresh | Moment::Sync => {}
        Moment::Save => {
            let again = service.person("bob").await;
            let body = again.own_token(&world.instagram, accounts::RECORD_SHOP, ACCOUNT_ID);
            let answer = again.call(Method::POST, "/api/integrations/instagram/callback", Some(body)).await;
            assert_eq!(answer.0, 409, "the account is still whose it was: {}", answer.1);
        }
        Moment::OwnersRefresh | Moment::OwnersSync => {
            let back = person.at(&service);
            let (status, answer) = match moment {
                Moment::OwnersRefresh => {
                    back.call(Method::POST, "/api/integrations/instagram/me/refresh", None).await
                }
                _ => back.call(Method::POST, "/api/integrations/instagram/me/sync", None).await,
            };
            assert_eq!(status, 200, "{answer}");
        }
    }
    let done = |now: &Connection| match moment {
        Moment::Refresh | Moment::OwnersRefresh => now.token_expires_at > before.token_expires_at,
        Moment::Sync | Moment::OwnersSync => now.last_synced_at > before.last_synced_at,
        Moment::Save => now.access_token == before.access_token,
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
