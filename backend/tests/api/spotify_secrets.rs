//! What others may see of Spotify's tokens: nothing. And what they may see: events, webhooks, metrics.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use spotify_simulator::{Consent, Endpoint, Fault, Options, Rotation, Times, accounts};
use token_vault::{Context, Keyring, Vault};

use crate::support::callers::{INTEGRATIONS, USERS};
use crate::support::metrics::{METRICS, read, scrape};
use crate::support::receiver::Receiver;
use crate::support::{
    Both, KEYS, OFTEN, PASSWORD, Process, SPOTIFY_SECRET, client, query_of, spotify, spotify_variables,
};

const OLD: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "b:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// Opens what a column holds of the one connection, sealed for this purpose.
fn opened(
    database: &rusqlite::Connection,
    table: &str,
    column: &str,
    purpose: &str,
    subject: &str,
) -> String {
    let sealed: String =
        database.query_row(&format!("SELECT {column} FROM {table}"), [], |row| row.get(0)).unwrap();
    let vault = Vault::new(Keyring::parse(KEYS).unwrap());
    let opened = vault.open(&sealed, &Context { purpose, subject });
    String::from_utf8(opened.unwrap_or_else(|error| panic!("{purpose}: {error}")).to_vec()).unwrap()
}

/// Everything that must be seen nowhere, as it comes to be.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, text: String) {
        assert!(text.len() >= 20, "a {what} of nothing: {text}");
        self.0.push((what, text));
    }

    /// The tokens that are stored now.
    fn add_stored(&mut self, database: &rusqlite::Connection) {
        let account = "aB3dE5fG7h";
        let of = |column, purpose| opened(database, "spotify_connections", column, purpose, account);
        self.add("access token", of("access_token", "spotify accessToken"));
        self.add("refresh token", of("refresh_token", "spotify refreshToken"));
    }
}

#[actix_web::test]
async fn no_token_secret_verifier_or_code_is_in_answers_logs_or_the_database() {
    let (folder, spotify) = (tempfile::tempdir().unwrap(), spotify());
    let of_spotify = spotify_variables(&spotify);
    let file = folder.path().join("test.db");
    let url = format!("sqlite:{}", file.display());
    let mut variables = vec![("RUST_LOG", "trace"), ("DATABASE_URL", &url), ("TOKEN_ENCRYPTION_KEYS", KEYS)];
    variables.extend([("RATE_LIMITS", "off"), METRICS]);
    variables.extend(of_spotify.iter().map(|(name, value)| (*name, value.as_str())));
    let process = Process::start(&folder, &variables);
    let database = rusqlite::Connection::open(&file).unwrap();
    let (client, mut seen, mut canaries) = (client(), String::new(), Canaries::default());
    canaries.add("client secret", SPOTIFY_SECRET.to_owned());
    let mut ask = async |method: Method, path: &str, body: Value| -> Value {
        let request =
            client.request(method, format!("{}{path}", process.url)).header("accept", "application/json");
        let request = if body.is_null() { request } else { request.json(&body) };
        let text = request.send().await.unwrap().text().await.unwrap();
        seen.push_str(&text);
        serde_json::from_str(&text).unwrap_or_default()
    };
    let user = ask(Method::POST, USERS, json!({"email": "ada@example.com", "password": PASSWORD})).await;
    let user = user["user"]["id"].as_str().unwrap().to_owned();
    let mine = format!("{INTEGRATIONS}/spotify/me");
    // Once through every kind of failure, then to the end.
    let failures = [Fault::Html, Fault::Truncated, Fault::Reset, Fault::WrongJson, Fault::Empty];
    for fault in failures.into_iter().map(Some).chain([None]) {
        let login = ask(Method::GET, "/auth/spotify/login", Value::Null).await;
        let sealed_for = ("oauth_states", "sealed_verifier", "codeVerifier");
        canaries.add("verifier", opened(&database, sealed_for.0, sealed_for.1, sealed_for.2, &user));
        let back = spotify.consent(login["authUrl"].as_str().unwrap(), Consent::allow(accounts::LISTENER));
        let code =
            Url::parse(&back).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        canaries.add("code", code);
        if let Some(fault) = fault {
            spotify.fault(Endpoint::CodeExchange, fault, Times::ONCE);
        }
        let mut body =
            ask(Method::GET, &format!("/auth/spotify/callback?{}", query_of(&back)), Value::Null).await;
        body["userId"] = user.clone().into();
        ask(Method::POST, &format!("{INTEGRATIONS}/spotify/callback"), body).await;
    }
    canaries.add_stored(&database);
    spotify.set_options(Options { rotation: Rotation::OnOldDies, ..Options::default() });
    let faults =
        [Fault::Html, Fault::invalid_grant(), Fault::WrongJson, Fault::RateLimited { retry_after: Some(1) }];
    for fault in faults.into_iter().map(Some).chain([None]) {
        if let Some(fault) = fault {
            spotify.fault(Endpoint::Any, fault, Times::ONCE);
        }
        ask(Method::POST, &format!("{mine}/refresh"), json!({})).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for path in ["refresh", "sync"] {
        ask(Method::POST, &format!("{mine}/{path}"), json!({})).await;
    }
    canaries.add_stored(&database);
    for path in ["", "/proxy/me", "/proxy/me/playlists", "/events", "/history", "/connections"] {
        ask(Method::GET, &format!("{mine}{path}"), Value::Null).await;
    }
    spotify.fault(Endpoint::Api, Fault::Truncated, Times::ONCE);
    ask(Method::GET, &format!("{mine}/proxy/me/playlists"), Value::Null).await;
    let overview = ask(Method::GET, INTEGRATIONS, Value::Null).await;
    assert_eq!(overview["integrations"][1]["connections"][0]["username"], accounts::LISTENER, "{overview}");

    let tokens: Vec<_> =
        canaries.0.iter().filter(|(what, _)| what.ends_with("token")).map(|(_, text)| text).collect();
    assert!(tokens.len() == 4 && tokens[0] != tokens[2] && tokens[1] != tokens[3], "both were made anew");
    let logged = process.output.lock().unwrap().clone();
    let mut stored = String::new();
    for name in ["test.db", "test.db-wal"] {
        stored
            .push_str(&String::from_utf8_lossy(&std::fs::read(folder.path().join(name)).unwrap_or_default()));
    }
    assert!(logged.contains("/auth/spotify/callback") && stored.contains("aB3dE5fG7h"), "the right places");
    for (what, secret) in &canaries.0 {
        for (place, text) in [("the log", &logged), ("an answer", &seen), ("the database", &stored)] {
            assert!(!text.contains(secret.as_str()), "a {what} is in {place}");
        }
    }
    assert!(!logged.contains("code=") && !logged.contains("state="), "no query is logged");
}

#[actix_web::test]
async fn a_token_that_is_moved_to_another_place_does_not_open() {
    let (both, ada) = Both::connected().await;
    let bob = both.with_user("bob").await;
    both.connect_spotify(&bob, accounts::UNNAMED).await;
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let moved =
        "UPDATE spotify_connections SET refresh_token = (SELECT refresh_token FROM spotify_connections
        WHERE user_id = ?1) WHERE user_id = ?2";
    assert_eq!(database.execute(moved, (&ada.id, &bob.id)).unwrap(), 1);
    let swapped = "UPDATE spotify_connections SET refresh_token = access_token WHERE user_id = ?1";
    assert_eq!(database.execute(swapped, [&ada.id]).unwrap(), 1);
    for person in [&ada, &bob] {
        assert_eq!(person.spotify().shown().await["status"], "needs_reauthorization");
        assert_eq!(person.spotify().refresh().await.failure(), "409 needs_reauthorization");
    }
    assert_eq!(both.refreshes(), 0);
}

/// An access token that is lost is made anew: nobody has to connect again.
#[actix_web::test]
async fn an_access_token_that_does_not_open_is_made_anew() {
    let (both, ada) = Both::connected().await;
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    assert_eq!(
        database.execute("UPDATE spotify_connections SET access_token = 'v1.gone.AAAA'", []).unwrap(),
        1
    );
    assert_eq!(ada.spotify().shown().await["status"], "active");
    assert_eq!(ada.spotify().proxy("me").await.status, 200);
    assert_eq!(both.refreshes(), 1);
}

/// Waits until the sealed tokens of the one connection begin so.
async fn sealed_with(both: &Both, key: &str) {
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let sealed =
        "SELECT count(*) FROM spotify_connections WHERE access_token GLOB ?1 AND refresh_token GLOB ?1";
    for _ in 0..100 {
        let pattern = format!("v1.{key}.*");
        if database.query_row(sealed, [pattern], |row| row.get::<_, i64>(0)).unwrap() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not sealed with {key} yet");
}

#[actix_web::test]
async fn the_encryption_key_is_changed_under_both_tokens() {
    let (both, _) = Both::connected_with(&[OFTEN, ("TOKEN_ENCRYPTION_KEYS", OLD)]).await;
    sealed_with(&both, "a").await;
    let keys = format!("{NEW},{OLD}");
    let both = both.restart_with(&[OFTEN, ("TOKEN_ENCRYPTION_KEYS", &keys)]);
    sealed_with(&both, "b").await;
    let both = both.restart_with(&[OFTEN, ("TOKEN_ENCRYPTION_KEYS", NEW)]);
    let ada = both.signed_in("ada").await;
    assert_eq!(ada.spotify().proxy("me").await.status, 200, "the access token opens");
    assert_eq!(both.refreshes(), 0);
    assert_eq!(ada.spotify().refresh().await.status, 200, "and the refresh token");
    assert_eq!(ada.spotify().shown().await["status"], "active");
}

#[actix_web::test]
async fn the_host_is_told_of_each_change_with_its_provider() {
    let receiver = Receiver::start();
    let mut variables = receiver.variables().to_vec();
    variables.push(("REFRESH_POLL_SECONDS", "3600"));
    let both = Both::start_with(&variables);
    let ada = both.with_user("ada").await;
    let saved = both.connect_spotify(&ada, accounts::LISTENER).await;
    receiver.wait_for(1).await;
    // A token that is made every hour is no news, and neither is a refusal that is not believed yet.
    both.pass(Duration::from_secs(7200));
    assert_eq!(ada.spotify().proxy("me").await.status, 200);
    both.spotify.revoke(accounts::LISTENER);
    assert_eq!(ada.spotify().refresh().await.failure(), "502 upstream_error");
    both.pass(Duration::from_secs(3660));
    for _ in 0..2 {
        assert_eq!(ada.spotify().refresh().await.failure(), "409 needs_reauthorization");
    }
    receiver.wait_for(2).await;
    assert_eq!(ada.spotify().disconnect().await.status, 200);
    receiver.wait_for(3).await;
    let expected = ["created", "needs_reauthorization", "disconnected"];
    assert_eq!(receiver.settled().await, expected.map(|what| format!("connection.{what}")));
    let data = json!({
        "connectionId": saved.body["connection"]["id"], "userId": ada.id, "userKind": "local",
        "provider": "spotify", "spotifyUserId": "aB3dE5fG7h",
    });
    assert!(receiver.got().iter().all(|message| message.body["data"] == data), "{:?}", receiver.got());
}

#[actix_web::test]
async fn instagrams_webhooks_name_their_provider_too() {
    let receiver = Receiver::start();
    let both = Both::start_with(&receiver.variables());
    let ada = both.with_user("ada").await;
    both.connect(&ada, instagram_simulator::accounts::RECORD_SHOP).await;
    let created = receiver.wait_for(1).await.remove(0);
    assert_eq!(created.body["data"]["provider"], "instagram");
    assert_eq!(created.body["data"]["instagramUserId"], "17841400000000000");
    assert_eq!(created.body["data"].get("spotifyUserId"), None);
}

#[actix_web::test]
async fn events_are_told_in_words_of_spotifys() {
    let (both, ada) = Both::connected().await;
    ada.spotify().refresh().await;
    ada.spotify().sync().await;
    let program = both.with_key(&ada.personal_key(&["tokens:read"]).await);
    program.spotify().token().await;
    let events = ada.spotify().events("").await;
    let messages: Vec<_> = events.body["events"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "wizzler was connected.",
            "Spotify renewed the access.",
            "The profile was read from Spotify.",
            "The API key “mine” was given Spotify's access.",
        ]
    );
}

#[actix_web::test]
async fn metrics_tell_the_providers_apart_and_name_nobody() {
    let (both, ada) = Both::connected_with(&[METRICS, ("REFRESH_POLL_SECONDS", "3600")]).await;
    both.connect(&ada, instagram_simulator::accounts::RECORD_SHOP).await;
    assert_eq!(ada.spotify().refresh().await.status, 200);
    for fault in [Fault::Html, Fault::invalid_grant()] {
        both.spotify.fault(Endpoint::Refresh, fault, Times::ONCE);
        assert_eq!(ada.spotify().refresh().await.status, 502);
    }
    assert_eq!(ada.spotify().sync().await.status, 200);
    assert_eq!(ada.spotify().proxy("me/playlists").await.status, 200);
    both.spotify.fault(Endpoint::Profile, Fault::quota_exceeded(), Times::ONCE);
    assert_eq!(ada.spotify().sync().await.status, 429);
    let text = scrape(&both).await;
    let of = |provider: &str, rest: &str| format!("provider=\"{provider}\",{rest}");
    let call = |provider: &str, endpoint: &str, outcome: &str| {
        format!(
            "upstream_requests_total{{{}}}",
            of(provider, &format!("endpoint=\"{endpoint}\",outcome=\"{outcome}\""))
        )
    };
    let outcome = |name: &str, provider: &str, outcome: &str| {
        format!("{name}_total{{{}}}", of(provider, &format!("outcome=\"{outcome}\"")))
    };
    for (name, expected) in [
        (outcome("refreshes", "spotify", "refreshed"), 1.0),
        (outcome("refreshes", "spotify", "rescheduled"), 2.0),
        (outcome("refreshes", "spotify", "dead"), 0.0),
        (outcome("refreshes", "instagram", "refreshed"), 0.0),
        (outcome("syncs", "spotify", "synced"), 1.0),
        (outcome("syncs", "spotify", "rate_limited"), 1.0),
        (outcome("syncs", "instagram", "synced"), 0.0),
        (call("spotify", "code_exchange", "ok"), 1.0),
        (call("spotify", "refresh", "ok"), 1.0),
        (call("spotify", "refresh", "needs_reauthorization"), 1.0),
        (call("spotify", "api", "ok"), 1.0),
        (call("spotify", "profile", "rate_limited"), 1.0),
        (call("instagram", "code_exchange", "ok"), 1.0),
    ] {
        assert_eq!(read(&text, &name), Some(expected), "{name} in {text}");
    }
    for name in [ada.id.as_str(), "aB3dE5fG7h", accounts::LISTENER, SPOTIFY_SECRET] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
}
