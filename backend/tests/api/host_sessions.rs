//! `POST /api/sessions` and `/auth/host`: a host application's users.

use std::time::Duration;

use instagram_simulator::{Consent, accounts};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::support::{Answer, Person, TestApp};

const ALL: [&str; 4] = ["sessions:create", "connections:read", "connections:write", "tokens:read"];

/// The host application's backend.
fn host(app: &TestApp) -> Person {
    app.with_key(&app.service_key(&ALL))
}

/// Path and query of a new link.
async fn link(host: &Person, body: Value) -> String {
    let answer = host.post("/api/sessions", body).await;
    assert_eq!(answer.status, 201, "{answer}");
    let url = Url::parse(answer.body["url"].as_str().unwrap()).unwrap();
    assert_eq!(url.origin().ascii_serialization(), "http://localhost:4002");
    format!("{}?{}", url.path(), url.query().unwrap())
}

/// Somebody of the host's, signed in by a link.
async fn signed_in(app: &TestApp, host: &Person, user_id: &str) -> Person {
    let mut person = app.anonymous();
    let opened = person.navigate(&link(host, json!({"userId": user_id})).await).await;
    assert_eq!(opened.status(), 303);
    person.id = user_id.to_owned();
    person
}

#[actix_web::test]
async fn a_link_signs_one_browser_in_once() {
    let app = TestApp::start();
    let host = host(&app);
    let path =
        link(&host, json!({"userId": "user-123", "name": "Ada", "returnTo": "/integrations?from=host"}))
            .await;
    let person = app.anonymous();
    let opened = person.navigate(&path).await;
    assert_eq!(opened.status(), 303);
    let header = |name: &str| opened.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("location"), "http://localhost:5176/integrations?from=host");
    assert_eq!(
        (header("referrer-policy"), header("cache-control")),
        ("no-referrer".into(), "no-store".into())
    );
    let cookie = header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

    let who = person.get("/api/session").await;
    let user = &who.body["user"];
    assert_eq!(
        (&user["id"], &user["email"], &user["name"]),
        (&json!("user-123"), &Value::Null, &json!("Ada"))
    );
    assert!(user["createdAt"].is_string());

    let another = app.anonymous();
    let again = another.navigate(&path).await;
    assert_eq!(again.status(), 400);
    assert!(again.headers().get("set-cookie").is_none());
    assert!(again.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(again.headers()["cache-control"], "no-store");
    assert!(again.text().await.unwrap().contains("This link is used up"));
    assert_eq!(another.get(&path).await.failure(), "400 invalid_state", "and a fetch gets JSON");
    assert_eq!(person.get("/api/session").await.status, 200, "who was signed in stays so");
    assert_eq!(person.delete("/api/session").await.status, 200);
    assert_eq!(person.get("/api/session").await.failure(), "401 unauthenticated");
}

/// Else whoever gets Ada to open a link of their own would have her connect her account to them.
#[actix_web::test]
async fn who_is_signed_in_as_somebody_else_is_asked_first() {
    let app = TestApp::start();
    let host = host(&app);
    let ada = app.with_user("ada").await;
    let path = link(&host, json!({"userId": "mallory", "name": "<b>Mallory</b>"})).await;
    for _ in 0..2 {
        let asked = ada.navigate(&path).await;
        assert_eq!(asked.status(), 200);
        assert!(asked.headers().get("set-cookie").is_none());
        let policy = asked.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("form-action 'self'"), "{policy}");
        let html = asked.text().await.unwrap();
        assert!(html.contains("Go on as “&lt;b&gt;Mallory&lt;/b&gt;”"), "{html}");
    }
    assert_eq!(ada.get("/api/session").await.body["user"]["id"], ada.id, "nothing has changed");

    let token = path.split_once("token=").unwrap().1;
    let post = |origin: &'static str, token: &str| {
        let form = ada.request(Method::POST, "/auth/host").form(&[("token", token)]);
        Answer::of(form.header("origin", origin))
    };
    assert_eq!(post("https://evil.example", token).await.failure(), "403 cross_site_request");
    assert_eq!(post("http://localhost:4002", "x").await.failure(), "400 invalid_state");
    let gone_on = post("http://localhost:4002", token).await;
    assert_eq!((gone_on.status, gone_on.header("location")), (303, "http://localhost:5176/integrations"));
    assert_eq!(ada.get("/api/session").await.body["user"]["id"], "mallory");
    assert_eq!(post("http://localhost:4002", token).await.failure(), "400 invalid_state", "once");

    // Whoever is signed in as the same user goes on without a question.
    let again = link(&host, json!({"userId": "mallory"})).await;
    assert_eq!(ada.navigate(&again).await.status(), 303);
}

#[actix_web::test]
async fn a_link_lives_ten_minutes() {
    let app = TestApp::start();
    let host = host(&app);
    let [early, late] =
        [link(&host, json!({"userId": "a"})).await, link(&host, json!({"userId": "a"})).await];
    app.clock.advance(Duration::from_secs(595));
    let opened = app.anonymous().get(&early).await;
    assert_eq!((opened.status, opened.header("location")), (303, "http://localhost:5176/integrations"));
    app.clock.advance(Duration::from_secs(6));
    assert_eq!(app.anonymous().get(&late).await.failure(), "400 invalid_state");
    let path = late.split('?').next().unwrap();
    for rubbish in [path.to_owned(), format!("{path}?token="), format!("{path}?token={}", "a".repeat(43))] {
        assert_eq!(app.anonymous().get(&rubbish).await.failure(), "400 invalid_state", "{rubbish}");
    }
}

#[actix_web::test]
async fn of_many_that_open_a_link_at_once_one_is_signed_in() {
    let app = TestApp::start();
    let path = link(&host(&app), json!({"userId": "user-123"})).await;
    let people: Vec<_> = (0..20).map(|_| app.anonymous()).collect();
    let answers = futures_util::future::join_all(people.iter().map(|person| person.get(&path))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.failure() == "400 invalid_state").count(), 19);
}

#[actix_web::test]
async fn a_browser_that_looks_ahead_does_not_use_the_link_up() {
    let app = TestApp::start();
    let path = link(&host(&app), json!({"userId": "user-123"})).await;
    let person = app.anonymous();
    let ahead = person.request(Method::GET, &path).header("sec-purpose", "prefetch;anonymous-client-ip");
    assert_eq!(Answer::of(ahead).await.failure(), "400 invalid_request");
    let head = person.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(head.status(), 405);
    assert_eq!(person.get(&path).await.status, 303);
}

#[actix_web::test]
async fn wrong_values_are_named_by_field() {
    let app = TestApp::start();
    let host = host(&app);
    let id_201 = "ä".repeat(201);
    for (body, field) in [
        (json!({"userId": ""}), "userId"),
        (json!({"userId": "me"}), "userId"),
        (json!({"userId": "callback"}), "userId"),
        (json!({"userId": "a\u{0}"}), "userId"),
        (json!({"userId": "a\u{202e}b"}), "userId"),
        (json!({"userId": id_201}), "userId"),
        (json!({"userId": "a", "name": "x".repeat(101)}), "name"),
        (json!({"userId": "a", "returnTo": "https://evil.example"}), "returnTo"),
        (json!({"userId": "a", "returnTo": "//evil.example"}), "returnTo"),
    ] {
        let answer = host.post("/api/sessions", body.clone()).await;
        assert_eq!(answer.failure(), "422 validation_failed", "{body}");
        assert!(answer.body["fields"][field].is_string(), "{answer}");
    }
}

#[actix_web::test]
async fn a_hosts_user_connects_and_host_and_user_see_the_same() {
    let app = TestApp::start();
    let host = host(&app);
    let person = signed_in(&app, &host, "user-123").await;
    assert_eq!(app.connect(&person, accounts::RECORD_SHOP).await.status, 200);
    let of_person = person.get("/api/integrations/instagram/user-123").await;
    assert_eq!(of_person.status, 200);
    assert_eq!(host.get("/api/integrations/instagram/user-123").await.body, of_person.body);
    assert_eq!(host.delete("/api/integrations/instagram/user-123").await.status, 200);
    assert_eq!(person.connection().await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn a_host_connects_its_user_by_key_alone() {
    let app = TestApp::start();
    let mut host = host(&app);
    assert_eq!(host.get("/auth/instagram/login").await.failure(), "403 forbidden", "for whom?");
    let login = host.get("/auth/instagram/login?userId=user-123").await;
    let redirect =
        app.instagram.consent(login.body["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
    let query = Url::parse(&redirect).unwrap().query().unwrap().to_owned();
    let of_other = host.get(&format!("/auth/instagram/callback?{query}&userId=user-124")).await;
    assert_eq!(of_other.failure(), "400 invalid_state");
    let exchanged = host.get(&format!("/auth/instagram/callback?{query}&userId=user-123")).await;
    assert_eq!(exchanged.status, 200, "{exchanged}");
    host.id = "user-124".to_owned();
    assert_eq!(host.save(&exchanged.body).await.failure(), "422 validation_failed", "another user's handle");
    host.id = "user-123".to_owned();
    assert_eq!(host.save(&exchanged.body).await.status, 200);
    assert_eq!(host.get("/api/integrations/instagram/user-123").await.status, 200);
}

#[actix_web::test]
async fn a_hosts_ids_never_reach_a_local_account_nor_another_of_its_users() {
    let app = TestApp::start();
    let host = host(&app);
    let ada = app.with_user("ada").await;
    assert_eq!(app.connect(&ada, accounts::RECORD_SHOP).await.status, 200);

    // The host has a user whose id is, letter for letter, that of the local account.
    let twin = signed_in(&app, &host, &ada.id).await;
    assert_eq!(twin.get("/api/session").await.body["user"]["id"], ada.id);
    let longest = "店".repeat(200);
    let prefixed = format!("host:{}", ada.id);
    let encoded = |id: &str| {
        let mut url = Url::parse("http://host/").unwrap();
        url.path_segments_mut().unwrap().push(id);
        format!("/api/integrations/instagram{}", url.path())
    };
    let others =
        [ada.id.as_str(), &prefixed, "host:", "usr_", "a/b", "a%2Fb", "Göteborg 🎨", "null", &longest, "ADA"];
    for (index, id) in others.iter().enumerate() {
        assert_eq!(host.get(&encoded(id)).await.failure(), "404 not_connected", "{id}");
        let person = signed_in(&app, &host, id).await;
        assert_eq!(person.connection().await.failure(), "404 not_connected", "{id}");
        for (other, other_id) in others.iter().enumerate() {
            let expected = if other == index { "404 not_connected" } else { "403 forbidden" };
            assert_eq!(person.get(&encoded(other_id)).await.failure(), expected, "{id} at {other_id}");
        }
        let who = person.get("/api/session").await;
        assert_eq!(who.body["user"]["id"], *id);
    }
    for nobody in ["me", ".%20", "%00", "%E2%80%AE", "%FF", &"x".repeat(201)] {
        let path = format!("/api/integrations/instagram/{nobody}");
        let expected = if nobody == ".%20" { "404 not_connected" } else { "403 forbidden" };
        assert_eq!(host.get(&path).await.failure(), expected, "{nobody}");
    }

    // And back: what each of the twins makes is theirs alone.
    assert_eq!(twin.get(&encoded(&ada.id)).await.failure(), "404 not_connected");
    assert_eq!(app.connect(&twin, accounts::CREATOR).await.status, 200);
    let username = |answer: Answer| answer.body["connection"]["username"].as_str().unwrap_or("?").to_owned();
    assert_eq!(username(host.get(&encoded(&ada.id)).await), accounts::CREATOR);
    assert_eq!(username(ada.connection().await), accounts::RECORD_SHOP);
    assert_eq!(host.delete(&encoded(&ada.id)).await.status, 200);
    assert_eq!(username(ada.connection().await), accounts::RECORD_SHOP);
    let key_of_twin = app.with_key(&twin.personal_key(&["connections:read"]).await);
    assert_eq!(key_of_twin.get(&encoded(&ada.id)).await.failure(), "404 not_connected");
    assert_eq!(ada.get("/api/api-keys").await.body["apiKeys"], json!([]));
}
