//! The same service on MongoDB, and what people see while the database is away.

use std::time::Duration;

use connection_store::test_support::MongoServer;
use connection_store::test_support::wire::{Fault as WireFault, Wired};
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Method;

use crate::support::callers::proxied;
use crate::support::{Answer, OFTEN, TestApp, eventually, pass};

#[actix_web::test]
async fn the_whole_flow_works_on_mongodb() {
    let server = MongoServer::shared();
    let app = TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())]);
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let saved = app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(saved.status, 200, "{saved}");
    assert_eq!(ada.connection().await.body["connection"]["username"], accounts::RECORD_SHOP);
    assert_eq!(app.connect(&bob, accounts::RECORD_SHOP).await.failure(), "409 account_in_use");
    assert_eq!(ada.instagram().disconnect().await.status, 200);
    assert_eq!(app.connect(&bob, accounts::RECORD_SHOP).await.status, 200);
    assert_eq!(ada.sign_out().await.status, 200);
    assert_eq!(ada.connection().await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn service_resumes_by_itself_when_the_database_comes_back() {
    let mut server = MongoServer::start_own();
    let app = TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())]);
    let ada = app.with_connection().await;
    server.stop();
    for answer in [ada.connection().await, ada.get("/readyz").await, ada.begin_login("").await] {
        assert_eq!(answer.failure(), "503 unavailable", "{answer}");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    assert_eq!(ada.get("/healthz").await.status, 200, "the process lives");
    server.restart();
    let mut back: Answer = ada.connection().await;
    for _ in 0..50 {
        if back.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        back = ada.connection().await;
    }
    assert_eq!(back.status, 200, "{back}");
    assert_eq!(ada.get("/readyz").await.status, 200);
}

/// Two elections, one after the other, begin while Instagram renews a token. It gives the new one once.
#[actix_web::test]
async fn a_renewed_token_outlasts_two_elections() {
    const AWAY: Duration = Duration::from_secs(25);
    let mut server = MongoServer::start_own();
    let url = server.fresh_database_url();
    let app = TestApp::start_with(&[("DATABASE_URL", &url), ("INSTAGRAM_TIMEOUT_SECONDS", "10"), OFTEN]);
    let ada = app.with_connection().await;
    let before = ada.connection().await.body["connection"]["expiresAt"].clone();
    app.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 2000 }, Times::ONCE);
    pass(&app, &[&ada], 35).await;
    while app.instagram.requests(Endpoint::Refresh) == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.stop();
    tokio::time::sleep(AWAY).await;
    server.restart();
    // Otherwise the token is lost.
    eventually(&ada, |connection| connection["expiresAt"].as_str() > before.as_str()).await;
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 1);
}

/// An election begins between the use of a handle and the save.
#[actix_web::test]
async fn a_handle_is_saved_though_an_election_begins() {
    let wired = Wired::new().await;
    let app = TestApp::start_with(&[("DATABASE_URL", &wired.url)]);
    let ada = app.with_user("ada").await;
    wired.fault("findAndModify", "instagram_connections", WireFault::step_down());
    wired.fault("findAndModify", "instagram_connections", WireFault::CutOff);
    let saved = app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(saved.status, 200, "{saved}");
    assert!(wired.is_clear());
    assert_eq!(ada.event_types().await, ["connected"], "it was connected once");
}

/// Instagram has refused it, so that nothing was done, or nobody has begun: a repetition is carried out.
#[actix_web::test]
async fn an_election_leaves_no_claim_behind() {
    let media = &proxied("me/media");
    const CLAIMS: &str = "repeatable_requests";
    let wired = Wired::new().await;
    let app = TestApp::start_with(&[("DATABASE_URL", &wired.url)]);
    let ada = app.with_connection().await;
    let image = serde_json::json!({"image_url": "https://wreckshop.com/a.jpg"});
    let post = async |key: &str| {
        Answer::of(ada.request(Method::POST, media).header("idempotency-key", key).json(&image)).await
    };
    let begins_anew = async |key: &str| {
        let mut again = post(key).await;
        for _ in 0..50 {
            if again.status == 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            again = post(key).await;
        }
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, ""), "{key}: {again}");
    };
    app.instagram.fault(Endpoint::Graph, Fault::graph_error(100, None), Times::ONCE);
    // The driver tries twice by itself.
    for _ in 0..2 {
        wired.fault("delete", CLAIMS, WireFault::step_down());
    }
    assert_eq!(post("refused").await.failure(), "400 invalid_request");
    begins_anew("refused").await;
    assert!(wired.is_clear());

    wired.fault("insert", CLAIMS, WireFault::Unconfirmed);
    wired.fault("find", CLAIMS, WireFault::step_down());
    assert_eq!(post("not-begun").await.failure(), "503 unavailable");
    begins_anew("not-begun").await;
    assert!(wired.is_clear());
}
