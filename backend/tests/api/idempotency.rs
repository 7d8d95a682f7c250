//! `Idempotency-Key`, on every route that has it.

use std::time::Duration;

use connection_store::test_support::MongoServer;
use instagram_simulator::{Consent, Endpoint, Fault, Times, accounts};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::{API_KEYS, SAVE, SESSIONS, USERS, proxied};
use crate::support::{Answer, PASSWORD, Person, TestApp};

async fn post(person: &Person, path: &str, key: &str, body: &Value) -> Answer {
    Answer::of(person.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}

/// Asks twice, and expects the first answer again; with another body, a refusal.
async fn is_answered_once(person: &Person, path: &str, body: &Value, other: &Value) -> Answer {
    let first = post(person, path, "k1", body).await;
    assert!(matches!(first.status, 200 | 201), "{first}");
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = post(person, path, "k1", body).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(again.header("cache-control"), "no-store");
    let different = post(person, path, "k1", other).await;
    assert_eq!(different.failure(), "422 validation_failed");
    assert!(different.body["fields"]["Idempotency-Key"].is_string(), "{different}");
    first
}

#[actix_web::test]
async fn a_repeated_request_is_carried_out_once() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let keys = |name: &str| json!({"name": name, "scopes": ["connections:read"], "password": PASSWORD});
    let first = is_answered_once(&ada, API_KEYS, &keys("a"), &keys("b")).await;
    assert!(first.body["key"].is_string(), "the key itself is shown again: its answer may have been lost");
    assert_eq!(ada.api_keys().await.body["apiKeys"].as_array().unwrap().len(), 1);
    let stored = std::fs::read(app.database_file()).unwrap();
    let secret = &first.body["key"].as_str().unwrap()[13..];
    assert!(!String::from_utf8_lossy(&stored).contains(secret), "what is kept is sealed");

    let host = app.with_key(&app.service_key(&["sessions:create"]));
    is_answered_once(&host, SESSIONS, &json!({"userId": "a"}), &json!({"userId": "b"})).await;

    let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    let save = ada.save_body(&exchanged.body);
    let mut other = save.clone();
    other["expires_in"] = json!(1);
    is_answered_once(&ada, SAVE, &save, &other).await;

    let image = |name: &str| json!({"image_url": format!("https://wreckshop.com/{name}.jpg")});
    let asked = app.instagram.requests(Endpoint::Graph);
    is_answered_once(&ada, &proxied("me/media"), &image("a"), &image("b")).await;
    assert_eq!(app.instagram.requests(Endpoint::Graph), asked + 1);
    let elsewhere = post(&ada, &proxied("me/media_publish"), "k1", &image("a")).await;
    assert_eq!(elsewhere.failure(), "422 validation_failed", "another path is another request");
}

#[actix_web::test]
async fn a_repeated_request_is_carried_out_once_on_mongodb() {
    let server = MongoServer::shared();
    let app = TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())]);
    let ada = app.with_user("ada").await;
    let keys = |name: &str| json!({"name": name, "scopes": ["connections:read"], "password": PASSWORD});
    is_answered_once(&ada, API_KEYS, &keys("a"), &keys("b")).await;
    assert_eq!(ada.api_keys().await.body["apiKeys"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_key_belongs_to_its_caller_and_ends_after_a_day() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let body = json!({"name": "a", "scopes": ["connections:read"], "password": PASSWORD});
    let of_ada = post(&ada, API_KEYS, "k1", &body).await;
    let of_bob = post(&bob, API_KEYS, "k1", &body).await;
    assert_eq!((of_bob.status, of_bob.header("idempotent-replayed")), (201, ""));
    assert_ne!(of_bob.body["key"], of_ada.body["key"]);
    // The same person at another browser is the same caller.
    let elsewhere = app.anonymous();
    elsewhere.sign_in("ada@example.com", PASSWORD).await;
    assert_eq!(post(&elsewhere, API_KEYS, "k1", &body).await.text, of_ada.text);
    assert_eq!(post(&app.anonymous(), API_KEYS, "k1", &body).await.failure(), "401 unauthenticated");

    app.clock.advance(Duration::from_secs(23 * 3600));
    assert_eq!(post(&ada, API_KEYS, "k1", &body).await.header("idempotent-replayed"), "true");
    app.clock.advance(Duration::from_secs(3601));
    let anew = post(&ada, API_KEYS, "k1", &body).await;
    assert_eq!((anew.status, anew.header("idempotent-replayed")), (201, ""));
    assert_ne!(anew.body["key"], of_ada.body["key"]);
}

fn transient(code: i64) -> Fault {
    let (error_type, message) = ("OAuthException".to_owned(), "Please try again".to_owned());
    Fault::GraphError { code, subcode: None, error_type, message, is_transient: true }
}

#[actix_web::test]
async fn what_was_plainly_refused_is_not_kept() {
    let (app, ada) = TestApp::connected().await;
    let image = json!({"image_url": "https://wreckshop.com/a.jpg"});
    for (fault, expected) in [
        (Fault::graph_error(100, None), "400 invalid_request"),
        (Fault::graph_error(9, 2_207_042), "400 invalid_request"),
        (Fault::graph_error(9007, 2_207_027), "400 invalid_request"),
        (Fault::graph_error(24, 2_207_006), "400 invalid_request"),
        (Fault::graph_error(36_003, 2_207_009), "400 invalid_request"),
        (Fault::graph_error(10, None), "400 access_denied"),
        (Fault::graph_error(200, None), "400 access_denied"),
        (Fault::graph_error(190, 460), "502 upstream_error"),
        (Fault::RateLimited, "429 rate_limited"),
    ] {
        app.instagram.fault(Endpoint::Graph, fault.clone(), Times::ONCE);
        assert_eq!(post(&ada, &proxied("me/media"), "k1", &image).await.failure(), expected, "{fault:?}");
    }
    app.clock.advance(Duration::from_secs(16 * 60));
    let refused = json!({"image_url": "https://x", "access_token": "x"});
    assert_eq!(post(&ada, &proxied("me/media"), "k1", &refused).await.failure(), "400 invalid_request");
    // Nothing was done, so that even another request may have the name.
    let other = json!({"image_url": "https://wreckshop.com/b.jpg"});
    assert_eq!(post(&ada, &proxied("me/media"), "k1", &other).await.status, 200);
}

/// Done again, it could be done twice: an error of Instagram's own comes after the deed, too, and a post that
/// it takes for spam may be live.
#[actix_web::test]
async fn what_may_have_been_done_is_not_done_again() {
    let (app, ada) = TestApp::connected().await;
    let image = json!({"image_url": "https://wreckshop.com/a.jpg"});
    for (fault, expected) in [
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (Fault::Reset, "502 upstream_error"),
        (Fault::Truncated, "502 upstream_error"),
        (Fault::Html, "502 upstream_error"),
        (Fault::Empty, "502 upstream_error"),
        (Fault::ServerError { status: 500 }, "502 upstream_error"),
        (Fault::ServerError { status: 503 }, "502 upstream_error"),
        (Fault::graph_error(1, None), "502 upstream_error"),
        (Fault::graph_error(2, 1_545_133), "502 upstream_error"),
        (Fault::graph_error(-1, 2_207_001), "502 upstream_error"),
        (Fault::graph_error(-2, 2_207_003), "502 upstream_error"),
        (transient(24), "502 upstream_error"),
        (transient(100), "502 upstream_error"),
        (Fault::graph_error(4, 2_207_051), "400 invalid_request"),
        (Fault::graph_error(77_777, None), "400 invalid_request"),
    ] {
        let asked = app.instagram.requests(Endpoint::Graph);
        app.instagram.fault(Endpoint::Graph, fault.clone(), Times::ONCE);
        let key = format!("key-{asked}");
        let first = post(&ada, &proxied("me/media"), &key, &image).await;
        assert_eq!(first.failure(), expected, "{fault:?}");
        assert!(first.body["error"].as_str().unwrap().contains("may have been done"), "{first}");
        let again = post(&ada, &proxied("me/media"), &key, &image).await;
        assert_eq!((again.failure(), &again.body["error"]), (expected.to_owned(), &first.body["error"]));
        assert_eq!(app.instagram.requests(Endpoint::Graph), asked + 1, "{fault:?}");
        let different =
            post(&ada, &proxied("me/media"), &key, &json!({"image_url": "https://wreckshop.com/b.jpg"}))
                .await;
        assert_eq!(different.failure(), "422 validation_failed", "{fault:?}");
    }
}

/// Nothing is sent where no connection comes about.
#[actix_web::test]
async fn what_never_left_is_not_kept() {
    let (app, ada) = TestApp::connected().await;
    let key = ada.personal_key(&["content:publish"]).await;
    let app = app.restart_with(&[("INSTAGRAM_GRAPH_URL", "http://127.0.0.1:9")]);
    let image = json!({"image_url": "https://wreckshop.com/a.jpg"});
    let first = post(&app.with_key(&key), &proxied("me/media"), "k1", &image).await;
    assert_eq!(first.failure(), "502 upstream_error");
    assert_eq!(first.body["error"], "Instagram cannot be reached. Nothing was done.");
    let app = app.restart_with(&[]);
    assert_eq!(post(&app.with_key(&key), &proxied("me/media"), "k1", &image).await.status, 200);
}

#[actix_web::test]
async fn of_many_at_once_one_is_carried_out() {
    let (app, ada) = TestApp::connected().await;
    app.instagram.fault(Endpoint::Graph, Fault::Delay { ms: 700 }, Times::ONCE);
    let asked = app.instagram.requests(Endpoint::Graph);
    let image = json!({"image_url": "https://wreckshop.com/a.jpg"});
    let path = &proxied("me/media");
    let answers = futures_util::future::join_all((0..10).map(|_| post(&ada, path, "k1", &image))).await;
    let (done, running): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    for answer in running {
        assert_eq!((answer.failure(), answer.header("retry-after")), ("503 unavailable".to_owned(), "1"));
    }
    let again = post(&ada, &proxied("me/media"), "k1", &image).await;
    assert_eq!((&again.text, again.header("idempotent-replayed")), (&done[0].text, "true"));
    assert_eq!(app.instagram.requests(Endpoint::Graph), asked + 1);
}

#[actix_web::test]
async fn a_client_that_hung_up_finds_the_answer() {
    let (app, ada) = TestApp::connected().await;
    app.instagram.fault(Endpoint::Graph, Fault::Delay { ms: 600 }, Times::ONCE);
    let asked = app.instagram.requests(Endpoint::Graph);
    let image = json!({"image_url": "https://wreckshop.com/a.jpg"});
    let impatient =
        ada.request(Method::POST, &proxied("me/media")).header("idempotency-key", "k1").json(&image);
    assert!(impatient.timeout(Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    let mut answer = post(&ada, &proxied("me/media"), "k1", &image).await;
    for _ in 0..50 {
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.failure(), "503 unavailable", "it is still being carried out");
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = post(&ada, &proxied("me/media"), "k1", &image).await;
    }
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, "true"));
    assert_eq!(app.instagram.requests(Endpoint::Graph), asked + 1);
}

#[actix_web::test]
async fn a_key_is_one_text_of_visible_ascii() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let body = json!({"name": "a", "scopes": ["connections:read"], "password": PASSWORD});
    for wrong in ["", "a b", "ä", &"k".repeat(256)] {
        assert_eq!(post(&ada, API_KEYS, wrong, &body).await.failure(), "400 invalid_request", "{wrong:?}");
    }
    let two =
        ada.request(Method::POST, API_KEYS).header("idempotency-key", "a").header("idempotency-key", "b");
    assert_eq!(Answer::of(two.json(&body)).await.failure(), "400 invalid_request");
    assert_eq!(ada.api_keys().await.body["apiKeys"], json!([]));
    assert_eq!(post(&ada, API_KEYS, &"~".repeat(255), &body).await.status, 201);
}

/// Whoever guesses the name of somebody's sign-up is not signed in by it: the route takes no names.
#[actix_web::test]
async fn a_sign_up_is_never_given_again() {
    let app = TestApp::start();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    assert_eq!(post(&app.anonymous(), USERS, "k1", &body).await.status, 201);
    let again = post(&app.anonymous(), USERS, "k1", &body).await;
    assert_eq!((again.failure(), again.header("set-cookie")), ("409 email_taken".to_owned(), ""));
}
