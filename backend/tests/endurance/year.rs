//! A simulated year: many connections, three services over one database, an Instagram that fails one call in five in every
//! way it knows, and services that are killed and started again.
//!
//! The reduced form runs with the other tests. `LONG_TESTS=1` runs the whole year.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connection_store::Store;
use instagram_simulator::{Options, RandomFailures, RefreshOutcome, RefreshRecord};
use jiff::SignedDuration;

use crate::service::{Database, Service, World, all_connections, events};

const HOUR: Duration = Duration::from_secs(3600);

/// How much is simulated.
struct Plan {
    connections: usize,
    days: u64,
    /// Time that passes at once, in a quarter of a second. A rate limit's pause lasts for one step: were steps longer, Instagram
    /// would be away for most of the time.
    step: Duration,
    /// A service is killed and another one is started, every so many steps.
    kill_every: u64,
}

impl Plan {
    fn of_environment() -> Self {
        if std::env::var_os("LONG_TESTS").is_some_and(|value| value == "1") {
            return Self { connections: 1000, days: 365, step: 3 * HOUR, kill_every: 60 };
        }
        Self { connections: 60, days: 75, step: 6 * HOUR, kill_every: 45 }
    }

    fn steps(&self) -> u64 {
        self.days * 24 * 3600 / self.step.as_secs()
    }
}

/// One in so many people withdraws the permission at Instagram itself.
const REVOKED: usize = 20;

/// How many connections one person holds.
const EACH: usize = 100;

/// Syncs are rarer than usual: they are not what this is about, and each costs as much as a renewal.
const VARIABLES: [(&str, &str); 3] =
    [("SYNC_INTERVAL_HOURS", "720"), ("INSTAGRAM_TIMEOUT_SECONDS", "0.3"), ("POLL_MILLISECONDS", "200")];

/// How long a step takes.
const PACE: Duration = Duration::from_millis(250);

async fn passes(database: Database) {
    let plan = Plan::of_environment();
    let started = Instant::now();
    let world = World::new(database);
    let mut services: Vec<Service> = (0..3).map(|_| world.serve(&VARIABLES)).collect();
    let usernames = connect_all(&world, &services[0], plan.connections).await;
    world.instagram.clear_refreshes();
    world.instagram.set_options(Options { regain_access_minutes: 60, ..Options::default() });
    world.instagram.set_random_failures(RandomFailures {
        rate: 0.2,
        seed: 7,
        delay_ms: 400,
        ..RandomFailures::default()
    });

    let mut kills = 0;
    let store = world.store().await;
    for step in 1..=plan.steps() {
        pass_step(&world, &store, plan.step).await;
        // A kill comes at another moment of the step each time.
        if step % plan.kill_every == 0 {
            tokio::time::sleep(Duration::from_millis(step * 37 % 250)).await;
            services.remove(usize::try_from(kills).unwrap() % services.len()).kill();
            services.push(world.serve(&VARIABLES));
            kills += 1;
        }
        if step == plan.steps() / 2 {
            for username in usernames.iter().step_by(REVOKED) {
                world.instagram.revoke(username, 458);
            }
        }
    }

    let connections = all_connections(&store).await;
    assert_eq!(connections.len(), plan.connections);
    let (mut alive, mut revoked, mut renewals) = (0, 0, HashMap::new());
    for connection in &connections {
        let username = &connection.profile.username;
        let is_dead = connection.needs_reauthorization_since.is_some();
        let last_words = services.iter().map(Service::output).collect::<String>();
        assert_eq!(is_dead, world.instagram.is_revoked(username), "{connection:?}\n{last_words}");
        assert!(is_dead || connection.token_expires_at > world.now(), "{connection:?}");
        *(if is_dead { &mut revoked } else { &mut alive }) += 1;
        let past = events(&store, &connection.id, world.now()).await;
        let told = |kind: &str| past.iter().filter(|event| event.kind == kind).count();
        assert_eq!(told("needs_reauthorization"), usize::from(is_dead), "told once: {past:?}");
        renewals.insert(username.clone(), told("refreshed"));
    }
    store.close().await;

    let log = world.instagram.refreshes();
    let summary = judge(&log, &renewals, kills);
    println!(
        "{database:?}: {} connections, {} days in steps of {} h, {kills} kills: {alive} alive, {revoked} revoked by \
         Instagram, 0 lost; {summary}; took {} s",
        plan.connections,
        plan.days,
        plan.step.as_secs() / 3600,
        started.elapsed().as_secs(),
    );
}

/// Lets a step's time pass. All connections fall due together, and hours pass in a quarter of a second: where the database
/// cannot keep up with that, as a real one never has to, time goes slower until the work is done.
async fn pass_step(world: &World, store: &Arc<dyn Store>, step: Duration) {
    let mut passed = Duration::ZERO;
    while passed < step {
        let now = world.now();
        let first_due = store.first_due_for_refresh(now + WINDOW, now, now).await.unwrap();
        let is_behind = first_due.is_some_and(|life| life.expires_at < now + WINDOW - BEHIND);
        let part = if is_behind { HOUR / 4 } else { step }.min(step - passed);
        world.advance(part);
        passed += part;
        tokio::time::sleep(PACE).await;
    }
}

/// A token with less than this left is due, as the services are configured by default.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A renewal that has been due for longer waits because of the machine. Failures by chance alone are seldom so many.
const BEHIND: SignedDuration = SignedDuration::from_hours(10 * 24);

/// Has people connect accounts of their own, with tokens that the test got for them.
async fn connect_all(world: &World, service: &Service, count: usize) -> Vec<String> {
    let usernames: Vec<_> = (0..count).map(|number| format!("shop{number}")).collect();
    for (number, people) in usernames.chunks(EACH).enumerate() {
        let person = service.person(&format!("person{number}")).await;
        for username in people {
            let ids = world.instagram.add_account(username);
            person.connect(&world.instagram, username, &ids.professional).await;
        }
    }
    usernames
}

/// Checks the simulator's log of what was done to each token.
fn judge(log: &[RefreshRecord], renewals: &HashMap<String, usize>, kills: u64) -> String {
    let count = |outcome| log.iter().filter(|record| record.outcome == outcome).count();
    assert_eq!(count(RefreshOutcome::TooYoung), 0, "none is refreshed under 24 hours");
    assert_eq!(count(RefreshOutcome::Expired), 0, "none is left to expire");
    let mut whole: HashMap<&str, usize> = HashMap::new();
    for record in
        log.iter().filter(|record| record.outcome == RefreshOutcome::Renewed && record.delivered_whole)
    {
        *whole.entry(&record.account).or_default() += 1;
    }
    // Every whole answer was stored once, but for those that a kill or the end of the test cut off. One refreshed twice in a
    // window would be an answer that no stored renewal stands for.
    let mut unstored = 0;
    for (account, answers) in &whole {
        let stored = renewals.get(*account).copied().unwrap_or(0);
        assert!(*answers >= stored, "{account}: {answers} answers, {stored} stored");
        unstored += answers - stored;
    }
    // Hours that pass at once also pass over the leases of who is at work then, and another one takes the work up: with a
    // slow database that is one call in a few.
    let cut_off = usize::try_from(kills).unwrap() * CONCURRENCY + log.len() / 4;
    assert!(unstored <= cut_off, "{unstored} tokens were refreshed and not stored; {cut_off} are explained");
    let renewed: usize = renewals.values().sum();
    assert!(renewed >= renewals.len() / 2, "{renewed} renewals are too few to tell anything");
    format!(
        "{} refresh calls, {renewed} renewals stored, {} failed by chance, {unstored} answers lost to kills, none twice, none \
         under 24 h",
        log.len(),
        count(RefreshOutcome::Failed),
    )
}

/// Calls to Instagram that a service makes at once.
const CONCURRENCY: usize = 4;

#[actix_web::test]
async fn a_year_passes_on_sqlite() {
    passes(Database::Sqlite).await;
}

#[actix_web::test]
async fn a_year_passes_on_mongodb() {
    passes(Database::MongoDb).await;
}
