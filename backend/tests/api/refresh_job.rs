//! Tokens renew by themselves.

use std::time::Duration;

use connection_store::test_support::MongoServer;
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use mongodb::bson::{DateTime, Document, doc};
use serde_json::Value;

use crate::support::{DAY, OFTEN, TestApp, eventually, pass};

async fn renews_by_itself(app: &TestApp) {
    let ada = app.with_connection().await;
    let before = ada.connection().await.body["connection"].clone();
    pass(app, &[&ada], 20).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 0, "40 days are left");
    pass(app, &[&ada], 15).await;
    let after =
        eventually(&ada, |connection| connection["expiresAt"].as_str() > before["expiresAt"].as_str()).await;
    assert_eq!((&after["status"], &after["connectedAt"]), (&"active".into(), &before["connectedAt"]));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 1, "once is enough");
}

#[actix_web::test]
async fn failures_2_and_21_an_idle_connection_is_renewed_long_before_it_ends() {
    renews_by_itself(&TestApp::start_with(&[OFTEN])).await;
}

#[actix_web::test]
async fn an_idle_connection_is_renewed_on_mongodb() {
    let server = MongoServer::shared();
    renews_by_itself(&TestApp::start_with(&[OFTEN, ("DATABASE_URL", &server.fresh_database_url())])).await;
}

#[actix_web::test]
async fn failures_4_and_6_a_failed_renewal_costs_nothing_and_nobody_else() {
    let app = TestApp::start_with(&[OFTEN]);
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.connect(&bob, accounts::CREATOR).await;
    let before = ada.connection().await.body["connection"]["expiresAt"].clone();
    app.instagram.fault(Endpoint::Refresh, Fault::Empty, Times::ONCE);
    pass(&app, &[&ada, &bob], 35).await;
    let is_renewed = |connection: &Value| connection["expiresAt"].as_str() > before.as_str();
    let failed = |connection: &Value| !connection["lastError"].is_null();
    let first = async || {
        (ada.connection().await.body["connection"].clone(), bob.connection().await.body["connection"].clone())
    };
    for _ in 0..100 {
        let (a, b) = first().await;
        if (is_renewed(&a) && failed(&b)) || (is_renewed(&b) && failed(&a)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (a, b) = first().await;
    assert!(is_renewed(&a) != is_renewed(&b), "{a} {b}");
    assert_eq!((&a["status"], &b["status"]), (&"active".into(), &"active".into()));
    app.clock.advance(Duration::from_secs(120));
    for person in [&ada, &bob] {
        eventually(person, |connection| is_renewed(connection) && !failed(connection)).await;
    }
}

#[actix_web::test]
async fn failure_3_a_dead_token_is_noticed_and_said() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    app.instagram.revoke(accounts::RECORD_SHOP, 458);
    pass(&app, &[&ada], 35).await;
    let dead = eventually(&ada, |connection| connection["status"] == "needs_reauthorization").await;
    assert_eq!(dead["lastError"], "This app was removed in Instagram's settings.");
    // The sync job may have found out before the refresh job did.
    let asked = app.instagram.requests(Endpoint::Any);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "and not tried again");
}

/// A version that decided with each search leaves a token without a time, or with that of the token before.
#[actix_web::test]
async fn a_token_without_a_time_of_its_own_gets_one_and_is_not_forgotten() {
    let server = MongoServer::shared();
    let url = server.fresh_database_url();
    let app = TestApp::start_with(&[OFTEN, ("DATABASE_URL", &url)]);
    let ada = app.with_connection().await;
    let database = mongodb::Client::with_uri_str(&url).await.unwrap().default_database().unwrap();
    let connections = database.collection::<Document>("instagram_connections");
    let decided =
        async || connections.find_one(doc! {}).await.unwrap().unwrap().get_datetime("refreshAt").copied();
    let at_first = decided().await.unwrap();
    for left in
        [doc! { "$unset": { "refreshAt": "" } }, doc! { "$set": { "refreshAt": DateTime::from_millis(0) } }]
    {
        connections.update_one(doc! {}, left).await.unwrap();
        for _ in 0..100 {
            if decided().await.is_ok_and(|at| at == at_first) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(decided().await.unwrap(), at_first);
    }
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 0, "it is a minute old");
    let before = ada.connection().await.body["connection"]["expiresAt"].clone();
    pass(&app, &[&ada], 35).await;
    eventually(&ada, |connection| connection["expiresAt"].as_str() > before.as_str()).await;
}

#[actix_web::test]
async fn a_clock_that_is_wrong_ends_no_token() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    app.instagram.fault(Endpoint::Refresh, Fault::Empty, Times::Forever);
    app.instagram.advance(2 * DAY);
    for _ in 0..4 {
        app.clock.advance(15 * DAY + DAY / 2);
        ada.connection().await;
    }
    eventually(&ada, |connection| connection["status"] == "needs_reauthorization").await;
    app.instagram.clear_faults();
    app.clock.advance(DAY);
    eventually(&ada, |connection| connection["status"] == "active").await;
}

#[actix_web::test]
async fn another_window_holds_from_the_next_refresh_on() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let app = app.restart_with(&[OFTEN, ("REFRESH_WINDOW_DAYS", "50")]);
    let refreshed = async |times| {
        for _ in 0..100 {
            if app.instagram.requests(Endpoint::Refresh) == times {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(app.instagram.requests(Endpoint::Refresh), times);
    };
    pass(&app, &[], 20).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    refreshed(0).await;
    pass(&app, &[], 11).await;
    refreshed(1).await;
    pass(&app, &[], 11).await;
    refreshed(2).await;
}

#[actix_web::test]
async fn a_token_that_does_not_open_is_tried_until_it_expires() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let others = ("TOKEN_ENCRYPTION_KEYS", "other:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh4=");
    let app = app.restart_with(&[OFTEN, others]);
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let is = async |wanted: &str| {
        let query = format!("SELECT count(*) FROM instagram_connections WHERE {wanted}");
        for _ in 0..100 {
            if database.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap() == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it is not so that {wanted}");
    };
    pass(&app, &[], 35).await;
    is("last_error IS NOT NULL AND needs_reauthorization_since IS NULL").await;
    pass(&app, &[], 26).await;
    is("needs_reauthorization_since IS NOT NULL").await;
}
