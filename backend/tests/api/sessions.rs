//! `/api/sessions`: seeing and ending one's sessions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::SESSION;
use crate::support::{Answer, PASSWORD, Person, TestApp};

/// Signed in as Ada once more, with a browser of this name.
async fn ada_with(app: &TestApp, browser: &str) -> Person {
    let person = app.anonymous();
    let request = person.request(Method::POST, SESSION).header("user-agent", browser);
    let answer = Answer::of(request.json(&json!({"email": "ada@example.com", "password": PASSWORD}))).await;
    assert_eq!(answer.status, 200, "{answer}");
    person
}

async fn sessions(person: &Person) -> Vec<Value> {
    let answer = person.sessions().await;
    assert_eq!(answer.status, 200, "{answer}");
    answer.body["sessions"].as_array().unwrap().clone()
}

fn id_of(sessions: &[Value], browser: &str) -> String {
    let found = sessions.iter().find(|session| session["userAgent"] == browser);
    found.unwrap_or_else(|| panic!("{browser} in {sessions:?}"))["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_person_sees_where_they_are_signed_in() {
    let app = TestApp::start();
    app.with_user("ada").await;
    app.with_user("bob").await;
    let phone = ada_with(&app, "phone").await;
    let seen = sessions(&phone).await;
    assert_eq!(seen.len(), 2, "and none of Bob's: {seen:?}");
    assert_eq!(seen.iter().filter(|session| session["current"] == true).count(), 1);
    let current = seen.iter().find(|session| session["current"] == true).unwrap();
    assert!(current["id"].as_str().unwrap().starts_with("ses_"));
    insta::assert_json_snapshot!(current, {
        ".id" => "[id]", ".createdAt" => "[time]", ".lastUsedAt" => "[time]", ".expiresAt" => "[time]",
    }, @r#"
    {
      "createdAt": "[time]",
      "current": true,
      "expiresAt": "[time]",
      "id": "[id]",
      "lastUsedAt": "[time]",
      "userAgent": "phone"
    }
    "#);
}

#[actix_web::test]
async fn a_session_that_is_ended_from_elsewhere_is_over() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let bob = app.with_user("bob").await;
    let phone = ada_with(&app, "phone").await;
    let id = id_of(&sessions(&ada).await, "phone");
    assert_eq!(bob.end_session(&id).await.failure(), "404 not_found");
    assert_eq!(phone.session().await.status, 200, "Bob cannot end it");

    let ended = ada.end_session(&id).await;
    assert_eq!((ended.status, &ended.body), (200, &json!({"ok": true})));
    assert_eq!(phone.session().await.failure(), "401 unauthenticated");
    assert_eq!(ada.end_session(&id).await.failure(), "404 not_found");
    assert_eq!(ada.session().await.status, 200);
}

#[actix_web::test]
async fn ending_the_own_session_signs_out() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let own = sessions(&ada).await[0]["id"].as_str().unwrap().to_owned();
    let ended = ada.end_session(&own).await;
    assert!(ended.header("set-cookie").contains("Max-Age=0"), "{}", ended.header("set-cookie"));
    assert_eq!(ada.session().await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn all_other_sessions_are_ended_at_once() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let bob = app.with_user("bob").await;
    let others = [ada_with(&app, "phone").await, ada_with(&app, "laptop").await];
    assert_eq!(ada.end_other_sessions().await.status, 200);
    for other in others {
        assert_eq!(other.session().await.failure(), "401 unauthenticated");
    }
    assert_eq!(sessions(&ada).await.len(), 1);
    assert_eq!(bob.session().await.status, 200);
}
