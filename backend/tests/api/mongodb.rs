//! The same service on MongoDB, and what people see while the database is away.

use std::time::Duration;

use connection_store::test_support::MongoServer;
use instagram_simulator::accounts;

use crate::support::{Answer, TestApp};

#[actix_web::test]
async fn the_whole_flow_works_on_mongodb() {
    let server = MongoServer::shared();
    let app = TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())]);
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let saved = app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(saved.status, 200, "{saved}");
    assert_eq!(ada.connection().await.body["connection"]["username"], accounts::RECORD_SHOP);
    assert_eq!(app.connect(&bob, accounts::RECORD_SHOP).await.failure(), "409 account_in_use");
    assert_eq!(ada.delete("/api/integrations/instagram/me").await.status, 200);
    assert_eq!(app.connect(&bob, accounts::RECORD_SHOP).await.status, 200);
    assert_eq!(ada.delete("/api/session").await.status, 200);
    assert_eq!(ada.connection().await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn service_resumes_by_itself_when_the_database_comes_back() {
    let mut server = MongoServer::start_own();
    let app = TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())]);
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    server.stop();
    for answer in [ada.connection().await, ada.get("/readyz").await, ada.get("/auth/instagram/login").await] {
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
