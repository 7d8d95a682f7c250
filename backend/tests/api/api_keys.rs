//! `/api/api-keys`, and callers that show a key.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::{API_KEYS, MY_INSTAGRAM, instagram};
use crate::support::{Answer, PASSWORD, TestApp};

const HOUR: Duration = Duration::from_secs(3600);

#[actix_web::test]
async fn a_key_is_shown_once_and_then_known_by_its_hint() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let scopes = ["connections:write", "connections:read", "connections:read"];
    let body = json!({"name": " laptop ", "scopes": scopes, "password": PASSWORD});
    let made = ada.create_key(body).await;
    assert_eq!(made.status, 201, "{made}");
    assert_eq!(made.header("cache-control"), "no-store");
    let key = made.body["key"].as_str().unwrap();
    assert!(key.starts_with("igc_live_") && key.len() == 58, "{} characters", key.len());
    let described = &made.body["apiKey"];
    assert_eq!(described["name"], "laptop");
    assert_eq!(described["scopes"], json!(["connections:read", "connections:write"]), "each once");
    assert_eq!(described["hint"], key[..13]);
    assert_eq!((&described["expiresAt"], &described["lastUsedAt"]), (&Value::Null, &Value::Null));

    let body = json!({"name": "phone", "scopes": ["connections:read"], "password": PASSWORD});
    let second = ada.create_key(body).await;
    let list = ada.api_keys().await;
    assert_eq!(list.body["apiKeys"][0], second.body["apiKey"], "the newest first");
    assert_eq!(list.body["apiKeys"][1], *described);
    assert!(!list.text.contains(key));
    let bob = app.with_user("bob").await;
    assert_eq!(bob.api_keys().await.body["apiKeys"], json!([]));
}

#[actix_web::test]
async fn wrong_values_are_named_by_field() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let read = json!(["connections:read"]);
    let name_101 = "x".repeat(101);
    for (body, field) in [
        (json!({"name": "", "scopes": read}), "name"),
        (json!({"name": "  ", "scopes": read}), "name"),
        (json!({"name": "a\nb", "scopes": read}), "name"),
        (json!({"name": name_101, "scopes": read}), "name"),
        (json!({"name": "a", "scopes": []}), "scopes"),
        (json!({"name": "a", "scopes": ["connections"]}), "scopes"),
        (json!({"name": "a", "scopes": ["connections:read", "sessions:create"]}), "scopes"),
        (json!({"name": "a", "scopes": read, "expiresAt": "tomorrow"}), "expiresAt"),
        (json!({"name": "a", "scopes": read, "expiresAt": "2020-01-01T00:00:00Z"}), "expiresAt"),
        (json!({"name": "a", "scopes": read, "expiresAt": "2199-01-01T00:00:00Z"}), "expiresAt"),
    ] {
        let mut with_password = body.clone();
        with_password["password"] = json!(PASSWORD);
        let answer = ada.create_key(with_password).await;
        assert_eq!(answer.failure(), "422 validation_failed", "{body}");
        let fields: Vec<_> = answer.body["fields"].as_object().unwrap().keys().collect();
        assert_eq!(fields, [field], "{body}");
    }
    assert_eq!(ada.api_keys().await.body["apiKeys"], json!([]), "none was made");
}

/// A session can be stolen, and a key outlives it.
#[actix_web::test]
async fn a_key_is_made_for_the_present_password_only() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let make = async |password: Value| {
        let body = json!({"name": "a", "scopes": ["tokens:read"], "password": password});
        ada.create_key(body).await
    };
    let without = ada.create_key(json!({"name": "a", "scopes": ["tokens:read"]})).await;
    for missing in [without, make(json!("")).await, make(Value::Null).await] {
        assert_eq!(missing.failure(), "422 validation_failed");
        assert_eq!(missing.body["fields"], json!({"password": "Enter your password"}));
    }
    assert_eq!(make(json!("another password")).await.failure(), "401 invalid_credentials");
    assert_eq!(make(json!(["no text"])).await.failure(), "400 invalid_request");
    assert_eq!(ada.api_keys().await.body["apiKeys"], json!([]), "none was made");
    assert_eq!(make(json!(PASSWORD)).await.status, 201);
}

#[actix_web::test]
async fn whoever_guesses_the_password_at_a_new_key_is_slowed_down_as_at_a_sign_in() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "on")]);
    let ada = app.with_user("ada").await;
    let make = async |password: &str| {
        let body = json!({"name": "a", "scopes": ["connections:read"], "password": password});
        ada.create_key(body).await.failure()
    };
    for _ in 0..5 {
        assert_eq!(make("another password").await, "401 invalid_credentials");
    }
    assert_eq!(make(PASSWORD).await, "429 rate_limited");
}

/// Not even the answer that is kept for an `Idempotency-Key` is given without it, and nothing of it is in the database.
#[actix_web::test]
async fn a_key_is_shown_again_for_the_password_only() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let make = async |password: &str| {
        let body = json!({"name": "a", "scopes": ["connections:read"], "password": password});
        let request = ada.request(Method::POST, API_KEYS).header("idempotency-key", "k1");
        Answer::of(request.json(&body)).await
    };
    let first = make(PASSWORD).await;
    assert_eq!(first.status, 201);
    assert_eq!(make("another password").await.failure(), "401 invalid_credentials");
    assert_eq!(make(PASSWORD).await.text, first.text);
}

#[actix_web::test]
async fn a_user_has_at_most_fifty_keys() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for _ in 0..50 {
        ada.personal_key(&["connections:read"]).await;
    }
    let body = json!({"name": "one more", "scopes": ["connections:read"], "password": PASSWORD});
    assert_eq!(ada.create_key(body.clone()).await.failure(), "422 validation_failed");
    let id = ada.api_keys().await.body["apiKeys"][7]["id"].as_str().unwrap().to_owned();
    assert_eq!(ada.revoke_key(&id).await.status, 200);
    assert_eq!(ada.create_key(body).await.status, 201);
}

#[actix_web::test]
async fn a_revoked_key_opens_nothing_from_that_moment() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let bob = app.with_user("bob").await;
    let program = app.with_key(&ada.personal_key(&["connections:read"]).await);
    assert_eq!(program.get(MY_INSTAGRAM).await.failure(), "404 not_connected");
    let id = ada.api_keys().await.body["apiKeys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{API_KEYS}/{id}");
    assert_eq!(bob.delete(&path).await.failure(), "404 not_found", "not his");
    assert_eq!(program.get(MY_INSTAGRAM).await.failure(), "404 not_connected");
    let revoked = ada.delete(&path).await;
    assert_eq!((revoked.status, &revoked.body), (200, &json!({"ok": true})));
    assert_eq!(program.get(MY_INSTAGRAM).await.failure(), "401 unauthenticated");
    assert_eq!(ada.delete(&path).await.failure(), "404 not_found");
}

#[actix_web::test]
async fn a_key_ends_when_it_was_to_end() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
    let body = json!({
        "name": "short", "scopes": ["connections:read"], "expiresAt": end.to_string(), "password": PASSWORD,
    });
    let made = ada.create_key(body).await;
    assert_eq!(made.status, 201, "{made}");
    let program = app.with_key(made.body["key"].as_str().unwrap());
    app.clock.advance(HOUR);
    assert_eq!(program.get(MY_INSTAGRAM).await.failure(), "404 not_connected");
    app.clock.advance(HOUR);
    assert_eq!(program.get(MY_INSTAGRAM).await.failure(), "401 unauthenticated");
    assert_eq!(ada.api_keys().await.body["apiKeys"][0]["name"], "short", "it stays listed");
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_key_the_answer_is_one() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let key = ada.personal_key(&["connections:read"]).await;
    let mut slipped = key.clone();
    slipped.replace_range(20..21, if &key[20..21] == "a" { "b" } else { "a" });
    let unknown = TestApp::start().with_user("bob").await.personal_key(&["connections:read"]).await;
    let mut sentences = Vec::new();
    for wrong in [slipped.as_str(), &unknown, &key[..57], "igc_live_", "nonsense", ""] {
        // The cookie is good, and is not looked at.
        let request =
            ada.request(Method::GET, MY_INSTAGRAM).header("authorization", format!("Bearer {wrong}"));
        let answer = Answer::of(request).await;
        assert_eq!(answer.failure(), "401 unauthenticated", "{wrong}");
        sentences.push(answer.body["error"].clone());
    }
    sentences.dedup();
    assert_eq!(sentences.len(), 1);
    let twice =
        app.with_key(&key).request(Method::GET, MY_INSTAGRAM).header("authorization", "Bearer nonsense");
    assert_eq!(Answer::of(twice).await.failure(), "401 unauthenticated", "one key at a time");
}

#[actix_web::test]
async fn a_key_decides_alone_whatever_the_cookie_says() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let bob = app.with_user("bob").await;
    let key = ada.personal_key(&["connections:read"]).await;
    let path = instagram(&bob.id);
    let with_both = bob.request(Method::GET, &path).header("authorization", format!("bearer {key}"));
    assert_eq!(Answer::of(with_both).await.failure(), "403 forbidden");
    assert_eq!(bob.get(&path).await.failure(), "404 not_connected");
    // No browser sends a key on its own, so where a request comes from says nothing.
    let foreign = app.with_key(&ada.personal_key(&["connections:write"]).await);
    let delete = foreign.request(Method::DELETE, MY_INSTAGRAM).header("origin", "https://elsewhere.example");
    assert_eq!(Answer::of(delete).await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn use_is_recorded_once_a_minute() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let program = app.with_key(&ada.personal_key(&["connections:read"]).await);
    let last_used = async || ada.api_keys().await.body["apiKeys"][0]["lastUsedAt"].clone();
    assert_eq!(last_used().await, Value::Null);
    program.get(MY_INSTAGRAM).await;
    let first = last_used().await;
    assert!(first.is_string());
    app.clock.advance(Duration::from_secs(30));
    program.get(MY_INSTAGRAM).await;
    assert_eq!(last_used().await, first);
    app.clock.advance(Duration::from_secs(30));
    program.get(MY_INSTAGRAM).await;
    assert!(last_used().await.as_str() > first.as_str());
}

#[actix_web::test]
async fn a_key_that_cannot_be_recorded_serves_all_the_same() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let program = app.with_key(&ada.personal_key(&["connections:read"]).await);
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let refuse = "CREATE TRIGGER no_touch BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'no'); END";
    database.execute_batch(refuse).unwrap();
    assert_eq!(program.get(MY_INSTAGRAM).await.failure(), "404 not_connected");
    assert_eq!(ada.api_keys().await.body["apiKeys"][0]["lastUsedAt"], Value::Null);
}

#[actix_web::test]
async fn the_bootstrap_key_is_there_from_the_start_and_alone() {
    const FIRST: &str = "igc_live_000000000000000000000000000000000000000000039CYk9";
    let generated = std::process::Command::new(env!("CARGO_BIN_EXE_instagram-connect"))
        .args(["keys", "generate-service"])
        .output()
        .unwrap();
    let generated = String::from_utf8(generated.stdout).unwrap();
    let second = generated.trim();
    let path = &instagram("user-123");

    let app = TestApp::start_with(&[("BOOTSTRAP_SERVICE_KEY", FIRST)]);
    assert_eq!(app.with_key(FIRST).get(path).await.failure(), "404 not_connected");
    let link = app.with_key(FIRST).create_link(json!({"userId": "user-123"})).await;
    assert_eq!(link.status, 201, "it has every scope: {link}");

    let by_hand = app.service_key(&["connections:read"]);
    let app = app.restart_with(&[("BOOTSTRAP_SERVICE_KEY", second)]);
    assert_eq!(app.with_key(FIRST).get(path).await.failure(), "401 unauthenticated", "revoked");
    assert_eq!(app.with_key(second).get(path).await.failure(), "404 not_connected");
    let app = app.restart_with(&[("BOOTSTRAP_SERVICE_KEY", second)]).restart_with(&[]);
    assert_eq!(app.with_key(second).get(path).await.failure(), "404 not_connected");
    assert_eq!(app.with_key(&by_hand).get(path).await.failure(), "404 not_connected");

    // One made by hand becomes the bootstrap key, with every scope.
    let create =
        async |app: &TestApp| app.with_key(&by_hand).create_link(json!({"userId": "user-123"})).await.status;
    assert_eq!(create(&app).await, 403);
    let app = app.restart_with(&[("BOOTSTRAP_SERVICE_KEY", &by_hand)]);
    assert_eq!(create(&app).await, 201);
    assert_eq!(app.with_key(second).get(path).await.failure(), "401 unauthenticated");
}
