//! A simulated year: many connections, three services over one database, an Instagram and a Spotify that fail one call in five in
//! every way they know, and services that are killed and started again.
//!
//! The reduced form runs with the other tests. `LONG_TESTS=1` runs the whole year.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use instagram_simulator::{Options, RandomFailures, RefreshOutcome, RefreshRecord};
use shared::Provider;

use crate::leases::LeaseWatch;
use crate::listeners::Listeners;
use crate::service::{Database, Service, World, all_connections, events};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Extent of the simulation.
struct Plan {
    connections: usize,
    days: u64,
    /// Time that passes at once, when nobody is at work. A rate limit's pause lasts for one step: were steps longer, Instagram
    /// would be away for most of the time.
    step: Duration,
    /// A service is killed at work and another one is started, every so many steps that bring work.
    kill_every: u64,
    /// Days between two syncs. They are rarer than usual: they are not what this is about, and each costs as much as a renewal.
    sync_days: i64,
    /// Connections with Spotify.
    listeners: usize,
    /// Age of their consents when the year begins.
    consented_before: Duration,
    /// Every other person who is told that a consent ends consents anew.
    reconnecting: bool,
    /// Time between two looks at which of their tokens are due: each is due every day.
    spotify_stop: Duration,
    /// Days until Spotify calls every token invalid for half an hour; a week later, people remove the app there.
    outage_day: u64,
}

impl Plan {
    fn of_environment() -> Self {
        if std::env::var_os("LONG_TESTS").is_some_and(|value| value == "1") {
            return Self {
                connections: 1000,
                days: 365,
                step: 3 * HOUR,
                kill_every: 8,
                sync_days: 90,
                listeners: 30,
                consented_before: Duration::ZERO,
                reconnecting: true,
                spotify_stop: 24 * HOUR,
                outage_day: 90,
            };
        }
        Self {
            connections: 60,
            days: 75,
            step: 6 * HOUR,
            kill_every: 3,
            sync_days: 30,
            listeners: 6,
            consented_before: 165 * 24 * HOUR,
            reconnecting: false,
            spotify_stop: 96 * HOUR,
            outage_day: 1,
        }
    }

    fn steps(&self) -> u64 {
        self.steps_of(self.days)
    }

    fn steps_of(&self, days: u64) -> u64 {
        days * 24 * 3600 / self.step.as_secs()
    }
}

/// One in so many people withdraws the permission at the provider itself.
pub(crate) const REVOKED: usize = 20;

/// Connections that one person holds.
const EACH: usize = 100;

const VARIABLES: [(&str, &str); 2] = [("INSTAGRAM_TIMEOUT_SECONDS", "0.8"), ("POLL_MILLISECONDS", "300")];

/// Delay of a late answer: longer than the services wait.
const DELAY_MS: u64 = 1000;

/// Life of a token, in seconds; at the services' default, tokens are due in the last 30 days of it.
const LIFE: u64 = 5_183_944;
const WINDOW: u64 = 30 * 24 * 3600;

/// Refreshes that a service asks one provider for at once.
const CONCURRENCY: usize = 4;

/// A refresh: the number of the token, that of its successor, and whether the answer arrived whole.
pub(crate) type Refresh = (u64, Option<u64>, bool);

async fn passes(database: Database) {
    let plan = Plan::of_environment();
    let sync_days = plan.sync_days.to_string();
    let variables = [VARIABLES[0], VARIABLES[1], ("SYNC_INTERVAL_DAYS", &sync_days)];
    let started = Instant::now();
    let world = World::new(database);
    let mut services: Vec<Service> = (0..3).map(|_| world.serve(&variables)).collect();
    let mut listeners = Listeners::connect(&world, &services[0], plan.listeners, plan.reconnecting).await;
    listeners.look(&world, &services[0]).await;
    Listeners::meet_weather(&world, DELAY_MS);
    world.advance(plan.consented_before);
    let usernames = connect_all(&world, &services[0], plan.connections).await;
    world.instagram.clear_refreshes();
    world.instagram.set_options(Options {
        expires_in: LIFE,
        regain_access_minutes: 60,
        ..Options::default()
    });
    world.instagram.set_random_failures(RandomFailures {
        rate: 0.2,
        seed: 7,
        delay_ms: DELAY_MS,
        ..RandomFailures::default()
    });

    let (mut busy_steps, mut kills) = (0, 0);
    let mut leases = LeaseWatch::on(&world, plan.sync_days, plan.spotify_stop).await;
    leases.rest(&world).await;
    let (outage, removal) = (plan.steps_of(plan.outage_day), plan.steps_of(plan.outage_day + 7));
    let (half, whole) = (plan.steps() / 2, plan.steps());
    let (mut step, mut told) = (0, 0);
    while step < whole {
        // While nothing is due for long, many steps are one, but for the steps after which something happens.
        let most = [outage, removal, half, whole]
            .into_iter()
            .find_map(|at| at.checked_sub(step).filter(|&left| left > 0));
        let most = most.unwrap_or(1);
        let steps = leases.steps_until_due(&world, plan.step).await.clamp(1, most);
        world.advance(plan.step * u32::try_from(steps).unwrap());
        step += steps;
        if leases.work_begins(&world).await {
            busy_steps += 1;
            if busy_steps % plan.kill_every == 0 {
                // Another moment of the work each time.
                tokio::time::sleep(Duration::from_millis(step * 37 % 100)).await;
                services.remove(kills % services.len()).kill();
                services.push(world.serve(&variables));
                kills += 1;
            }
            leases.rest(&world).await;
        }
        if step >= told + whole / 12 {
            let seconds = started.elapsed().as_secs();
            println!("{database:?}: {step} of {whole} steps, {kills} kills, after {seconds} s");
            told = step;
        }
        listeners.look(&world, &services[0]).await;
        if step == outage {
            listeners.meet_outage(&world, &mut leases).await;
            step += plan.steps_of(1);
        }
        if step == removal {
            listeners.revoke(&world);
        }
        if step == half {
            for username in usernames.iter().step_by(REVOKED) {
                world.instagram.revoke(username, 458);
            }
        }
    }

    let store = world.store().await;
    let connections = all_connections(&store).await;
    assert_eq!(connections.len(), plan.connections + plan.listeners);
    let (mut alive, mut revoked, mut renewals) = (0, 0, HashMap::new());
    for connection in &connections {
        let username = &connection.profile.username;
        let is_dead = connection.needs_reauthorization_since.is_some();
        let last_words = services.iter().map(Service::output).collect::<String>();
        let may_be_dead = match connection.provider {
            Provider::Instagram => world.instagram.is_revoked(username),
            Provider::Spotify => listeners.is_over(&world, username),
        };
        assert_eq!(is_dead, may_be_dead, "{connection:?}\n{last_words}");
        assert!(is_dead || connection.expires_at > world.now(), "{connection:?}");
        let past = events(&store, connection, world.now()).await;
        let told = |kind: &str| past.iter().filter(|event| event.kind == kind).count();
        assert_eq!(told("needs_reauthorization"), usize::from(is_dead), "told once: {past:?}");
        if connection.provider == Provider::Instagram {
            *(if is_dead { &mut revoked } else { &mut alive }) += 1;
            renewals.insert(username.clone(), told("refreshed"));
        }
    }
    store.close().await;

    let summary = judge(&world.instagram.refreshes(), &renewals, &plan, kills);
    // A sync refreshes as well.
    let of_spotify = listeners.judge(&world, 2 * kills * CONCURRENCY, plan.spotify_stop);
    println!(
        "{database:?}: {} connections, {} days in steps of {} h, {kills} kills with {} pieces of work in hand: {alive} alive, {revoked} revoked by \
         Instagram, 0 lost; {summary}; {of_spotify}; took {} s",
        plan.connections,
        plan.days,
        plan.step.as_secs() / 3600,
        leases.left,
        started.elapsed().as_secs(),
    );
}

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
fn judge(log: &[RefreshRecord], renewals: &HashMap<String, usize>, plan: &Plan, kills: usize) -> String {
    let count = |outcome| log.iter().filter(|record| record.outcome == outcome).count();
    assert_eq!(count(RefreshOutcome::TooYoung), 0, "none is refreshed under 24 hours");
    assert_eq!(count(RefreshOutcome::Expired), 0, "none is left to expire");
    let renewed: Vec<_> =
        log.iter().filter(|record| record.outcome == RefreshOutcome::Renewed).cloned().collect();
    let refresh = |record: &RefreshRecord| (record.token, record.renewed_into, record.delivered_whole);
    let twice = refreshed_although_replaced(&renewed.iter().map(refresh).collect::<Vec<_>>());
    assert!(twice.is_empty(), "renewed while the successor was stored: {twice:?}");
    let youngest = renewed.iter().map(|record| record.age_seconds).min().unwrap_or_default();
    assert!(youngest >= LIFE - WINDOW, "a token was renewed after {youngest} s, before its window");
    let most = renewals.values().copied().max().unwrap_or_default();
    let windows = usize::try_from(plan.days * 24 * 3600 / (LIFE - WINDOW)).unwrap();
    assert!(most <= windows, "an account was renewed {most} times in {windows} windows");

    // Every whole answer was stored once, but for those that a kill cut off.
    let mut unstored = 0;
    let mut whole: HashMap<&str, usize> = HashMap::new();
    for record in renewed.iter().filter(|record| record.delivered_whole) {
        *whole.entry(&record.account).or_default() += 1;
    }
    for (account, answers) in &whole {
        let stored = renewals.get(*account).copied().unwrap_or(0);
        assert!(*answers >= stored, "{account}: {answers} answers, {stored} stored");
        unstored += answers - stored;
    }
    let cut_off = kills * CONCURRENCY;
    assert!(unstored <= cut_off, "{unstored} answers were not stored; kills explain {cut_off}");
    let stored: usize = renewals.values().sum();
    assert!(stored >= renewals.len() / 2, "{stored} renewals are too few to tell anything");
    format!(
        "{} refresh calls, {stored} renewals stored, at most {most} an account in {windows} windows, the youngest token \
         {} days old, {} calls failed by chance, {unstored} answers lost to kills ({cut_off} explained), {} tokens renewed \
         twice, none under 24 h",
        log.len(),
        youngest / (24 * 3600),
        count(RefreshOutcome::Failed),
        twice.len(),
    )
}

/// Returns the refreshes of a token whose successor was stored already. It was, if it was used for a refresh itself: an answer
/// that was lost is used for nothing.
pub(crate) fn refreshed_although_replaced(refreshes: &[Refresh]) -> Vec<Refresh> {
    let used: HashSet<u64> = refreshes.iter().map(|&(token, ..)| token).collect();
    let mut replaced = HashSet::new();
    let mut twice = Vec::new();
    for &(token, successor, is_whole) in refreshes {
        if replaced.contains(&token) {
            twice.push((token, successor, is_whole));
        }
        if successor.is_some_and(|successor| used.contains(&successor)) {
            replaced.insert(token);
        }
    }
    twice
}

/// Counts the whole answers to the refreshes of one account that were not used for the next one.
pub(crate) fn lost_answers(refreshes: &[Refresh]) -> usize {
    let is_lost = |pair: &&[Refresh]| pair[0].2 && pair[0].1 != Some(pair[1].0);
    refreshes.windows(2).filter(is_lost).count()
}

#[actix_web::test]
async fn a_year_passes_on_sqlite() {
    passes(Database::Sqlite).await;
}

#[actix_web::test]
async fn a_year_passes_on_mongodb() {
    passes(Database::MongoDb).await;
}

#[test]
fn a_token_refreshed_while_its_successor_is_stored_is_found() {
    let refresh = |token, successor| (token, Some(successor), true);
    let lost_answer = [refresh(1, 2), refresh(1, 3), refresh(3, 4)];
    assert_eq!(refreshed_although_replaced(&lost_answer), []);
    assert_eq!(lost_answers(&lost_answer), 1);
    let twice = [refresh(1, 2), refresh(1, 3), refresh(2, 4)];
    assert_eq!(refreshed_although_replaced(&twice), [twice[1]]);
}
