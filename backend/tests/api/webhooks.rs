//! Outbound webhooks: what a receiver gets, and what it does not.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use backend::clock::Clock;
use connection_store::test_support::MongoServer;
use instagram_simulator::{Consent, Endpoint, Fault, SignedBy, Times, UserIdKind, accounts};
use reqwest::Url;
use serde_json::{Value, json};

use crate::support::callers::{CALLBACK, DATA_DELETION, LOGIN, MY_INSTAGRAM, SAVE, USERS};
use crate::support::meta::tell;
use crate::support::metrics::{METRICS, value};
use crate::support::receiver::{A_LOOK, ALLOWED, Receiver, SECRET, SIGNED};
use crate::support::{DAY, PASSWORD, Process, TestApp, client, instagram_variables, simulator};

/// With the usual pause of a minute between other work: messages do not wait for that.
async fn each_change_is_told_once(changes: &[(&str, &str)]) {
    let receiver = Receiver::start();
    let app = TestApp::start_with(&[&receiver.variables(), changes].concat());
    let ada = app.with_user("ada").await;
    let saved = app.connect(&ada, accounts::RECORD_SHOP).await;
    let since = Instant::now();
    let created = receiver.wait_for(1).await.remove(0);
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    assert_eq!(created.body["type"], "connection.created");
    assert_eq!(created.body["timestamp"], saved.body["connection"]["connectedAt"]);
    let connection_id = saved.body["connection"]["id"].as_str().unwrap();
    let account = "17841400000000000";
    let data = json!({"connectionId": connection_id, "userId": ada.id, "userKind": "local", "provider": "instagram", "instagramUserId": account});
    assert_eq!(created.body["data"], data);

    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    let path = MY_INSTAGRAM;
    // What fails for the moment changes nothing, and is not told.
    for _ in 0..2 {
        app.instagram.fault(Endpoint::Refresh, Fault::Html, Times::ONCE);
        assert_eq!(ada.post(&format!("{path}/refresh"), json!({})).await.failure(), "502 upstream_error");
    }
    assert_eq!(ada.post(&format!("{path}/refresh"), json!({})).await.status, 200);
    receiver.wait_for(2).await;
    app.instagram.revoke(accounts::RECORD_SHOP, 458);
    // The same failure again and again is one change of state.
    for _ in 0..3 {
        assert_eq!(ada.post(&format!("{path}/sync"), json!({})).await.failure(), "409 needs_reauthorization");
    }
    receiver.wait_for(3).await;
    assert_eq!(ada.delete(path).await.status, 200);
    assert_eq!(ada.delete(path).await.failure(), "404 not_connected");
    receiver.wait_for(4).await;
    let (shop, kind) = (accounts::RECORD_SHOP, UserIdKind::AppScoped);
    let request = app.instagram.signed_request(shop, SignedBy::AppSecret, kind, app.clock.now());
    // A replay deletes nothing, and is not told.
    for _ in 0..2 {
        assert_eq!(tell(&app, DATA_DELETION, &request).await.status, 200);
    }
    let expected = ["created", "refreshed", "needs_reauthorization", "disconnected", "deleted"];
    assert_eq!(receiver.settled().await, expected.map(|what| format!("connection.{what}")));
    let got = receiver.got();
    let mut ids: Vec<_> = got.iter().map(|message| &message.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert!(got.iter().all(|message| message.body["data"] == data));
}

#[actix_web::test]
async fn failures_3_and_8_the_host_is_told_of_each_change_of_state_once() {
    each_change_is_told_once(&[]).await;
}

#[actix_web::test]
async fn failures_3_and_8_on_mongodb() {
    let server = MongoServer::shared();
    each_change_is_told_once(&[("DATABASE_URL", &server.fresh_database_url())]).await;
}

#[actix_web::test]
async fn what_was_not_accepted_is_sent_again_the_same() {
    let receiver = Receiver::start();
    let app = TestApp::start_with(&receiver.variables());
    receiver.answer(500, None, 1);
    receiver.answer(503, Some(("retry-after", "3600".into())), 1);
    app.with_connection().await;
    receiver.wait_for(1).await;
    app.clock.advance(Duration::from_secs(10));
    receiver.wait_for(2).await;
    app.clock.advance(Duration::from_secs(600));
    assert_eq!(receiver.settled().await.len(), 2, "it asked to be left alone for an hour");
    app.clock.advance(Duration::from_secs(3600));
    let [first, second, third] = receiver.wait_for(3).await.try_into().unwrap();
    for again in [&second, &third] {
        assert_eq!((&again.id, &again.text), (&first.id, &first.text));
    }
    assert!(first.timestamp < second.timestamp && second.timestamp < third.timestamp, "signed anew");
    app.clock.advance(DAY);
    assert_eq!(receiver.settled().await.len(), 3, "it has arrived");
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"failed\"}").await, 2.0);
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"delivered\"}").await, 1.0);
}

#[actix_web::test]
async fn a_receiver_that_never_accepts_is_given_up_after_a_day() {
    let receiver = Receiver::start();
    let app = TestApp::start_with(&receiver.variables());
    receiver.answer(500, None, 100);
    app.with_connection().await;
    receiver.wait_for(1).await;
    app.clock.advance(DAY - Duration::from_secs(60));
    receiver.wait_for(2).await;
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"given_up\"}").await, 0.0);
    app.clock.advance(Duration::from_secs(120));
    receiver.wait_for(3).await;
    app.clock.advance(DAY);
    assert_eq!(receiver.settled().await.len(), 3);
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"given_up\"}").await, 1.0);
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"delivered\"}").await, 0.0);
}

/// As a repair by hand or a broken disk leaves it. A job that panics would leave the rest of its batch behind each time.
#[actix_web::test]
async fn a_message_from_the_end_of_time_keeps_no_other() {
    let receiver = Receiver::start();
    let app = TestApp::start_with(&receiver.variables());
    receiver.answer(500, None, 1);
    app.with_connection().await;
    receiver.wait_for(1).await;
    assert_eq!(receiver.settled().await.len(), 1);
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let last = jiff::Timestamp::MAX.as_second() * 1000;
    assert_eq!(database.execute("UPDATE webhook_deliveries SET at = ?1", [last]).unwrap(), 1);
    receiver.answer(500, None, 1);
    app.clock.advance(Duration::from_secs(10));
    receiver.wait_for(2).await;
    app.clock.advance(Duration::from_secs(3600));
    receiver.wait_for(3).await;
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"failed\"}").await, 2.0);
}

#[actix_web::test]
async fn a_receiver_that_is_gone_is_left_alone_and_redirects_are_not_followed() {
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    let app = TestApp::start_with(&receiver.variables());
    receiver.answer(307, Some(("location", elsewhere.url.clone())), 1);
    receiver.answer(410, None, 1);
    app.with_connection().await;
    receiver.wait_for(1).await;
    app.clock.advance(Duration::from_secs(10));
    receiver.wait_for(2).await;
    app.clock.advance(Duration::from_secs(3600));
    assert_eq!(receiver.settled().await.len(), 2);
    assert!(elsewhere.got().is_empty());
    assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"gone\"}").await, 1.0);
}

#[actix_web::test]
async fn each_receiver_gets_its_own_and_one_that_was_taken_out_gets_no_more() {
    let (broken, working) = (Receiver::start(), Receiver::start());
    let urls = format!("{},{}", broken.url, working.url);
    let app = TestApp::start_with(&[("OUTBOUND_WEBHOOK_URLS", &urls), SIGNED, ALLOWED, METRICS]);
    broken.answer(500, None, 100);
    app.with_connection().await;
    assert_eq!(broken.wait_for(1).await[0].id, working.wait_for(1).await[0].id);
    let app = app.restart_with(&working.variables());
    // Another service may still know it, for as long as a message is tried.
    for (hours, dropped) in [(1, 0.0), (23, 1.0)] {
        app.clock.advance(Duration::from_secs(hours * 3600));
        tokio::time::sleep(A_LOOK).await;
        assert_eq!((broken.got().len(), working.got().len()), (1, 1));
        assert_eq!(value(&app, "webhook_deliveries_total{outcome=\"dropped\"}").await, dropped);
    }
}

async fn is_sent_by_one_service_only(changes: &[(&str, &str)]) {
    let receiver = Receiver::start();
    let changes = [&receiver.variables(), changes].concat();
    let app = TestApp::start_with(&changes);
    let _others = [app.another(&changes), app.another(&changes)];
    let ada = app.with_user("ada").await;
    for _ in 0..5 {
        assert_eq!(app.connect(&ada, accounts::RECORD_SHOP).await.status, 200);
    }
    assert_eq!(receiver.settled().await.len(), 5);
    let mut ids: Vec<_> = receiver.got().into_iter().map(|message| message.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each of them once");
}

#[actix_web::test]
async fn of_several_services_one_sends_a_message() {
    is_sent_by_one_service_only(&[]).await;
}

#[actix_web::test]
async fn of_several_services_on_mongodb_one_sends_a_message() {
    let server = MongoServer::shared();
    is_sent_by_one_service_only(&[("DATABASE_URL", &server.fresh_database_url())]).await;
}

#[actix_web::test]
async fn neither_the_secret_nor_a_urls_query_is_in_the_log_or_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let instagram = simulator();
    // Nobody listens there any more.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{dead}/canary-webhook-path?token=canary-webhook-query");
    let of_instagram = instagram_variables(&instagram);
    let mut variables = vec![("RUST_LOG", "trace"), ("OUTBOUND_WEBHOOK_URLS", &url), SIGNED, ALLOWED];
    variables.extend(of_instagram.iter().map(|(name, value)| (*name, value.as_str())));
    let process = Process::start(&folder, &variables);
    let client = client();
    let at = |path: &str| format!("{}{path}", process.url);
    let ask = async |request: reqwest::RequestBuilder| -> Value {
        request.header("accept", "application/json").send().await.unwrap().json().await.unwrap()
    };
    let user = json!({"email": "ada@example.com", "password": PASSWORD});
    let user = ask(client.post(at(USERS)).json(&user)).await;
    let login = ask(client.get(at(LOGIN))).await;
    let redirect =
        instagram.consent(login["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
    let query = Url::parse(&redirect).unwrap().query().unwrap().to_owned();
    let mut body = ask(client.get(at(&format!("{CALLBACK}?{query}")))).await;
    body["userId"] = user["user"]["id"].clone();
    assert_eq!(ask(client.post(at(SAVE)).json(&body)).await["ok"], true);
    tokio::time::sleep(A_LOOK).await;
    let logged = process.output.lock().unwrap().clone();
    assert!(logged.contains("a webhook was not delivered"), "{logged}");
    let mut stored = String::new();
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        stored.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
    for secret in [SECRET, "canary-webhook-secret", "canary-webhook-path", "canary-webhook-query"] {
        assert!(!logged.contains(secret), "{secret} is in the log");
        assert!(!stored.contains(secret), "{secret} is in the database");
    }
}

/// Accepts connections, and answers nothing on them. Tells how many there were.
fn hanging_receiver() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    // It ends with the test's process.
    thread::spawn(move || {
        let mut held = Vec::new();
        for connection in listener.incoming() {
            held.push(connection);
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, calls)
}

#[actix_web::test]
async fn a_receiver_that_hangs_does_not_keep_the_others_waiting() {
    let receiver = Receiver::start();
    let (hanging, calls) = hanging_receiver();
    let urls = format!("{hanging},{}", receiver.url);
    let app = TestApp::start_with(&[("OUTBOUND_WEBHOOK_URLS", &urls), SIGNED, ALLOWED]);
    let ada = app.with_connection().await;
    // More than two batches for the two of them.
    for _ in 1..25 {
        let body = json!({
            "userId": ada.id,
            "access_token": app.instagram.issue_token(accounts::RECORD_SHOP),
            "user_id": app.instagram.account_ids(accounts::RECORD_SHOP).professional,
            "expires_in": 5_000_000,
        });
        assert_eq!(ada.save_connection(body).await.status, 200);
    }
    for _ in 0..600 {
        if receiver.got().len() == 25 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.got().len(), 25);
    let calls = calls.load(Ordering::SeqCst);
    assert!((1..=10).contains(&calls), "{calls}: not each message waits for it anew");
}
