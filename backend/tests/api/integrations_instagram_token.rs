//! `/api/integrations/instagram/{userId}/token`.

use std::time::Duration;

use backend::clock::Clock;
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::{INSTAGRAM, MY_INSTAGRAM};
use crate::support::{Answer, DAY, Person, TestApp};

/// The answer's body, which alone of all may hold a token.
async fn token(program: &Person) -> Value {
    let response = program.request(Method::GET, &format!("{MY_INSTAGRAM}/token")).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    response.json().await.unwrap()
}

/// The messages of the events of this kind, the newest first.
async fn messages(person: &Person, kind: &str) -> Vec<String> {
    let events = person.events().await.into_iter().filter(|event| event["type"] == kind);
    events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

/// Moves the clock to the beginning of a minute, so that what follows at once is in the same one.
fn begin_a_minute(app: &TestApp) {
    let into_it = app.clock.now().as_second().rem_euclid(60).unsigned_abs();
    app.clock.advance(Duration::from_secs(60 - into_it));
}

#[actix_web::test]
async fn a_program_is_given_the_live_token_and_that_is_an_event_once_a_minute() {
    let (app, ada) = TestApp::connected().await;
    let program = app.with_key(&ada.personal_key(&["tokens:read"]).await);
    let other = app.with_key(&ada.personal_key(&["tokens:read"]).await);
    begin_a_minute(&app);
    let given = token(&program).await;
    let text = given["accessToken"].as_str().unwrap();
    let me = format!("{}/v25.0/me?fields=username", app.instagram.graph_url());
    let profile: Value =
        crate::support::client().get(me).bearer_auth(text).send().await.unwrap().json().await.unwrap();
    assert_eq!(profile["username"], accounts::RECORD_SHOP, "Instagram takes it");
    let connection = ada.connection().await.body["connection"].clone();
    assert_eq!(
        given,
        json!({
            "ok": true, "accessToken": text, "tokenType": "bearer", "expiresAt": connection["expiresAt"],
            "instagramUserId": "17841400000000000", "scopes": connection["scopes"],
        })
    );
    for _ in 0..3 {
        assert_eq!(token(&program).await, given);
    }
    let said = "The API key “mine” was given Instagram's access.";
    assert_eq!(messages(&ada, "token_read").await, [said]);
    token(&other).await;
    assert_eq!(messages(&ada, "token_read").await, [said, said], "another key is another event");
    app.clock.advance(Duration::from_secs(60));
    token(&program).await;
    assert_eq!(messages(&ada, "token_read").await, [said, said, said], "and so is another minute");
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 0, "there are weeks left");
}

#[actix_web::test]
async fn a_token_is_given_sixty_times_an_hour_to_each_key_for_each_user() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "0.1")]);
    let key = app.service_key(&["tokens:read"]);
    let program = app.with_key(&key);
    let of = |user: &str| format!("{INSTAGRAM}/{user}/token");
    for _ in 0..6 {
        assert_eq!(program.get(&of("user-1")).await.failure(), "404 not_connected");
    }
    let refused = program.get(&of("user-1")).await;
    assert_eq!(refused.failure(), "429 rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"token\";q=6;w=3600");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 3500);
    assert_eq!(program.get(&of("user-2")).await.failure(), "404 not_connected", "another user");
    let other = app.with_key(&app.service_key(&["tokens:read"]));
    assert_eq!(other.get(&of("user-1")).await.failure(), "404 not_connected", "another key");
    // Counted for all backends together.
    let beside = app.another(&[("RATE_LIMITS", "0.1")]);
    let request = crate::support::client().get(format!("{}{}", beside.url, of("user-1"))).bearer_auth(key);
    assert_eq!(Answer::of(request).await.failure(), "429 rate_limited");
}

#[actix_web::test]
async fn nobody_without_the_scope_is_given_a_token() {
    let (app, ada) = TestApp::connected().await;
    assert_eq!(ada.instagram().token().await.failure(), "403 forbidden", "a session never is");
    let others = ["connections:read", "connections:write", "content:publish", "messages:manage"];
    let program = app.with_key(&ada.personal_key(&others).await);
    assert_eq!(program.instagram().token().await.failure(), "403 forbidden");
    let host = app.with_key(&app.service_key(&["tokens:read"]));
    assert_eq!(
        host.instagram_of(&ada.id).token().await.failure(),
        "404 not_connected",
        "the host's user of that id"
    );
    assert_eq!(messages(&ada, "token_read").await, [""; 0]);
}

#[actix_web::test]
async fn a_token_that_ends_soon_is_renewed_first() {
    let app = TestApp::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let ada = app.with_connection().await;
    let program = app.with_key(&ada.personal_key(&["tokens:read"]).await);
    let first = token(&program).await;
    app.clock.advance(51 * DAY);
    app.instagram.advance(51 * DAY);
    // A failure that leaves the token alive is none of the program's.
    app.instagram.fault(Endpoint::Refresh, Fault::ServerError { status: 503 }, Times::ONCE);
    assert_eq!(token(&program).await, first);
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 1);
    let renewed = token(&program).await;
    assert_ne!(renewed["accessToken"], first["accessToken"]);
    assert!(renewed["expiresAt"].as_str() > first["expiresAt"].as_str());
    assert_eq!(token(&program).await, renewed, "and not again");
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 2);
}

#[actix_web::test]
async fn a_renewal_that_goes_on_failing_is_told_once_and_not_tried_without_end() {
    let app = TestApp::start_with(&[("REFRESH_POLL_SECONDS", "3600"), ("RATE_LIMITS", "0.1")]);
    let ada = app.with_connection().await;
    let program = app.with_key(&ada.personal_key(&["tokens:read"]).await);
    app.clock.advance(51 * DAY);
    app.instagram.advance(51 * DAY);
    app.instagram.fault(Endpoint::Refresh, Fault::ServerError { status: 503 }, Times::Forever);
    let first = token(&program).await;
    for _ in 0..4 {
        assert_eq!(token(&program).await, first);
    }
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 2, "as often as an owner may ask");
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let told = "SELECT count(*) FROM connection_events WHERE kind = 'refresh_failed'";
    assert_eq!(database.query_row(told, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[actix_web::test]
async fn a_dead_token_is_not_given() {
    let app = TestApp::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let ada = app.with_user("ada").await;
    let program = app.with_key(&ada.personal_key(&["tokens:read", "connections:read"]).await);
    assert_eq!(program.instagram().token().await.failure(), "404 not_connected");
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.clock.advance(51 * DAY);
    app.instagram.advance(51 * DAY);
    app.instagram.revoke(accounts::RECORD_SHOP, 458);
    // Instagram says so when it is asked to renew it; after that nobody asks.
    assert_eq!(program.instagram().token().await.failure(), "409 needs_reauthorization");
    assert_eq!(program.instagram().token().await.failure(), "409 needs_reauthorization");
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 1);
    // By now the session has ended.
    assert_eq!(messages(&program, "token_read").await, [""; 0]);
}

#[actix_web::test]
async fn without_its_event_no_token_is_given() {
    let (app, ada) = TestApp::connected().await;
    let program = app.with_key(&ada.personal_key(&["tokens:read"]).await);
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let failing =
        "CREATE TRIGGER broken BEFORE INSERT ON connection_events BEGIN SELECT RAISE(FAIL, 'no'); END";
    database.execute_batch(failing).unwrap();
    assert_eq!(program.instagram().token().await.failure(), "500 internal");
    database.execute_batch("DROP TRIGGER broken").unwrap();
    assert!(token(&program).await["accessToken"].is_string());
    assert_eq!(messages(&ada, "token_read").await.len(), 1);
}
