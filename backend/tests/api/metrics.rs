//! `/metrics` on its own address.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backend::clock::SystemClock;
use backend::config::{Config, Variables};
use backend::server::Service;
use connection_store::test_support::MongoServer;
use instagram_simulator::{Endpoint, Fault, Times, accounts};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::callers::{MY_INSTAGRAM, SESSION};
use crate::support::metrics::{METRICS, read, scrape, value};
use crate::support::{APP_SECRET, DAY, KEYS, PASSWORD, Process, TestApp, client};

#[actix_web::test]
async fn metrics_count_what_happens_and_name_nobody() {
    // A poll of an hour: whatever is counted here, people asked for.
    let app = TestApp::start_with(&[METRICS, ("REFRESH_POLL_SECONDS", "3600")]);
    let ada = app.with_connection().await;
    assert_eq!(
        value(&app, "refreshes_total{provider=\"instagram\",outcome=\"refreshed\"}").await,
        0.0,
        "there from the start"
    );
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    let path = MY_INSTAGRAM;
    for (fault, expected) in [(Some(Fault::Html), 502), (Some(Fault::RateLimited), 429), (None, 200)] {
        if let Some(fault) = fault {
            app.instagram.fault(Endpoint::Refresh, fault, Times::ONCE);
        }
        assert_eq!(ada.post(&format!("{path}/refresh"), json!({})).await.status, expected);
        // For as long as Instagram wants no calls.
        app.clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(ada.post(&format!("{path}/sync"), json!({})).await.status, 200);
    app.instagram.revoke(accounts::RECORD_SHOP, 460);
    assert_eq!(ada.post(&format!("{path}/sync"), json!({})).await.status, 409);
    ada.get("/somewhere/canary-path?canary-query").await;
    let brew = Method::from_bytes(b"CANARYBREW").unwrap();
    crate::support::Answer::of(ada.request(brew, "/healthz")).await;

    let text = scrape(&app).await;
    let route = "route=\"/api/integrations/{provider}/{userId}/refresh\"";
    for (name, expected) in [
        ("refreshes_total{provider=\"instagram\",outcome=\"refreshed\"}".to_owned(), 1.0),
        ("refreshes_total{provider=\"instagram\",outcome=\"rate_limited\"}".to_owned(), 1.0),
        ("refreshes_total{provider=\"instagram\",outcome=\"rescheduled\"}".to_owned(), 1.0),
        ("refreshes_total{provider=\"instagram\",outcome=\"dead\"}".to_owned(), 0.0),
        ("syncs_total{provider=\"instagram\",outcome=\"synced\"}".to_owned(), 1.0),
        ("syncs_total{provider=\"instagram\",outcome=\"dead\"}".to_owned(), 1.0),
        ("upstream_requests_total{provider=\"instagram\",endpoint=\"code_exchange\",outcome=\"ok\"}".to_owned(), 1.0),
        ("upstream_requests_total{provider=\"instagram\",endpoint=\"refresh\",outcome=\"ok\"}".to_owned(), 1.0),
        ("upstream_requests_total{provider=\"instagram\",endpoint=\"refresh\",outcome=\"rate_limited\"}".to_owned(), 1.0),
        ("upstream_requests_total{provider=\"instagram\",endpoint=\"profile\",outcome=\"needs_reauthorization\"}".to_owned(), 1.0),
        ("upstream_request_duration_seconds_count{provider=\"instagram\",endpoint=\"refresh\"}".to_owned(), 3.0),
        (format!("http_request_duration_seconds_count{{method=\"POST\",{route},status=\"200\"}}"), 1.0),
        (format!("http_request_duration_seconds_count{{method=\"POST\",{route},status=\"429\"}}"), 1.0),
        (
            "http_request_duration_seconds_count{method=\"GET\",route=\"unmatched\",status=\"404\"}"
                .to_owned(),
            1.0,
        ),
        (
            "http_request_duration_seconds_count{method=\"other\",route=\"/healthz\",status=\"405\"}"
                .to_owned(),
            1.0,
        ),
        ("oldest_due_refresh_age_seconds".to_owned(), 0.0),
        (format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        assert_eq!(read(&text, &name), Some(expected), "{name} in {text}");
    }
    for job in ["refresh", "sync", "maintenance", "webhooks"] {
        assert!(read(&text, &format!("job_age_seconds{{job=\"{job}\"}}")).is_some(), "{job} in {text}");
    }
    assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
    assert!(text.ends_with("# EOF\n"));
    let names = [ada.id.as_str(), "17841400000000000", accounts::RECORD_SHOP];
    for secret in ["IGAA", "canary", "CANARY", APP_SECRET, PASSWORD].into_iter().chain(names) {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[actix_web::test]
async fn without_an_app_there_is_nothing_to_renew_and_nothing_to_wait_for() {
    let app = TestApp::start_with(&[METRICS, ("INSTAGRAM_APP_ID", "")]);
    let text = scrape(&app).await;
    let age = |job: &str| read(&text, &format!("job_age_seconds{{job=\"{job}\"}}"));
    assert_eq!((age("refresh"), age("sync")), (None, None), "{text}");
    assert!(age("maintenance").is_some(), "{text}");
}

#[actix_web::test]
async fn what_is_due_for_long_shows() {
    let app = TestApp::start_with(&[METRICS, ("REFRESH_POLL_SECONDS", "3600")]);
    let ada = app.with_connection().await;
    let connection = ada.connection().await.body["connection"].clone();
    let life = |field: &str| connection[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let due_after = life("expiresAt").duration_since(life("connectedAt")).as_secs_f64() - 30.0 * 86_400.0;
    app.clock.advance(35 * DAY);
    let age = value(&app, "oldest_due_refresh_age_seconds").await;
    let expected = 35.0 * 86_400.0 - due_after;
    assert!((expected - 5.0..expected + 30.0).contains(&age), "{age} is not about {expected}");
}

#[actix_web::test]
async fn a_token_of_a_short_life_is_due_since_it_was_a_day_old() {
    let app = TestApp::start_with(&[METRICS, ("REFRESH_POLL_SECONDS", "3600")]);
    let ada = app.with_user("ada").await;
    let own = json!({
        "userId": ada.id,
        "access_token": app.instagram.issue_token(accounts::RECORD_SHOP),
        "user_id": app.instagram.account_ids(accounts::RECORD_SHOP).professional,
        "expires_in": 20 * 86_400,
    });
    assert_eq!(ada.save_connection(own).await.status, 200);
    app.clock.advance(Duration::from_secs(25 * 3600));
    let age = value(&app, "oldest_due_refresh_age_seconds").await;
    assert!((3600.0..3700.0).contains(&age), "{age} is not about an hour");
}

#[actix_web::test]
async fn the_address_has_metrics_alone_and_the_main_one_has_none() {
    let app = TestApp::start_with(&[METRICS]);
    let metrics = app.service.metrics_url.clone().unwrap();
    for path in ["", "/", "/healthz", SESSION, "/metrics/"] {
        let url = metrics.replace("/metrics", path);
        assert_eq!(client().get(&url).send().await.unwrap().status(), 404, "{url}");
    }
    assert_eq!(app.anonymous().get("/metrics").await.failure(), "404 not_found");
    assert_eq!(TestApp::start().service.metrics_url, None, "unless asked for, there is no such address");
}

#[actix_web::test]
async fn metrics_are_there_when_the_database_is_not() {
    let mut server = MongoServer::start_own();
    let app = TestApp::start_with(&[METRICS, ("DATABASE_URL", &server.fresh_database_url())]);
    assert_eq!(value(&app, "oldest_due_refresh_age_seconds").await, 0.0);
    server.stop();
    let asked = Instant::now();
    let text = scrape(&app).await;
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(read(&text, "oldest_due_refresh_age_seconds"), None, "nobody knows now: {text}");
    assert_eq!(read(&text, "refreshes_total{provider=\"instagram\",outcome=\"refreshed\"}"), Some(0.0));
}

#[actix_web::test]
async fn an_address_that_cannot_be_had_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("test.db").display());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let with = |address: &str| {
        let pairs = [("TOKEN_ENCRYPTION_KEYS", KEYS), ("BIND_ADDRESS", "127.0.0.1:0")];
        let pairs = pairs.into_iter().chain([("DATABASE_URL", database.as_str()), (METRICS.0, address)]);
        Config::from_env(&Variables::from_iter(pairs))
    };
    for wrong in ["localhost", "9464", "127.0.0.1"] {
        let message = with(wrong).unwrap_err().to_string();
        assert!(message.starts_with("METRICS_ADDRESS: expected an IP address and port"), "{message}");
    }
    let started = Service::start(&with(&address).unwrap(), Arc::new(SystemClock)).await;
    let message = started.err().unwrap().to_string();
    assert!(message.starts_with(&format!("cannot listen on {address} (METRICS_ADDRESS)")), "{message}");
}

#[actix_web::test]
async fn a_process_with_metrics_stops_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&folder, &[METRICS]);
    let address = |output: &str| {
        let events = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut served = events.filter(|event| event["message"] == "metrics are served");
        served.find_map(|event| event["address"].as_str().map(str::to_owned))
    };
    let address = address(&process.output.lock().unwrap()).unwrap();
    // A connection that is kept open holds nothing up.
    let client = client();
    assert_eq!(client.get(format!("http://{address}/metrics")).send().await.unwrap().status(), 200);
    let asked = Instant::now();
    process.terminate();
    assert!(process.child.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert!(client.get(format!("http://{address}/metrics")).send().await.is_err());
}
