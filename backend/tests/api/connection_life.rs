//! `/api/integrations/instagram/{userId}/history` and `…/events`, and what writes them.

use std::time::Duration;

use connection_store::test_support::MongoServer;
use instagram_simulator::{Consent, Endpoint, Fault, Options, Times, accounts};
use serde_json::{Value, json};

use crate::support::callers::{LOGIN, MY_INSTAGRAM};
use crate::support::{OFTEN, Person, TestApp, eventually, pass};

const HOUR: Duration = Duration::from_secs(3600);

async fn history(person: &Person, query: &str) -> Value {
    let answer = person.instagram().history(query).await;
    assert_eq!(answer.status, 200, "{answer}");
    answer.body
}

async fn each_sync_is_a_point(app: &TestApp) {
    let ada = app.with_connection().await;
    for followers in [15_500, 15_600] {
        app.instagram.set_followers(accounts::RECORD_SHOP, followers);
        app.clock.advance(HOUR);
        assert_eq!(ada.instagram().sync().await.status, 200);
    }
    let whole = history(&ada, "").await;
    let followers: Vec<_> = whole["points"].as_array().unwrap().iter().map(|p| &p["followers"]).collect();
    assert_eq!(followers, [&json!(15_420), &json!(15_500), &json!(15_600)], "connecting reads it, too");
    assert_eq!(
        (&whole["points"][0]["following"], &whole["points"][0]["mediaCount"]),
        (&json!(823), &json!(456))
    );
    assert_eq!(whole["nextCursor"], Value::Null);

    let first = history(&ada, "limit=2").await;
    assert_eq!(first["points"], json!(whole["points"].as_array().unwrap()[..2]));
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = history(&ada, &format!("limit=2&cursor={cursor}")).await;
    assert_eq!(rest["points"], json!(whole["points"].as_array().unwrap()[2..]));
    assert_eq!(rest["nextCursor"], Value::Null);

    let at = |index: usize| whole["points"][index]["at"].as_str().unwrap().to_owned();
    let middle = history(&ada, &format!("from={}&to={}", at(1), at(1))).await;
    assert_eq!(middle["points"], json!([whole["points"][1]]), "both ends are in it");
}

#[actix_web::test]
async fn a_history_may_be_asked_for_up_to_the_ends_of_time() {
    let (_app, ada) = TestApp::connected().await;
    let (first, last) = ("-009999-01-02T01:59:59Z", "9999-12-30T22:00:00.999999999Z");
    for (query, points) in [
        (format!("to={last}"), 1),
        (format!("from={first}"), 1),
        (format!("from={first}&to={last}"), 1),
        (format!("from={last}"), 0),
        (format!("to={first}"), 0),
        (format!("from={last}&to={last}"), 0),
        ("to=9999-12-30T22:00:00Z".to_owned(), 1),
    ] {
        if query == format!("to={first}") {
            // It would end before it begins, in 1970.
            let answer = ada.instagram().history(&query).await;
            assert_eq!(answer.failure(), "422 validation_failed");
            continue;
        }
        assert_eq!(history(&ada, &query).await["points"].as_array().unwrap().len(), points, "{query}");
    }
}

/// Stores times that a repair by hand, another program or a broken disk could leave.
#[actix_web::test]
async fn stored_times_at_the_ends_of_the_calendar_break_nothing() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let (first, last) = (jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
    for (table, columns) in [
        (
            "instagram_connections",
            &[
                "token_issued_at",
                "token_expires_at",
                "connected_at",
                "last_connected_at",
                "last_synced_at",
                "needs_reauthorization_since",
                "refresh_lease_until",
                "refresh_not_before",
                "sync_lease_until",
                "sync_not_before",
            ][..],
        ),
        ("connection_events", &["at", "expires_at"]),
        ("connection_history", &["at", "expires_at"]),
        ("pauses", &["until"]),
        ("users", &["created_at"]),
        ("sessions", &["last_used_at"]),
    ] {
        for column in columns {
            for time in [first, last - 999, last, i64::MIN, i64::MAX] {
                let read = format!("SELECT {column} FROM {table} LIMIT 1");
                let before: Option<i64> = database.query_row(&read, [], |row| row.get(0)).unwrap_or_default();
                let change = format!("UPDATE OR IGNORE {table} SET {column} = ?1");
                database.execute(&change, [Some(time)]).unwrap();
                ada.connection().await;
                ada.instagram().history("").await;
                ada.instagram().events("").await;
                ada.instagram().sync().await;
                ada.instagram().refresh().await;
                ada.session().await;
                ada.sessions().await;
                database.execute(&change, [before]).unwrap();
            }
        }
    }
    assert_eq!(ada.connection().await.status, 200, "the service answers, as it did each time");
}

#[actix_web::test]
async fn each_sync_adds_a_point_to_the_history() {
    each_sync_is_a_point(&TestApp::start()).await;
}

#[actix_web::test]
async fn each_sync_adds_a_point_to_the_history_on_mongodb() {
    let server = MongoServer::shared();
    each_sync_is_a_point(&TestApp::start_with(&[("DATABASE_URL", &server.fresh_database_url())])).await;
}

#[actix_web::test]
async fn a_history_keeps_one_point_a_day_after_90_days() {
    let app = TestApp::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let ada = app.with_connection().await;
    pass(&app, &[&ada], 2).await;
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(60));
        assert_eq!(ada.instagram().sync().await.status, 200);
    }
    let before = history(&ada, "").await["points"].as_array().unwrap().len();
    assert!(before >= 4);
    for _ in 0..5 {
        pass(&app, &[&ada], 20).await;
    }
    let points = history(&ada, "").await["points"].as_array().unwrap().clone();
    let days: Vec<_> = points.iter().map(|point| point["at"].as_str().unwrap()[..10].to_owned()).collect();
    let mut once = days.clone();
    once.dedup();
    assert_eq!(days, once, "one a day");
    assert!(days.len() >= 2 && days.len() < before, "{days:?}");
}

#[actix_web::test]
async fn wrong_queries_are_refused_in_words() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    for (query, expected) in [
        ("history?limit=0", "422 validation_failed"),
        ("history?limit=1001", "422 validation_failed"),
        ("history?limit=many", "400 invalid_request"),
        ("history?from=yesterday", "400 invalid_request"),
        ("history?from=2025-11-10T00:00:00Z&to=2025-11-09T00:00:00Z", "422 validation_failed"),
        ("history?cursor=!", "400 invalid_request"),
        ("history?cursor=AAAA", "400 invalid_request"),
        ("events?limit=101", "422 validation_failed"),
        ("events?cursor=AAAA", "400 invalid_request"),
    ] {
        let answer = ada.get(&format!("{MY_INSTAGRAM}/{query}")).await;
        assert_eq!(answer.failure(), expected, "{query}");
    }
    for list in ["history", "events"] {
        let nobody = app.anonymous();
        assert_eq!(nobody.instagram_of(&ada.id).list(list, "").await.failure(), "401 unauthenticated");
        assert_eq!(bob.instagram_of(&ada.id).list(list, "").await.failure(), "403 forbidden");
        assert_eq!(bob.instagram().list(list, "").await.failure(), "404 not_connected");
    }
}

#[actix_web::test]
async fn events_tell_the_life_of_a_connection() {
    let (app, ada) = TestApp::connected().await;
    assert_eq!(ada.instagram().sync().await.status, 200);
    app.clock.advance(48 * HOUR);
    app.instagram.advance(48 * HOUR);
    app.instagram.fault(Endpoint::Refresh, Fault::Html, Times::ONCE);
    let refresh = async || ada.instagram().refresh().await.status;
    assert_eq!((refresh().await, refresh().await), (502, 200));
    app.instagram.revoke(accounts::RECORD_SHOP, 458);
    ada.instagram().sync().await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let whole = ["connected", "synced", "refresh_failed", "refreshed", "needs_reauthorization", "connected"];
    assert_eq!(ada.event_types().await, whole);

    let first = ada.instagram().events("limit=4").await.body;
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = ada.instagram().events(&format!("limit=4&cursor={cursor}")).await.body;
    assert_eq!((rest["events"].as_array().unwrap().len(), &rest["nextCursor"]), (2, &Value::Null));
    let dead = &first["events"][1];
    assert_eq!(dead["outcome"], "failed");
    assert_eq!(dead["message"], "This app was removed in Instagram's settings.");

    ada.instagram().disconnect().await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(ada.event_types().await[6..], ["disconnected", "connected"], "the history is kept");
}

#[actix_web::test]
async fn profiles_are_read_on_a_schedule() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    app.instagram.set_followers(accounts::RECORD_SHOP, 16_000);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(ada.connection().await.body["connection"]["followers"], 15_420, "it is not due");
    app.instagram.fault(Endpoint::Profile, Fault::Empty, Times::ONCE);
    app.clock.advance(6 * HOUR + Duration::from_secs(1));
    let failed = async || ada.event_types().await.contains(&"sync_failed".to_owned());
    while !failed().await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let connection = ada.connection().await.body["connection"].clone();
    assert_eq!((&connection["status"], &connection["followers"]), (&json!("active"), &json!(15_420)));
    app.clock.advance(Duration::from_secs(120));
    eventually(&ada, |connection| connection["followers"] == 16_000).await;
    assert_eq!(ada.event_types().await, ["connected", "sync_failed", "synced"]);
}

#[actix_web::test]
async fn a_withdrawn_permission_is_recorded_and_the_token_goes_on_being_renewed() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    let before = ada.connection().await.body["connection"]["expiresAt"].clone();
    app.instagram.fault(Endpoint::Profile, Fault::graph_error(10, None), Times::Forever);
    pass(&app, &[&ada], 35).await;
    let connection = eventually(&ada, |connection| {
        connection["expiresAt"].as_str() > before.as_str() && connection["missingScopes"] != json!([])
    })
    .await;
    assert_eq!(connection["missingScopes"], json!(["instagram_business_basic"]));
    assert_eq!(connection["status"], "active");
    app.clock.advance(7 * HOUR);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let lost = ada.event_types().await.iter().filter(|kind| *kind == "permission_lost").count();
    assert_eq!(lost, 1, "told once");
    app.instagram.clear_faults();
    app.clock.advance(7 * HOUR);
    eventually(&ada, |connection| connection["missingScopes"] == json!([])).await;
}

#[actix_web::test]
async fn a_rate_limit_stops_the_background_calls_of_every_service() {
    let server = MongoServer::shared();
    let database = server.fresh_database_url();
    let app = TestApp::start_with(&[OFTEN, ("DATABASE_URL", &database)]);
    let people = [app.with_user("ada").await, app.with_user("bob").await];
    app.connect(&people[0], accounts::RECORD_SHOP).await;
    app.connect(&people[1], accounts::CREATOR).await;
    let other = app.another(&[OFTEN, ("DATABASE_URL", &database)]);
    app.instagram.fault(Endpoint::Any, Fault::RateLimited400, Times::Forever);
    app.instagram.reset_requests();
    app.instagram.advance(7 * HOUR);
    app.clock.advance(7 * HOUR);
    while app.instagram.requests(Endpoint::Any) == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // Calls that were under way when the first answer came: both accounts, by one or both services.
    let asked = app.instagram.requests(Endpoint::Any);
    assert!(asked <= 2, "{asked}");
    tokio::time::sleep(Duration::from_millis(3000)).await;
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "nobody asks while the pause lasts");
    app.instagram.clear_faults();
    app.clock.advance(Duration::from_secs(16 * 60));
    while app.instagram.requests(Endpoint::Profile) < asked + 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(other);
}

#[actix_web::test]
async fn failure_7_concurrent_refreshes_ask_instagram_once() {
    // Instagram may give another text, or the same one with a later end.
    for refresh_rotates in [true, false] {
        let app = TestApp::start();
        app.instagram.set_options(Options { refresh_rotates, ..Options::default() });
        let ada = app.with_connection().await;
        app.clock.advance(48 * HOUR);
        app.instagram.advance(48 * HOUR);
        app.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 500 }, Times::ONCE);
        let refresh = || ada.instagram().refresh();
        let answers = futures_util::future::join_all((0..5).map(|_| refresh())).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(answer.body, answers[0].body);
        }
        assert_eq!(app.instagram.requests(Endpoint::Refresh), 1);
        assert_eq!(ada.event_types().await, ["connected", "refreshed"]);
    }
}

#[actix_web::test]
async fn failure_8_a_failure_that_goes_on_is_told_once() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    app.instagram.fault(Endpoint::Refresh, Fault::ServerError { status: 500 }, Times::Forever);
    pass(&app, &[&ada], 35).await;
    for tries in 1..=3 {
        while app.instagram.requests(Endpoint::Refresh) < tries {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        app.clock.advance(7 * HOUR);
    }
    let failures = async || ada.event_types().await.iter().filter(|kind| *kind == "refresh_failed").count();
    assert_eq!(failures().await, 1);
    app.instagram.clear_faults();
    app.clock.advance(7 * HOUR);
    eventually(&ada, |connection| connection["lastError"].is_null()).await;
    assert!(ada.event_types().await.contains(&"refreshed".to_owned()));
}

#[actix_web::test]
async fn failure_9_a_renewal_changes_the_token_and_nothing_else() {
    let (app, ada) = TestApp::connected().await;
    app.clock.advance(48 * HOUR);
    app.instagram.advance(48 * HOUR);
    app.instagram.set_followers(accounts::RECORD_SHOP, 1);
    let mut before = ada.connection().await.body["connection"].clone();
    let renewed = ada.instagram().refresh().await;
    let mut after = renewed.body["connection"].clone();
    assert_ne!(before["expiresAt"].take(), after["expiresAt"].take());
    assert_eq!(before, after);
}

#[actix_web::test]
async fn failure_14_an_app_without_access_costs_no_token_on_renewal() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    let before = ada.connection().await.body["connection"]["expiresAt"].clone();
    app.instagram.set_app_access(accounts::RECORD_SHOP, false);
    let unsupported = Fault::GraphError {
        code: 100,
        subcode: None,
        error_type: "IGApiException".to_owned(),
        message: "Unsupported request - method type: get".to_owned(),
        is_transient: false,
    };
    app.instagram.fault(Endpoint::Refresh, unsupported, Times::Forever);
    pass(&app, &[&ada], 35).await;
    let connection = eventually(&ada, |connection| connection["lastError"].is_string()).await;
    assert_eq!((&connection["status"], &connection["expiresAt"]), (&json!("active"), &before));
    assert!(connection["lastError"].as_str().unwrap().contains("app's owner"), "{connection}");
    app.instagram.clear_faults();
    app.instagram.set_app_access(accounts::RECORD_SHOP, true);
    app.clock.advance(7 * HOUR);
    eventually(&ada, |connection| connection["expiresAt"].as_str() > before.as_str()).await;
}

#[actix_web::test]
async fn failure_20_a_reconnect_expects_its_account_and_swaps_no_other_in() {
    let (app, ada) = TestApp::connected().await;
    assert_eq!(ada.instagram().sync().await.status, 200);
    let first = ada.connection().await.body["connection"].clone();
    let again = async |account: &str| {
        let login = ada.begin_login("reconnect=true&returnTo=/integrations").await;
        let auth_url = login.body["authUrl"].as_str().unwrap();
        assert!(auth_url.contains("force_reauth=true"), "a fresh sign-in: {auth_url}");
        let back = app.instagram.consent(auth_url, Consent::allow(account));
        let query = back.split_once('?').unwrap().1.to_owned();
        ada.callback(&query).await
    };
    let other = again(accounts::CREATOR).await;
    assert_eq!(other.body["expectedUsername"], accounts::RECORD_SHOP);
    assert_eq!(ada.connection().await.body["connection"], first, "nothing has changed yet");

    let same = again(accounts::RECORD_SHOP).await;
    assert!(same.body.get("expectedUsername").is_none(), "{same}");
    ada.save(&same.body).await;
    let healed = ada.connection().await.body["connection"].clone();
    assert_eq!((&healed["id"], &healed["connectedAt"]), (&first["id"], &first["connectedAt"]));
    assert_eq!(ada.event_types().await, ["connected", "synced", "connected"], "its past is kept");

    let saved = ada.save(&other.body).await;
    assert_eq!(saved.status, 200, "{saved}");
    assert_ne!(saved.body["connection"]["id"], first["id"], "a connection of its own");
    assert_eq!(ada.event_types().await, ["connected"]);
}

#[actix_web::test]
async fn one_of_several_accounts_is_reconnected_by_its_id() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let shop = ada.connection().await.body["connection"]["id"].as_str().unwrap().to_owned();
    app.clock.advance(Duration::from_secs(1));
    app.connect(&ada, accounts::CREATOR).await;
    app.instagram.revoke(accounts::RECORD_SHOP, 458);
    let login = format!("{LOGIN}?connectionId={shop}");
    assert_eq!(bob.get(&login).await.failure(), "404 not_found", "it is ada's");
    assert_eq!(ada.begin_login("connectionId=x").await.failure(), "404 not_found");
    let again = async |account: &str| {
        let auth_url = ada.get(&login).await.body["authUrl"].as_str().unwrap().to_owned();
        assert!(auth_url.contains("force_reauth=true"), "a fresh sign-in: {auth_url}");
        let back = app.instagram.consent(&auth_url, Consent::allow(account));
        ada.callback(back.split_once('?').unwrap().1).await
    };
    let other = again(accounts::CREATOR).await;
    assert_eq!(other.body["expectedUsername"], accounts::RECORD_SHOP, "though the other is in use");
    let same = again(accounts::RECORD_SHOP).await;
    assert!(same.body.get("expectedUsername").is_none(), "{same}");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(ada.save(&same.body).await.body["connection"]["id"], shop.as_str());
    assert_ne!(ada.connection().await.body["connection"]["id"], shop.as_str(), "the other stays in use");
}

/// A clock alone ends nothing: this machine's may be wrong.
#[actix_web::test]
async fn a_token_that_instagram_still_takes_is_not_marked_as_dead_at_its_end() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    let key = app.with_key(&ada.personal_key(&["connections:read"]).await);
    // Instagram's clock stays, and renews nothing that is so young to it.
    app.clock.advance(61 * 24 * HOUR);
    let asked = app.instagram.requests(Endpoint::Profile);
    for _ in 0..100 {
        if app.instagram.requests(Endpoint::Profile) > asked {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(
        app.instagram.requests(Endpoint::Profile),
        asked + 1,
        "asked once, and not again within the hour"
    );
    let shown = key.connection().await.body["connection"].clone();
    assert_eq!(shown["status"], "needs_reauthorization", "it shows as dead");
    let database = rusqlite::Connection::open(app.database_file()).unwrap();
    let marked = "SELECT count(*) FROM instagram_connections WHERE needs_reauthorization_since IS NOT NULL";
    assert_eq!(database.query_row(marked, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "and is not");
}

#[actix_web::test]
async fn a_token_that_has_ended_is_told_once() {
    let app = TestApp::start_with(&[OFTEN]);
    let ada = app.with_connection().await;
    app.instagram.fault(Endpoint::Refresh, Fault::ServerError { status: 503 }, Times::Forever);
    for _ in 0..3 {
        pass(&app, &[&ada], 25).await;
    }
    eventually(&ada, |connection| {
        connection["lastError"] == "Instagram's access for this account has ended."
    })
    .await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let told = ada.event_types().await.iter().filter(|kind| *kind == "needs_reauthorization").count();
    assert_eq!(told, 1);
}
