//! `/api/users`.

use serde_json::json;

use crate::support::callers::USERS;
use crate::support::{Answer, PASSWORD, TestApp};

#[actix_web::test]
async fn signing_up_opens_a_session() {
    let app = TestApp::start();
    let person = app.anonymous();
    let body = json!({"email": " Ada@Example.com ", "password": PASSWORD, "name": "Ada", "unknown": [1]});
    let answer = person.sign_up(body).await;
    assert_eq!(answer.status, 201);
    insta::assert_json_snapshot!(answer.body, {".user.id" => "[id]", ".user.createdAt" => "[time]"}, @r#"
    {
      "ok": true,
      "user": {
        "createdAt": "[time]",
        "email": "Ada@Example.com",
        "id": "[id]",
        "name": "Ada"
      }
    }
    "#);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("connect_session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert!(!cookie.contains("Secure"));
    assert_eq!(person.session().await.body, answer.body);
}

#[actix_web::test]
async fn an_address_has_one_account_in_any_case() {
    let app = TestApp::start();
    app.with_user("ada").await;
    let again = json!({"email": "ADA@example.COM", "password": "another password"});
    assert_eq!(app.anonymous().sign_up(again).await.failure(), "409 email_taken");
}

#[actix_web::test]
async fn every_wrong_value_is_named() {
    let app = TestApp::start();
    let body = json!({"email": "nobody", "password": "short", "name": "x".repeat(101)});
    let answer = app.anonymous().sign_up(body).await;
    assert_eq!(answer.failure(), "422 validation_failed");
    insta::assert_json_snapshot!(answer.body["fields"], @r#"
    {
      "email": "Enter an email address like name@example.com",
      "name": "Use at most 100 characters",
      "password": "Use at least 10 characters"
    }
    "#);
    assert!(answer.header("set-cookie").is_empty());
}

#[actix_web::test]
async fn on_https_the_cookie_is_bound_to_the_host() {
    let app = TestApp::start_with(&[("PUBLIC_URL", "https://connect.example.com")]);
    let request = app.anonymous().request(reqwest::Method::POST, USERS);
    let answer = Answer::of(request.json(&json!({"email": "ada@example.com", "password": PASSWORD}))).await;
    let cookies: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    for (cookie, name) in cookies.iter().zip(["__Host-connect_session=", "__Host-connect_device="]) {
        assert!(cookie.starts_with(name) && cookie.contains("Secure"), "{cookie}");
    }
    assert!(answer.header("strict-transport-security").contains("max-age"));
}
