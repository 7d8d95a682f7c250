//! `/api/session`.

use reqwest::Method;
use serde_json::json;

use crate::support::callers::SESSION;
use crate::support::metrics::{METRICS, value};
use crate::support::{Answer, DAY, PASSWORD, TestApp};

#[actix_web::test]
async fn signing_in_needs_the_password() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let anew = app.anonymous();
    let wrong = anew.sign_in("ada@example.com", "wrong password").await;
    let unknown = anew.sign_in("bob@example.com", PASSWORD).await;
    assert_eq!(wrong.failure(), "401 invalid_credentials");
    assert_eq!(wrong.body["error"], unknown.body["error"], "one message for both");
    assert_eq!(anew.session().await.failure(), "401 unauthenticated");

    let right = anew.sign_in("ADA@example.com", PASSWORD).await;
    assert_eq!(right.status, 200);
    assert_eq!(right.body["user"]["id"], ada.id);
    assert_eq!(anew.session().await.body, right.body);
}

/// The time of a sign-in is that of its hash: with one for each, it does not tell who has an account.
#[actix_web::test]
async fn an_address_without_an_account_costs_a_hash_like_any_other() {
    let app = TestApp::start_with(&[METRICS]);
    app.with_user("ada").await;
    let hashes = async || value(&app, "password_hashes_total").await;
    for (email, password) in [("ada@example.com", "wrong password"), ("bob@example.com", PASSWORD)] {
        let before = hashes().await;
        let body = json!({"email": email, "password": password});
        let answer = app.anonymous().post(SESSION, body).await;
        assert_eq!(answer.failure(), "401 invalid_credentials");
        assert_eq!(hashes().await, before + 1.0, "{email}");
    }
}

#[actix_web::test]
async fn signing_out_ends_the_session_on_the_server() {
    let app = TestApp::start();
    let person = app.anonymous();
    let signed_up = person.sign_up(json!({"email": "ada@example.com", "password": PASSWORD})).await;
    let cookie = signed_up.header("set-cookie").split(';').next().unwrap().to_owned();
    let out = person.sign_out().await;
    assert_eq!((out.status, &out.body), (200, &json!({"ok": true})));
    assert!(out.header("set-cookie").contains("Max-Age=0"), "the browser forgets it, too");

    let kept = app.anonymous().request(Method::GET, SESSION).header("cookie", cookie);
    assert_eq!(Answer::of(kept).await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn a_session_lives_thirty_days_from_its_last_use() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    assert_eq!(ada.session().await.header("set-cookie"), "", "not renewed at once");
    app.clock.advance(29 * DAY);
    assert!(ada.session().await.header("set-cookie").contains("Max-Age=2592000"));
    app.clock.advance(29 * DAY);
    assert_eq!(ada.session().await.status, 200);
    app.clock.advance(30 * DAY);
    assert_eq!(ada.session().await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let app = TestApp::start();
    app.with_user("ada").await;
    let person = app.anonymous();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = person.post(SESSION, body.clone()).await;
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(person.post(SESSION, body).await.status, 200);
    assert_eq!(person.session().await.status, 200);
    let kept = app.anonymous().request(Method::GET, SESSION).header("cookie", cookie);
    assert_eq!(Answer::of(kept).await.failure(), "401 unauthenticated", "nobody could end it any more");
}

#[actix_web::test]
async fn who_is_signed_in_can_be_asked_without_an_error() {
    let asked = |optional: &str| format!("{SESSION}?optional={optional}");
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let nobody = app.anonymous().get(&asked("true")).await;
    assert_eq!((nobody.status, &nobody.body), (200, &json!({"ok": true, "user": null})));
    assert_eq!(nobody.header("cache-control"), "no-store");
    assert_eq!(app.anonymous().get(&asked("false")).await.failure(), "401 unauthenticated");
    assert_eq!(app.anonymous().get(&asked("maybe")).await.failure(), "400 invalid_request");
    let known = ada.get(&asked("true")).await;
    assert_eq!((known.status, &known.body), (200, &ada.session().await.body));
    let stale = app.anonymous().request(Method::GET, &asked("true"));
    let stale = Answer::of(stale.header("cookie", format!("connect_session={}", "a".repeat(43)))).await;
    assert_eq!((stale.status, &stale.body["user"]), (200, &json!(null)));
    // A key is no session, and one that is none is a mistake.
    let key = app.with_key(&ada.personal_key(&["connections:read"]).await);
    assert_eq!(key.get(&asked("true")).await.failure(), "403 forbidden");
    let wrong = app.anonymous().request(Method::GET, &asked("true")).bearer_auth("nonsense");
    assert_eq!(Answer::of(wrong).await.failure(), "401 unauthenticated");
    ada.sign_out().await;
    assert_eq!(ada.get(&asked("true")).await.body["user"], json!(null));
}

#[actix_web::test]
async fn cookie_rubbish_is_nobody() {
    let app = TestApp::start();
    app.with_user("ada").await;
    let long = format!("connect_session={}", "a".repeat(4000));
    for cookie in [
        "connect_session=",
        "connect_session=%00",
        "connect_session=../../etc",
        "connect_session",
        "=;;=",
        "connect_session=\"a\"",
        &long,
    ] {
        let request = app.anonymous().request(Method::GET, SESSION).header("cookie", cookie);
        assert_eq!(Answer::of(request).await.failure(), "401 unauthenticated", "{cookie}");
    }
}

#[actix_web::test]
async fn a_bearer_key_is_never_passed_over_for_the_cookie() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let request = ada.request(Method::DELETE, SESSION).header("authorization", "Bearer nonsense");
    assert_eq!(Answer::of(request).await.failure(), "401 unauthenticated");
    assert_eq!(ada.session().await.status, 200);
    // Another scheme is a proxy's affair, and changes nothing about the cookie or the check of the origin.
    let basic = |method| ada.request(method, SESSION).header("authorization", "Basic YTpi");
    assert_eq!(Answer::of(basic(Method::GET)).await.status, 200);
    let foreign = basic(Method::DELETE).header("origin", "https://evil.example");
    assert_eq!(Answer::of(foreign).await.failure(), "403 cross_site_request");
}
