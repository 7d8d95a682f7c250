//! Callbacks that Meta calls: an app that was removed, data that has to go, and the page that shows a person
//! the outcome.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connection_store::test_support::MongoServer;
use connection_store::{DeletionOf, NewDeletion};
use futures_util::TryStreamExt;
use instagram_simulator::{Options, SignedBy, UserIdForm, UserIdKind, accounts};
use jiff::{SignedDuration, Timestamp};
use mongodb::Database;
use mongodb::bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::Provider;

use crate::support::callers::{DATA_DELETION, DEAUTHORIZE, MY_INSTAGRAM};
use crate::support::meta::{signed, signed_as, tell};
use crate::support::{Answer, OFTEN, Person, TestApp, client, eventually};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn status(person: &Person) -> Value {
    person.connection().await.body["connection"]["status"].clone()
}

/// Counts the connection's events of this type.
async fn count(person: &Person, kind: &str) -> usize {
    person.event_types().await.iter().filter(|event| *event == kind).count()
}

async fn open(app: &TestApp, path: &str) -> reqwest::Response {
    let request = client().get(format!("{}{path}", app.url)).header("accept", "text/html,*/*;q=0.8");
    request.send().await.unwrap()
}

async fn a_removed_app_is_a_dead_token(app: &TestApp) {
    let ada = app.with_connection().await;
    for kind in [UserIdKind::AppScoped, UserIdKind::Professional] {
        for form in [UserIdForm::Text, UserIdForm::Number] {
            app.instagram.set_options(Options { signed_request_user_id: form, ..Options::default() });
            let before = count(&ada, "needs_reauthorization").await;
            let request = signed_as(app, kind, app.instagram.now());
            let answer = tell(app, DEAUTHORIZE, &request).await;
            assert_eq!((answer.status, answer.body), (200, json!({"ok": true})));
            let connection = ada.connection().await.body["connection"].clone();
            assert_eq!(connection["status"], "needs_reauthorization", "{kind:?} {form:?}");
            assert_eq!(connection["lastError"], "This app was removed in Instagram's settings.");
            let again = signed_as(app, kind, app.instagram.now() + SECOND);
            assert_eq!(tell(app, DEAUTHORIZE, &again).await.status, 200);
            assert_eq!(count(&ada, "needs_reauthorization").await, before + 1, "told once");
            app.connect(&ada, accounts::RECORD_SHOP).await;
            assert_eq!(status(&ada).await, "active", "reconnecting heals it");
        }
    }
}

#[actix_web::test]
async fn failure_3_a_removed_app_is_noticed_at_once() {
    a_removed_app_is_a_dead_token(&TestApp::start()).await;
}

#[actix_web::test]
async fn a_removed_app_is_noticed_on_mongodb() {
    let server = MongoServer::shared();
    a_removed_app_is_a_dead_token(&TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())]))
        .await;
}

#[actix_web::test]
async fn a_request_to_deauthorize_works_once_and_only_on_what_was_there() {
    let (app, ada) = TestApp::connected().await;
    let stale = signed(&app, app.instagram.now() - SECOND * 10);
    assert_eq!(tell(&app, DEAUTHORIZE, &stale).await.status, 200);
    assert_eq!(status(&ada).await, "active", "it was connected since");

    // Later than the reconnect, so that only the memory of it can make the replay harmless.
    let request = signed(&app, app.instagram.now() + SECOND * 3600);
    assert_eq!(tell(&app, DEAUTHORIZE, &request).await.status, 200);
    assert_eq!(status(&ada).await, "needs_reauthorization");
    app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(tell(&app, DEAUTHORIZE, &request).await.status, 200);
    let (signature, payload) = request.split_once('.').unwrap();
    assert_eq!(
        tell(&app, DEAUTHORIZE, &format!("{signature}=.{payload}")).await.status,
        200,
        "spelt otherwise"
    );
    assert_eq!(status(&ada).await, "active");
    assert_eq!(count(&ada, "needs_reauthorization").await, 1);
}

#[actix_web::test]
async fn a_request_to_deauthorize_that_broke_off_half_way_works_when_it_comes_again() {
    let (app, ada) = TestApp::connected().await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    // Nothing more can be written from the mark on, as if the process had died there.
    database
        .execute_batch(
            "CREATE TRIGGER no_mark BEFORE UPDATE OF needs_reauthorization_since ON instagram_connections
                BEGIN SELECT RAISE(ABORT, 'broken off'); END;
            CREATE TRIGGER no_release BEFORE DELETE ON used_handles
                BEGIN SELECT RAISE(ABORT, 'broken off'); END;",
        )
        .unwrap();
    let request = signed(&app, app.instagram.now());
    assert!(tell(&app, DEAUTHORIZE, &request).await.status >= 500);
    assert_eq!(status(&ada).await, "active");
    database.execute_batch("DROP TRIGGER no_mark; DROP TRIGGER no_release").unwrap();
    assert_eq!(tell(&app, DEAUTHORIZE, &request).await.status, 200);
    assert_eq!(status(&ada).await, "needs_reauthorization");
}

#[actix_web::test]
async fn an_account_that_nobody_has_is_no_error() {
    let (app, ada) = TestApp::connected().await;
    let request = app.instagram.signed_request(
        accounts::CREATOR,
        SignedBy::AppSecret,
        UserIdKind::AppScoped,
        app.instagram.now(),
    );
    assert_eq!(tell(&app, DEAUTHORIZE, &request).await.body, json!({"ok": true}));
    let answer = tell(&app, DATA_DELETION, &request).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(status(&ada).await, "active");
    let path = format!("{DATA_DELETION}/{}", answer.body["confirmation_code"].as_str().unwrap());
    let answer = app.anonymous().get(&path).await;
    assert_eq!((&answer.body["status"], &answer.body["connections"]), (&"completed".into(), &0.into()));
    let page = open(&app, &path).await.text().await.unwrap();
    assert!(page.contains("Nothing was stored about your account"), "{page}");
    assert!(!page.contains("Your data was deleted"), "{page}");
}

async fn everything_is_deleted(app: &TestApp) {
    let ada = app.with_connection().await;
    assert_eq!(ada.instagram().sync().await.status, 200);
    let request = signed(app, app.instagram.now());
    let answer = tell(app, DATA_DELETION, &request).await;
    assert_eq!(answer.status, 200, "{answer}");
    let code = answer.body["confirmation_code"].as_str().unwrap();
    assert!(code.len() >= 20, "{code}");
    let path = format!("{DATA_DELETION}/{code}");
    assert_eq!(answer.body["url"], format!("http://localhost:4002{path}"));
    for path in ["", "/history", "/events"] {
        let path = format!("{MY_INSTAGRAM}{path}");
        assert_eq!(ada.get(&path).await.failure(), "404 not_connected");
    }
    let status_now = app.anonymous().get(&path).await;
    assert_eq!((&status_now.body["ok"], &status_now.body["status"]), (&true.into(), &"completed".into()));
    assert_eq!(status_now.body["connections"], 1);
    assert!(status_now.body["requestedAt"].as_str() <= status_now.body["completedAt"].as_str());

    app.connect(&ada, accounts::RECORD_SHOP).await;
    let replayed = tell(app, DATA_DELETION, &request).await;
    assert_eq!((replayed.status, &replayed.body), (200, &answer.body), "the same answer");
    assert_eq!(status(&ada).await, "active", "what was connected later stays");
    assert_eq!(count(&ada, "connected").await, 1, "and has only its own past");
    let same = app.anonymous().get(&path).await;
    assert_eq!(same.body, status_now.body);
}

#[actix_web::test]
async fn a_wish_to_have_data_deleted_deletes_it_once() {
    let app = TestApp::start();
    everything_is_deleted(&app).await;
}

#[actix_web::test]
async fn a_wish_to_have_data_deleted_is_kept_on_mongodb() {
    let server = MongoServer::shared();
    everything_is_deleted(&TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())])).await;
}

#[actix_web::test]
async fn nothing_of_a_deleted_account_is_left_and_the_host_is_told_once() {
    // Nobody listens there, so what has to be told stays to be seen.
    let app = TestApp::start_with(&[
        ("OUTBOUND_WEBHOOK_URLS", "http://127.0.0.1:9/hook"),
        ("OUTBOUND_WEBHOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("OUTBOUND_WEBHOOK_ALLOW_PRIVATE", "true"),
    ]);
    let ada = app.with_connection().await;
    let bob = app.with_user("bob").await;
    app.connect(&bob, accounts::CREATOR).await;
    ada.instagram().disconnect().await;
    let request = signed_as(&app, UserIdKind::Professional, app.instagram.now());
    assert_eq!(tell(&app, DATA_DELETION, &request).await.status, 200, "an ended connection is data, too");
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let rows = |query: &str| database.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows("SELECT count(*) FROM instagram_connections"), 1);
    let of_bob = "SELECT id FROM instagram_connections";
    for table in ["connection_events", "connection_history"] {
        let left = format!("SELECT count(*) FROM {table} WHERE connection_id NOT IN ({of_bob})");
        assert_eq!(rows(&left), 0, "{table}");
        assert!(rows(&format!("SELECT count(*) FROM {table}")) > 0, "bob keeps his");
    }
    assert_eq!(
        rows("SELECT count(*) FROM deletions WHERE account_id IS NOT NULL"),
        0,
        "forgotten whose it was"
    );
    let told = format!("SELECT count(*) FROM webhook_deliveries WHERE connection_id NOT IN ({of_bob})");
    assert_eq!(rows(&told), 1);
    assert_eq!(rows(&format!("{told} AND kind = 'deleted'")), 1);
    assert_eq!(bob.connection().await.status, 200);
}

#[actix_web::test]
async fn nothing_of_a_deleted_account_is_left_on_mongodb() {
    let server = MongoServer::shared();
    let url = server.fresh_database_url();
    let app = TestApp::start_with(&[
        ("DATABASE_URL", &url),
        ("OUTBOUND_WEBHOOK_URLS", "http://127.0.0.1:9/hook"),
        ("OUTBOUND_WEBHOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("OUTBOUND_WEBHOOK_ALLOW_PRIVATE", "true"),
    ]);
    let ada = app.with_connection().await;
    assert_eq!(ada.instagram().sync().await.status, 200);
    let database = mongodb::Client::with_uri_str(&url).await.unwrap().default_database().unwrap();
    let before = collections_about_the_record_shop(&app, &database).await;
    let expected = ["connection_events", "connection_history", "instagram_connections", "webhook_deliveries"];
    assert_eq!(before, expected.map(|name| (name.to_owned(), before[name])).into());
    assert_eq!(tell(&app, DATA_DELETION, &signed(&app, app.instagram.now())).await.status, 200);
    let after = collections_about_the_record_shop(&app, &database).await;
    assert_eq!(after, [("webhook_deliveries".to_owned(), 1)].into(), "word of the deletion");
    let deliveries = database.collection::<Document>("webhook_deliveries");
    assert_eq!(deliveries.count_documents(doc! { "kind": "deleted" }).await.unwrap(), 1);
}

/// In which collections there is anything about the account, and how many documents.
async fn collections_about_the_record_shop(app: &TestApp, database: &Database) -> BTreeMap<String, usize> {
    let connections = database.collection::<Document>("instagram_connections");
    let mut marks = vec!["17841400000000000".to_owned(), accounts::RECORD_SHOP.to_owned()];
    marks.push(app.instagram.account_ids(accounts::RECORD_SHOP).app_scoped);
    if let Some(connection) = connections.find_one(doc! {}).await.unwrap() {
        marks.push(connection.get_object_id("_id").unwrap().to_hex());
    }
    let mut found = BTreeMap::new();
    for name in database.list_collection_names().await.unwrap() {
        let all = database.collection::<Document>(&name).find(doc! {}).await.unwrap();
        let all: Vec<String> = all.map_ok(|document| document.to_string()).try_collect().await.unwrap();
        let about = all.iter().filter(|text| marks.iter().any(|mark| text.contains(mark))).count();
        if about > 0 {
            found.insert(name, about);
        }
    }
    found
}

#[actix_web::test]
async fn a_deletion_that_a_process_left_behind_is_finished() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    let url = format!("sqlite:{}", app.database_file().display());
    let store = connection_store::connect(&url.parse().unwrap()).await.unwrap();
    let code = "0123456789abcdef0123456789abcdef";
    let now = Timestamp::now();
    let deletion = NewDeletion {
        code: code.to_owned(),
        of: DeletionOf::Account(
            Provider::Instagram,
            app.instagram.account_ids(accounts::RECORD_SHOP).app_scoped,
        ),
        connected_by: now + SECOND,
        connections: Some(1),
    };
    assert!(store.begin_deletion(deletion, now).await.unwrap());
    let path = format!("{DATA_DELETION}/{code}");
    let begun = app.anonymous().get(&path).await;
    assert_eq!((&begun.body["status"], &begun.body["completedAt"]), (&"in_progress".into(), &Value::Null));
    let page = open(&app, &path).await.text().await.unwrap();
    assert!(page.contains("Your data is being deleted"), "{page}");
    app.clock.advance(Duration::from_secs(600));
    eventually(&ada, Value::is_null).await;
    for _ in 0..50 {
        if app.anonymous().get(&path).await.body["status"] == "completed" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it was not finished");
}

#[actix_web::test]
async fn the_page_is_for_people_without_an_account() {
    let app = TestApp::start();
    app.with_connection().await;
    let answer = tell(&app, DATA_DELETION, &signed(&app, app.instagram.now())).await;
    let path = format!("{DATA_DELETION}/{}", answer.body["confirmation_code"].as_str().unwrap());
    let page = open(&app, &path).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = page.text().await.unwrap();
    assert!(html.contains("Your data was deleted on <time datetime="), "{html}");
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "the page may use its style: {policy}");
    for personal in [accounts::RECORD_SHOP, "17841400000000000", "Wreck", "ada"] {
        assert!(!html.contains(personal), "{personal}");
    }
    let head = Answer::of(app.anonymous().request(Method::HEAD, &path)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));

    let unknown = "f".repeat(32);
    for code in [unknown.as_str(), "x", "%3Cscript%3E", "..%2f"] {
        let path = format!("{DATA_DELETION}/{code}");
        assert_eq!(app.anonymous().get(&path).await.failure(), "404 not_found", "{code}");
        let page = open(&app, &path).await;
        assert_eq!(page.status(), 404, "{code}");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        let html = page.text().await.unwrap();
        assert!(html.contains("We do not know this code") && !html.contains("script"), "{html}");
    }
}

#[actix_web::test]
async fn what_meta_did_not_sign_does_nothing() {
    let (app, ada) = TestApp::connected().await;
    let now = app.instagram.now();
    let good = signed(&app, now);
    let (signature, payload) = good.split_once('.').unwrap();
    let other = SignedBy::Secret("another secret".to_owned());
    let forged = app.instagram.signed_request(accounts::RECORD_SHOP, other, UserIdKind::AppScoped, now);
    let other_payload = signed(&app, now + SECOND).split_once('.').unwrap().1.to_owned();
    for path in [DEAUTHORIZE, DATA_DELETION] {
        for text in [&forged, &format!("{signature}.{other_payload}"), &format!("AAAA.{payload}")] {
            let answer = tell(&app, path, text).await;
            assert_eq!(answer.failure(), "403 forbidden", "{path} {text}");
            assert!(answer.body["error"].as_str().unwrap().contains("signature"), "{answer}");
        }
        for text in ["", ".", "rubbish", &good.replace('.', ""), &format!("{good}.x"), "\0.\0", payload] {
            assert_eq!(tell(&app, path, text).await.failure(), "400 invalid_request", "{path} {text}");
        }
        let post = || client().post(format!("{}{path}", app.url));
        let without = Answer::of(post().form(&[("another", "field")])).await;
        assert_eq!(without.failure(), "400 invalid_request", "{path}");
        let json = Answer::of(post().json(&json!({"signed_request": good}))).await;
        assert_eq!(json.failure(), "415 unsupported_media_type", "{path}");
        assert!(json.body["error"].as_str().unwrap().contains("form"), "{json}");
        assert_eq!(tell(&app, path, &"x".repeat(70_000)).await.failure(), "413 payload_too_large", "{path}");
        let browser = post().header("origin", "https://evil.example").form(&[("signed_request", &good)]);
        assert_eq!(Answer::of(browser).await.failure(), "403 cross_site_request", "{path}");
    }
    assert_eq!(status(&ada).await, "active");
}

#[actix_web::test]
async fn the_meta_apps_secret_signs_where_it_is_known() {
    let request = |app: &TestApp| {
        let signed_by = SignedBy::Secret("canary-meta-secret".to_owned());
        app.instagram.signed_request(
            accounts::RECORD_SHOP,
            signed_by,
            UserIdKind::AppScoped,
            app.instagram.now(),
        )
    };
    let app = TestApp::start();
    assert_eq!(tell(&app, DEAUTHORIZE, &request(&app)).await.failure(), "403 forbidden");
    let app = app.restart_with(&[("META_APP_SECRET", "canary-meta-secret")]);
    let ada = app.with_connection().await;
    assert_eq!(tell(&app, DEAUTHORIZE, &request(&app)).await.status, 200);
    assert_eq!(status(&ada).await, "needs_reauthorization");
}

#[actix_web::test]
async fn without_an_app_there_is_nothing_to_verify_with() {
    let app = TestApp::start_with(&[("INSTAGRAM_APP_SECRET", "")]);
    for path in [DEAUTHORIZE, DATA_DELETION] {
        let answer = tell(&app, path, &signed(&app, app.instagram.now())).await;
        assert_eq!(answer.failure(), "503 not_configured", "{path}");
        assert_eq!(answer.body["missing"], json!(["INSTAGRAM_APP_SECRET"]));
    }
}
