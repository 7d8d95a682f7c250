//! `/api/integrations/instagram…`.

use std::time::Duration;

use instagram_simulator::{Consent, Endpoint, Options, accounts};
use reqwest::Method;
use serde_json::{Value, json};
use shared::permission;

use crate::support::callers::{INSTAGRAM, MY_INSTAGRAM, SAVE, instagram};
use crate::support::{Answer, TestApp, eventually, hang_up};

#[actix_web::test]
async fn connect_read_disconnect_reconnect() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    assert_eq!(ada.connection().await.failure(), "404 not_connected");

    let saved = app.connect(&ada, accounts::RECORD_SHOP).await;
    insta::assert_json_snapshot!(saved.body, {
        ".connection.id" => "[id]", ".connection.connectedAt" => "[time]", ".connection.expiresAt" => "[time]",
    }, @r#"
    {
      "connection": {
        "connectedAt": "[time]",
        "expiresAt": "[time]",
        "followers": 15420,
        "id": "[id]",
        "username": "wreckshoprecords"
      },
      "ok": true
    }
    "#);
    let read = ada.connection().await;
    insta::assert_json_snapshot!(read.body, {
        ".connection.id" => "[id]", ".connection.connectedAt" => "[time]", ".connection.expiresAt" => "[time]",
        ".connection.lastSync" => "[time]", ".connection.profilePictureUrl" => "[url]",
    }, @r#"
    {
      "connection": {
        "biography": "Vinyl Records & Digital Beats",
        "connectedAt": "[time]",
        "expiresAt": "[time]",
        "followers": 15420,
        "following": 823,
        "id": "[id]",
        "lastError": null,
        "lastSync": "[time]",
        "mediaCount": 456,
        "missingScopes": [],
        "name": "Wreck Shop Records",
        "needsRefresh": false,
        "profilePictureUrl": "[url]",
        "profileUrl": "https://www.instagram.com/wreckshoprecords/",
        "provider": "instagram",
        "scopes": [
          "instagram_business_basic",
          "instagram_business_content_publish",
          "instagram_business_manage_messages"
        ],
        "status": "active",
        "username": "wreckshoprecords",
        "website": "wreckshop.com"
      },
      "ok": true
    }
    "#);
    assert_eq!(read.header("cache-control"), "no-store");
    for path in [INSTAGRAM.to_owned(), instagram(&ada.id)] {
        assert_eq!(ada.get(&path).await.body, read.body, "{path}");
    }

    let ended = ada.instagram().disconnect().await;
    assert_eq!((ended.status, ended.body), (200, json!({"ok": true})));
    assert_eq!(ada.instagram().disconnect().await.failure(), "404 not_connected");
    let gone = ada.connection().await;
    assert_eq!(gone.failure(), "404 not_connected");
    assert_eq!(gone.body["error"], "No active Instagram connection found");

    app.clock.advance(Duration::from_secs(60));
    let again = app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(again.body["connection"]["id"], saved.body["connection"]["id"], "one document an account");
    assert_eq!(again.body["connection"]["connectedAt"], saved.body["connection"]["connectedAt"]);
    assert!(again.body["connection"]["expiresAt"].as_str() > saved.body["connection"]["expiresAt"].as_str());
}

#[actix_web::test]
async fn nobody_reads_or_ends_what_is_not_theirs() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    for user in [ada.id.as_str(), "user-123", "..", "%2e%2e", "a%00b"] {
        for method in [Method::GET, Method::DELETE] {
            let path = instagram(user);
            let theirs = Answer::of(bob.request(method.clone(), &path)).await;
            // Dots in a path are resolved by the client itself and lead to another route.
            assert!(
                ["403 forbidden", "404 not_found", "405 method_not_allowed"].contains(&&*theirs.failure()),
                "{theirs}"
            );
        }
    }
    let existing = bob.instagram_of(&ada.id).read().await;
    let missing = bob.instagram_of("user-123").read().await;
    assert_eq!(existing.failure(), "403 forbidden");
    assert_eq!(existing.body["error"], missing.body["error"], "the same whether or not the user exists");
    assert_eq!(app.anonymous().connection().await.failure(), "401 unauthenticated");
    assert_eq!(ada.connection().await.status, 200);
}

#[actix_web::test]
async fn an_account_is_active_for_one_user() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let before = ada.connection().await.body;
    assert_eq!(app.connect(&bob, accounts::RECORD_SHOP).await.failure(), "409 account_in_use");
    assert_eq!(ada.connection().await.body, before);
    assert_eq!(bob.connection().await.failure(), "404 not_connected");

    ada.instagram().disconnect().await;
    assert_eq!(
        app.connect(&bob, accounts::RECORD_SHOP).await.status,
        200,
        "an inactive one can be taken over"
    );
    assert_eq!(app.connect(&ada, accounts::RECORD_SHOP).await.failure(), "409 account_in_use");
}

#[actix_web::test]
async fn the_account_that_was_connected_newly_is_the_one_in_use() {
    let (app, ada) = TestApp::connected().await;
    app.clock.advance(Duration::from_secs(1));
    app.connect(&ada, accounts::CREATOR).await;
    assert_eq!(ada.connection().await.body["connection"]["username"], accounts::CREATOR);
    app.clock.advance(Duration::from_secs(1));
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let shown = ada.connection().await.body["connection"]["username"].clone();
    assert_eq!(shown, accounts::CREATOR, "connecting again changes nothing about it");
    ada.instagram().disconnect().await;
    assert_eq!(ada.connection().await.body["connection"]["username"], accounts::RECORD_SHOP);
}

#[actix_web::test]
async fn a_sparse_profile_is_null_not_absent() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::SPARSE).await;
    let connection = &ada.connection().await.body["connection"];
    for field in ["name", "biography", "website", "profilePictureUrl", "lastError"] {
        assert_eq!(connection.get(field), Some(&Value::Null), "{field}");
    }
}

#[actix_web::test]
async fn what_was_unticked_is_missing() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let choice =
        Consent::allow_only(accounts::RECORD_SHOP, &[permission::BASIC, permission::MANAGE_MESSAGES]);
    let exchanged = app.exchange(&ada, choice).await;
    ada.save(&exchanged.body).await;
    assert_eq!(
        ada.connection().await.body["connection"]["missingScopes"],
        json!([permission::CONTENT_PUBLISH])
    );
}

#[actix_web::test]
async fn status_tells_when_something_has_to_be_done() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    app.instagram.set_options(Options { expires_in: 11 * 86_400, ..Options::default() });
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let status = |answer: Answer| {
        (answer.body["connection"]["status"].clone(), answer.body["connection"]["needsRefresh"].clone())
    };
    assert_eq!(status(ada.connection().await), (json!("active"), json!(false)));
    app.clock.advance(Duration::from_secs(86_400));
    assert_eq!(status(ada.connection().await), (json!("expiring"), json!(true)));
    app.clock.advance(Duration::from_secs(10 * 86_400));
    assert_eq!(status(ada.connection().await), (json!("needs_reauthorization"), json!(true)));
}

#[actix_web::test]
async fn a_token_that_cannot_be_opened_needs_reauthorization_and_blocks_nothing() {
    let (app, ada) = TestApp::connected().await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    for rubbish in ["", "v1.gone.AAAA", "plain text", "v1.test.AAAA"] {
        database.execute("UPDATE instagram_connections SET access_token = ?1", [rubbish]).unwrap();
        let answer = ada.connection().await;
        assert_eq!(answer.body["connection"]["status"], "needs_reauthorization", "{rubbish}");
        assert!(answer.body["connection"]["lastError"].is_string());
    }
    assert_eq!(app.connect(&ada, accounts::RECORD_SHOP).await.status, 200);
    let healed = ada.connection().await;
    assert_eq!(healed.body["connection"]["status"], "active");
    assert_eq!(healed.body["connection"]["lastError"], Value::Null);
}

#[actix_web::test]
async fn a_handle_is_for_its_caller_once_and_for_ten_minutes() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await.body;
    let refused = |answer: Answer| {
        assert_eq!(answer.failure(), "422 validation_failed", "{answer}");
        assert!(answer.body["fields"]["access_token"].is_string(), "{answer}");
    };
    refused(bob.save(&exchanged).await);

    let handle = exchanged["access_token"].as_str().unwrap();
    for position in [7, 10, handle.len() / 2, handle.len() - 1] {
        let mut bytes = handle.as_bytes().to_vec();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let mut altered = exchanged.clone();
        altered["access_token"] = json!(String::from_utf8(bytes).unwrap());
        refused(ada.save(&altered).await);
    }
    assert_eq!(ada.connection().await.failure(), "404 not_connected");

    let answers = futures_util::future::join_all((0..8).map(|_| ada.save(&exchanged))).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1,
        "used once, however they race"
    );
    ada.instagram().disconnect().await;
    refused(ada.save(&exchanged).await);
    assert_eq!(ada.connection().await.failure(), "404 not_connected");

    let late = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await.body;
    app.clock.advance(Duration::from_secs(600));
    refused(ada.save(&late).await);
}

#[actix_web::test]
async fn a_body_that_contradicts_its_handle_changes_nothing() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await.body;
    let mut stranger = ada.save_body(&exchanged);
    stranger["userId"] = json!("user-123");
    assert_eq!(ada.post(SAVE, stranger).await.failure(), "403 forbidden");
    let lies = [
        ("user_id", json!("17841400000000001")),
        ("expires_in", json!(999_999_999)),
        ("user", json!({"id": "17841400000000001", "username": "wreckshoprecords"})),
        ("user", json!({"id": "17841400000000000", "username": "somebody"})),
        ("user", json!({"id": "17841400000000000", "username": "wreckshoprecords", "followers_count": 99})),
    ];
    for (field, lie) in lies {
        let mut body = ada.save_body(&exchanged);
        body[field] = lie;
        let answer = ada.post(SAVE, body).await;
        assert_eq!(answer.failure(), "422 validation_failed", "{field}");
        assert!(answer.body["fields"][field].is_string(), "{answer}");
    }
    assert_eq!(ada.connection().await.failure(), "404 not_connected");
    assert_eq!(ada.save(&exchanged).await.status, 200, "a refused body does not use the handle up");
}

#[actix_web::test]
async fn a_raw_token_is_checked_with_instagram() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let token = app.instagram.issue_token(accounts::RECORD_SHOP);
    let body = |token: &str, user_id: &str, expires_in: Value| json!({"userId": ada.id, "access_token": token, "user_id": user_id, "expires_in": expires_in});
    let refusals = [
        (body("IGAAmadeup", "17841400000000000", json!(5_000_000)), "access_token"),
        (body("", "17841400000000000", json!(5_000_000)), "access_token"),
        (body("a b\nc", "17841400000000000", json!(5_000_000)), "access_token"),
        (body(&token, "17841400000000001", json!(5_000_000)), "user_id"),
        (body(&token, "17841400000000000", Value::Null), "expires_in"),
        (body(&token, "17841400000000000", json!(0)), "expires_in"),
        (body(&token, "17841400000000000", json!(u64::MAX)), "expires_in"),
    ];
    for (body, field) in refusals {
        let answer = ada.post(SAVE, body).await;
        assert_eq!(answer.failure(), "422 validation_failed", "{field}");
        assert!(answer.body["fields"][field].is_string(), "{answer}");
    }
    assert_eq!(ada.connection().await.failure(), "404 not_connected");

    app.instagram.set_followers(accounts::RECORD_SHOP, 7);
    let saved = ada.post(SAVE, body(&token, "17841400000000000", json!(5_000_000))).await;
    assert_eq!(saved.status, 200, "{saved}");
    assert_eq!(saved.body["connection"]["followers"], 7, "what Instagram says is what is stored");
    let personal = app.instagram.issue_token(accounts::PERSONAL);
    let answer = ada.post(SAVE, body(&personal, "17841400000000000", json!(5_000_000))).await;
    assert_eq!(answer.body["reason"], "personal_account", "{answer}");
}

#[actix_web::test]
async fn saving_asks_instagram_nothing_more() {
    let (app, ada) = TestApp::connected().await;
    assert_eq!(app.instagram.requests(Endpoint::Any), 3, "code, long-lived token, profile");
    ada.connection().await;
    assert_eq!(app.instagram.requests(Endpoint::Any), 3);
}

#[actix_web::test]
async fn several_accounts_of_one_person_are_listed_and_ended_one_by_one() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let list = &format!("{MY_INSTAGRAM}/connections");
    let none = ada.get(list).await;
    assert_eq!((none.status, &none.body), (200, &json!({"ok": true, "connections": []})));
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.clock.advance(Duration::from_secs(1));
    app.connect(&ada, accounts::CREATOR).await;
    let both = ada.get(list).await;
    assert_eq!(both.header("cache-control"), "no-store");
    let both = both.body["connections"].clone();
    let in_use = || async {
        let mut connection = ada.connection().await.body["connection"].clone();
        connection["current"] = true.into();
        connection
    };
    assert_eq!(both[0], in_use().await, "the one in use comes first");
    assert_eq!(both[1]["current"], false);
    let usernames = |connections: &Value| -> Vec<String> {
        let all = connections.as_array().unwrap().iter();
        all.map(|connection| connection["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(usernames(&both), [accounts::CREATOR, accounts::RECORD_SHOP]);
    assert_eq!(bob.get(list).await.body["connections"], json!([]));

    let one = |user: &str| format!("{INSTAGRAM}/{user}/connections/{}", both[1]["id"].as_str().unwrap());
    assert_eq!(bob.delete(&one("me")).await.failure(), "404 not_found", "it is ada's");
    assert_eq!(bob.delete(&one(&ada.id)).await.failure(), "403 forbidden");
    assert_eq!(ada.delete(&one("me")).await.status, 200);
    assert_eq!(ada.delete(&one("me")).await.failure(), "404 not_found", "it has ended");
    assert_eq!(ada.delete(&format!("{list}/$ne")).await.failure(), "404 not_found");
    assert_eq!(usernames(&ada.get(list).await.body["connections"]), [accounts::CREATOR]);
    assert_eq!(in_use().await, both[0], "the other is as it was");
}

#[actix_web::test]
async fn a_save_that_fails_here_can_be_tried_again() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await.body;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let failing =
        "CREATE TRIGGER broken BEFORE INSERT ON instagram_connections BEGIN SELECT RAISE(FAIL, 'no'); END";
    database.execute_batch(failing).unwrap();
    assert_eq!(ada.save(&exchanged).await.failure(), "500 internal");
    database.execute_batch("DROP TRIGGER broken").unwrap();
    assert_eq!(ada.save(&exchanged).await.status, 200);
    assert_eq!(ada.save(&exchanged).await.failure(), "422 validation_failed");
}

#[actix_web::test]
async fn a_connection_that_has_not_changed_is_not_sent_again() {
    let (app, ada) = TestApp::connected().await;
    for path in [MY_INSTAGRAM, INSTAGRAM] {
        let ask = |known: &str| {
            Answer::of(ada.request(Method::GET, path).header("if-none-match", known.to_owned()))
        };
        let first = ada.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && first.header("cache-control") == "no-store", "{tag}");
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let again = ask(&known).await;
            assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()));
            assert_eq!(again.header("cache-control"), "no-store");
            assert_eq!(again.header("vary"), first.header("vary"));
        }
        app.instagram.set_followers(accounts::RECORD_SHOP, 7 + path.len() as u64);
        assert_eq!(ada.instagram().sync().await.status, 200);
        let changed = ask(&tag).await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), tag);
    }
    assert_eq!(app.anonymous().connection().await.failure(), "401 unauthenticated");
    let bob = app.with_user("bob").await;
    let any = bob.request(Method::GET, MY_INSTAGRAM).header("if-none-match", "*");
    assert_eq!(Answer::of(any).await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn a_handle_that_is_used_is_saved_even_if_its_client_hangs_up() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let key = ada.personal_key(&["connections:read", "connections:write"]).await;
    // The first use of a key is a write of its own.
    assert_eq!(app.with_key(&key).connection().await.failure(), "404 not_connected");
    let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    let save = ada.request(Method::POST, SAVE).bearer_auth(key).json(&ada.save_body(&exchanged.body));
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Until then it waits for the database to take the handle as used.
    hang_up(save, tokio::time::sleep(Duration::from_secs(1))).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    database.execute_batch("ROLLBACK").unwrap();
    eventually(&ada, |connection| connection["username"] == accounts::RECORD_SHOP).await;
}
