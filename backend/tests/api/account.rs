//! `/api/users/me…`: changing the password, deleting the account.

use std::time::Duration;

use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Url;
use serde_json::{Value, json};

use crate::support::{Answer, OFTEN, PASSWORD, Person, TestApp};

const NEW_PASSWORD: &str = "canary-new-password-0c4e";

async fn change(person: &Person, from: &str, to: &str) -> Answer {
    person.change_password(json!({"currentPassword": from, "newPassword": to})).await
}

async fn delete_account(person: &Person, password: &str) -> Answer {
    person.delete_account(json!({"password": password})).await
}

#[actix_web::test]
async fn a_new_password_ends_the_other_sessions_and_nothing_else() {
    let (app, ada) = TestApp::connected().await;
    let key = app.with_key(&ada.personal_key(&["connections:read"]).await);
    let phone = app.anonymous();
    assert_eq!(phone.sign_in("ada@example.com", PASSWORD).await.status, 200);

    let changed = change(&ada, PASSWORD, NEW_PASSWORD).await;
    assert_eq!(changed.status, 200, "{changed}");
    assert_eq!(changed.body["apiKeys"], ada.api_keys().await.body["apiKeys"]);
    assert_eq!(changed.body["apiKeys"][0]["name"], "mine", "and says which keys are left");
    assert_eq!(ada.session().await.status, 200);
    assert_eq!(phone.session().await.failure(), "401 unauthenticated");
    assert_eq!(key.connection().await.status, 200);
    assert_eq!(phone.sign_in("ada@example.com", PASSWORD).await.failure(), "401 invalid_credentials");
    assert_eq!(phone.sign_in("ada@example.com", NEW_PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_new_password_revokes_the_keys_where_that_is_wanted() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let keys = [ada.personal_key(&["connections:read"]).await, ada.personal_key(&["tokens:read"]).await];
    let of_bob = app.with_key(&bob.personal_key(&["connections:read"]).await);
    let body = |current: &str, new: &str| json!({"currentPassword": current, "newPassword": new, "revokeApiKeys": true});
    let wrong = ada.change_password(body(NEW_PASSWORD, PASSWORD)).await;
    assert_eq!(wrong.failure(), "401 invalid_credentials");
    let first = app.with_key(&keys[0]);
    assert_eq!(first.connection().await.failure(), "404 not_connected", "it works");
    let changed = ada.change_password(body(PASSWORD, NEW_PASSWORD)).await;
    assert_eq!((changed.status, &changed.body), (200, &json!({"ok": true, "apiKeys": []})));
    for key in &keys {
        assert_eq!(app.with_key(key).connection().await.failure(), "401 unauthenticated");
    }
    assert_eq!(of_bob.connection().await.failure(), "404 not_connected", "another's are left alone");
}

#[actix_web::test]
async fn a_new_password_needs_the_present_one_and_has_to_be_good() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    assert_eq!(change(&ada, NEW_PASSWORD, NEW_PASSWORD).await.failure(), "401 invalid_credentials");
    let short = change(&ada, PASSWORD, "short").await;
    assert_eq!(short.failure(), "422 validation_failed");
    assert_eq!(short.body["fields"]["newPassword"], "Use at least 10 characters");
    assert_eq!(app.anonymous().sign_in("ada@example.com", PASSWORD).await.status, 200, "it is as it was");
}

#[actix_web::test]
async fn nothing_of_a_deleted_account_is_left_and_the_host_is_told() {
    // Nobody listens there, so what has to be told stays to be seen.
    let app = TestApp::start_with(&[
        ("OUTBOUND_WEBHOOK_URLS", "http://127.0.0.1:9/hook"),
        ("OUTBOUND_WEBHOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("OUTBOUND_WEBHOOK_ALLOW_PRIVATE", "true"),
    ]);
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&bob, accounts::CREATOR).await;
    // One that has ended, and one that has not.
    app.connect(&ada, accounts::SPARSE).await;
    assert_eq!(ada.instagram().disconnect().await.status, 200);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let key = app.with_key(&ada.personal_key(&["connections:read"]).await);
    let phone = app.anonymous();
    assert_eq!(phone.sign_in("ada@example.com", PASSWORD).await.status, 200);

    let deleted = delete_account(&ada, PASSWORD).await;
    assert_eq!((deleted.status, &deleted.body), (200, &json!({"ok": true})));
    assert!(deleted.header("set-cookie").contains("Max-Age=0"));
    for person in [&ada, &phone, &key] {
        assert_eq!(person.connection().await.failure(), "401 unauthenticated");
    }
    assert_eq!(phone.sign_in("ada@example.com", PASSWORD).await.failure(), "401 invalid_credentials");
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let rows = |query: &str| database.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    for (table, bobs) in [("users", 1), ("sessions", 1), ("api_keys", 0), ("instagram_connections", 1)] {
        assert_eq!(rows(&format!("SELECT count(*) FROM {table}")), bobs, "{table}");
    }
    let of_bob = "SELECT id FROM instagram_connections";
    for table in ["connection_events", "connection_history"] {
        let left = format!("SELECT count(*) FROM {table} WHERE connection_id NOT IN ({of_bob})");
        assert_eq!(rows(&left), 0, "{table}");
    }
    let told = format!("SELECT count(*) FROM webhook_deliveries WHERE connection_id NOT IN ({of_bob})");
    assert_eq!(rows(&told), 2);
    assert_eq!(rows(&format!("{told} AND kind = 'deleted'")), 2);
    assert_eq!(bob.connection().await.status, 200);
    // The address is free again, and finds nothing of before.
    let anew = app.with_user("ada").await;
    assert_eq!(anew.connection().await.failure(), "404 not_connected");
}

/// Somebody's request may be under way while the account is deleted.
#[actix_web::test]
async fn what_is_stored_while_an_account_is_deleted_is_erased_too() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_user("ada").await;
    app.instagram.fault(Endpoint::Profile, Fault::Delay { ms: 1500 }, Times::ONCE);
    let body = json!({
        "userId": ada.id,
        "access_token": app.instagram.issue_token(accounts::RECORD_SHOP),
        "user_id": app.instagram.account_ids(accounts::RECORD_SHOP).professional,
        "expires_in": 5_000_000,
    });
    let save = ada.save_connection(body);
    let delete = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        delete_account(&ada, PASSWORD).await
    };
    let (saved, deleted) = tokio::join!(save, delete);
    assert_eq!((saved.status, deleted.status), (200, 200), "{saved} {deleted}");
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let rows = |query: &str| database.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows("SELECT count(*) FROM instagram_connections"), 1, "it came after the deletion");

    app.clock.advance(Duration::from_secs(600));
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if rows("SELECT count(*) FROM deletions WHERE completed_at IS NULL") == 0 {
            break;
        }
    }
    for table in ["instagram_connections", "connection_events", "connection_history", "users", "sessions"] {
        assert_eq!(rows(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(rows("SELECT count(*) FROM deletions WHERE user_id IS NOT NULL"), 0, "forgotten whose it was");
}

#[actix_web::test]
async fn an_account_is_deleted_for_its_password_only() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    assert_eq!(delete_account(&ada, NEW_PASSWORD).await.failure(), "401 invalid_credentials");
    let without = ada.delete_account(json!({})).await;
    assert_eq!(without.failure(), "400 invalid_request");
    assert_eq!(ada.session().await.status, 200);
}

#[actix_web::test]
async fn a_hosts_user_has_no_password() {
    let app = TestApp::start();
    let host = app.with_key(&app.service_key(&["sessions:create"]));
    let link: Value = host.create_link(json!({"userId": "user-123"})).await.body;
    let link = Url::parse(link["url"].as_str().unwrap()).unwrap();
    let person = app.anonymous();
    let path = format!("{}?{}", link.path(), link.query().unwrap());
    assert_eq!(person.follow_link(&path).await.status, 303);
    assert_eq!(change(&person, PASSWORD, NEW_PASSWORD).await.failure(), "403 forbidden");
    assert_eq!(delete_account(&person, PASSWORD).await.failure(), "403 forbidden");
    assert_eq!(person.sessions().await.body["sessions"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_wrong_present_password_counts_like_a_sign_in() {
    let app = TestApp::start_with(&[("RATE_LIMITS", "on")]);
    let ada = app.with_user("ada").await;
    for _ in 0..5 {
        assert_eq!(
            change(&ada, NEW_PASSWORD, "another good password").await.failure(),
            "401 invalid_credentials"
        );
    }
    assert_eq!(change(&ada, PASSWORD, "another good password").await.failure(), "429 rate_limited");
    assert_eq!(delete_account(&ada, PASSWORD).await.failure(), "429 rate_limited");
    assert_eq!(ada.session().await.status, 200);
}
