//! What may be lost at Spotify, and what may not: a process that dies amid a refresh, and an outage that calls good tokens dead.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use spotify_simulator::{Consent, Endpoint, Fault, Options, Rotation, Times, accounts};

use crate::support::{
    Both, HOUR, KEYS, Person, Process, client, instagram_variables, query_of, spotify_variables, until,
};

/// Starts the program beside a service, on the same database.
fn process(both: &Both, changes: &[(&str, &str)]) -> Process {
    let database = format!("sqlite:{}", both.database_file().display());
    let (of_instagram, of_spotify) = (instagram_variables(&both.instagram), spotify_variables(&both.spotify));
    let mut variables = vec![("DATABASE_URL", database.as_str()), ("RATE_LIMITS", "off")];
    variables.extend(of_instagram.iter().chain(&of_spotify).map(|(name, value)| (*name, value.as_str())));
    variables.extend_from_slice(changes);
    Process::start(&both.folder, &variables)
}

/// Kills a process between Spotify's answer to a refresh and the write.
async fn killed_amid_a_refresh(both: &Both, ada: &Person) {
    let mut process = process(both, &[("REFRESH_POLL_SECONDS", "3600")]);
    let key = ada.personal_key(&["connections:write"]).await;
    both.spotify.clear_refreshes();
    both.spotify.fault(Endpoint::Refresh, Fault::Delay { ms: 800 }, Times::ONCE);
    let url = format!("{}/api/integrations/spotify/me/refresh", process.url);
    let asked =
        client().request(Method::POST, url).bearer_auth(key).header("accept", "application/json").send();
    let kill = async {
        while both.spotify.refreshes().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let database = rusqlite::Connection::open(both.database_file()).unwrap();
        database.busy_timeout(Duration::from_secs(5)).unwrap();
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        // The answer has come, and waits for the database.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        database.execute_batch("ROLLBACK").unwrap();
    };
    let (answer, ()) = tokio::join!(asked, kill);
    assert!(answer.is_err(), "the process died before it could answer");
    let refreshes = both.spotify.refreshes();
    assert_eq!(refreshes.len(), 1);
    assert!(refreshes[0].access_token.is_some(), "Spotify did its work: {refreshes:?}");
    // The lease of a process that died ends by itself.
    both.pass(Duration::from_secs(600));
}

#[actix_web::test]
async fn a_process_that_dies_amid_a_refresh_loses_nothing_while_the_old_token_lives() {
    for rotation in [Rotation::Off, Rotation::On] {
        let (both, ada) = Both::connected().await;
        both.spotify.set_options(Options { rotation, ..Options::default() });
        killed_amid_a_refresh(&both, &ada).await;
        assert_eq!(ada.spotify().refresh().await.status, 200, "{rotation:?}");
        let connection = ada.spotify().shown().await;
        assert_eq!((&connection["status"], &connection["lastError"]), (&json!("active"), &Value::Null));
        assert_eq!(ada.spotify().event_types().await, ["connected", "refreshed"], "{rotation:?}");
    }
}

/// The one loss that cannot be avoided: the new token was never stored, and the old one is dead.
#[actix_web::test]
async fn a_token_that_dies_with_its_process_is_told_and_no_other() {
    let (both, ada) = Both::connected().await;
    let bob = both.with_user("bob").await;
    both.connect_spotify(&bob, accounts::UNNAMED).await;
    both.spotify.set_options(Options { rotation: Rotation::OnOldDies, ..Options::default() });
    killed_amid_a_refresh(&both, &ada).await;
    assert_eq!(ada.spotify().refresh().await.failure(), "502 upstream_error");
    assert_eq!(ada.spotify().shown().await["status"], "active", "it may be an outage");
    both.pass(HOUR + Duration::from_secs(60));
    assert_eq!(ada.spotify().refresh().await.failure(), "409 needs_reauthorization");
    let lost = ada.spotify().shown().await;
    assert_eq!(lost["status"], "needs_reauthorization");
    assert_eq!(lost["lastError"], "Spotify no longer accepts our access to this account.");
    let told = ["connected", "refresh_failed", "needs_reauthorization"];
    assert_eq!(ada.spotify().event_types().await, told);
    for _ in 0..2 {
        assert_eq!(bob.spotify().refresh().await.status, 200);
    }
    let again = both.connect_spotify(&ada, accounts::LISTENER).await;
    assert_eq!(again.body["connection"]["id"], lost["id"], "{again}");
    assert_eq!(ada.spotify().refresh().await.status, 200);
}

/// Connects so many listeners, each of a user of the host's.
async fn connect_many(both: &Both, host: &Person, count: usize) {
    for first in (0..count).step_by(8) {
        let connect = async |number: usize| {
            let (account, user) = (format!("listener.{number:04}"), format!("user-{number:04}"));
            both.spotify.add_account(&account);
            let auth_url = host.spotify().auth_url(&format!("userId={user}")).await;
            let back = both.spotify.consent(&auth_url, Consent::allow(&account));
            let exchanged = host.spotify().callback(&format!("{}&userId={user}", query_of(&back))).await;
            let mut body = host.save_body(&exchanged.body);
            body["userId"] = user.into();
            let saved = host.post("/api/integrations/spotify/callback", body).await;
            assert_eq!(saved.status, 200, "{saved}");
        };
        futures_util::future::join_all((first..count.min(first + 8)).map(connect)).await;
    }
}

/// The connections of all users of the host.
async fn all(host: &Person) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.connections(&format!("limit=100{cursor}")).await;
        all.extend(page.body["connections"].as_array().unwrap().iter().cloned());
        let Some(next) = page.body["nextCursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// Another service lost most of its users' connections in such an outage (`spotify-api.md` §3).
#[actix_web::test]
async fn an_outage_that_calls_a_thousand_good_tokens_dead_costs_none_and_is_one_alarm() {
    const COUNT: usize = 1000;
    let both = Both::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let host = both.with_key(&both.service_key(&["connections:read", "connections:write"]));
    connect_many(&both, &host, COUNT).await;
    both.spotify.fault(Endpoint::Refresh, Fault::invalid_grant(), Times::Forever);
    // All at once. The processes that the operator runs have no clock that a test moves.
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let due = "UPDATE spotify_connections SET refresh_at = token_issued_at";
    assert_eq!(database.execute(due, []).unwrap(), COUNT);
    let (mut process, begun) =
        (process(&both, &[("REFRESH_POLL_SECONDS", "1"), ("TOKEN_ENCRYPTION_KEYS", KEYS)]), Instant::now());
    while both.refreshes() < COUNT as u64 {
        assert!(begun.elapsed() < Duration::from_secs(120), "{} of them were asked about", both.refreshes());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Nothing is asked again meanwhile.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(both.refreshes(), COUNT as u64);
    let minutes = begun.elapsed().as_secs() / 60;
    let alarms = process.lines_at_the_end("the provider refuses tokens");
    assert_eq!(alarms.len() as u64, 1 + minutes, "one a minute");
    assert!(
        alarms.iter().all(|line| line["level"] == "ERROR" && line["provider"] == "spotify"),
        "{alarms:?}"
    );
    let connections = all(&host).await;
    assert_eq!(connections.len(), COUNT);
    assert!(connections.iter().all(|one| one["status"] == "active" && one["lastError"].is_string()));

    // Half an hour later it is over. After an hour all are asked about again, by a service that has the clock of a test.
    let both = both.restart_with(&[("REFRESH_POLL_SECONDS", "1"), ("SYNC_INTERVAL_HOURS", "720")]);
    both.pass(HOUR / 2);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(both.refreshes(), COUNT as u64, "not before");
    both.spotify.clear_faults();
    both.pass(HOUR / 2 + Duration::from_secs(60));
    let host = both.with_key(&both.service_key(&["connections:read"]));
    for _ in 0..600 {
        if both.refreshes() >= 2 * COUNT as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(both.refreshes(), 2 * COUNT as u64);
    let healed = all(&host).await;
    let is_well = |one: &&Value| one["status"] == "active" && one["lastError"].is_null();
    assert_eq!(healed.iter().filter(is_well).count(), COUNT, "none is lost");
}

/// Tells a fault of the app once for all connections, and it costs none.
#[actix_web::test]
async fn what_is_wrong_with_the_app_is_one_line_and_not_one_for_each_connection() {
    const COUNT: usize = 30;
    let both = Both::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let host = both.with_key(&both.service_key(&["connections:read", "connections:write"]));
    connect_many(&both, &host, COUNT).await;
    let premium = Options { owner_premium: false, ..Options::default() };
    let without = [("SPOTIFY_CLIENT_SECRET", "another-secret"), ("SYNC_INTERVAL_HOURS", "6")];
    for (changes, options) in [(&without[..1], Options::default()), (&without[1..], premium)] {
        both.spotify.set_options(options.clone());
        both.spotify.reset_requests();
        let database = rusqlite::Connection::open(both.database_file()).unwrap();
        let due = "UPDATE spotify_connections SET refresh_at = token_issued_at, refresh_not_before = NULL, last_synced_at = 0";
        database.execute(due, []).unwrap();
        let mut process = process(&both, &[changes, &[("REFRESH_POLL_SECONDS", "1")]].concat());
        let asked = || {
            if options.owner_premium { both.refreshes() } else { both.spotify.requests(Endpoint::Profile) }
        };
        until("all were asked about", async || asked() >= COUNT as u64).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let lines = process.lines_at_the_end("the provider refuses the app");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((&lines[0]["level"], &lines[0]["provider"]), (&json!("ERROR"), &json!("spotify")));
        assert!(all(&host).await.iter().all(|one| one["status"] == "active"));
    }
}
