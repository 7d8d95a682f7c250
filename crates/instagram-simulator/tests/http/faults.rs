//! Each kind of fault, seen from the client's side of the wire.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use instagram_simulator::{Config, Consent, Endpoint, Fault, Times, accounts};
use reqwest::StatusCode;
use serde_json::Value;

use super::{Instagram, code_of};

/// One request for the profile, while this fault waits for it.
async fn profile_during(fault: Fault) -> reqwest::Result<reqwest::Response> {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.fault(Endpoint::Profile, fault, Times::ONCE);
    let url = instagram.simulator.graph_url() + "/v25.0/me";
    let response = instagram.http.get(&url).bearer_auth(&token).send().await;
    // A fault is over when it is over.
    let next = instagram.http.get(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(next.status(), StatusCode::OK);
    assert_eq!(instagram.simulator.requests(Endpoint::Profile), 2);
    response
}

#[tokio::test]
async fn delay() {
    let start = Instant::now();
    let response = profile_during(Fault::Delay { ms: 300 }).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn rate_limits_carry_usage_headers() {
    for (fault, status) in [
        (Fault::RateLimited, StatusCode::TOO_MANY_REQUESTS),
        (Fault::RateLimited400, StatusCode::BAD_REQUEST),
    ] {
        let response = profile_during(fault).await.unwrap();
        assert_eq!(response.status(), status);
        let header =
            |name: &str| serde_json::from_slice::<Value>(response.headers()[name].as_bytes()).unwrap();
        assert_eq!(header("x-app-usage")["call_count"], 100);
        let business = &header("x-business-use-case-usage")["17841400000000000"][0];
        assert_eq!(business["estimated_time_to_regain_access"], 15);
        let body = response.json::<Value>().await.unwrap();
        assert_eq!(code_of(&body), (4, None));
        assert_eq!(body["error"]["type"], "OAuthException");
    }
}

#[tokio::test]
async fn server_error() {
    let response = profile_during(Fault::ServerError { status: 503 }).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["is_transient"], true);
}

#[tokio::test]
async fn bodies_that_are_not_the_expected_json() {
    let html = profile_during(Fault::Html).await.unwrap();
    assert_eq!(
        (html.status(), html.headers()["content-type"].as_bytes()),
        (StatusCode::OK, &b"text/html; charset=utf-8"[..])
    );
    assert!(html.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    let empty = profile_during(Fault::Empty).await.unwrap();
    assert_eq!((empty.status(), empty.text().await.unwrap().as_str()), (StatusCode::OK, ""));
    let other = profile_during(Fault::WrongJson).await.unwrap();
    assert_eq!(other.status(), StatusCode::OK);
    assert!(other.json::<Value>().await.unwrap().get("id").is_none());
}

#[tokio::test]
async fn graph_error() {
    let fault = Fault::GraphError {
        code: 2,
        subcode: Some(99),
        error_type: "IGApiException".to_owned(),
        message: "Later".to_owned(),
        is_transient: true,
    };
    let response = profile_during(fault).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.json::<Value>().await.unwrap();
    assert_eq!(code_of(&body), (2, Some(99)));
    assert_eq!(body["error"]["is_transient"], true);
    assert_eq!(body["error"]["type"], "IGApiException");
    let response = profile_during(Fault::graph_error(200, None)).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_truncated_answer_has_done_its_work() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow(accounts::RECORD_SHOP));
    instagram.simulator.fault(Endpoint::CodeExchange, Fault::Truncated, Times::ONCE);
    let form = [
        ("client_id", Config::APP_ID),
        ("client_secret", Config::APP_SECRET),
        ("grant_type", "authorization_code"),
        ("redirect_uri", Config::REDIRECT_URIS[0]),
        ("code", &code),
    ];
    let mut response = instagram.http.post(instagram.simulator.token_url()).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let promised = response.content_length().unwrap();
    let first = response.chunk().await.unwrap().expect("half of the body comes");
    assert_eq!(first.len() as u64, promised / 2);
    response.chunk().await.expect_err("the other half never does");
    assert_eq!(instagram.redeem(&code, &[]).await.0, StatusCode::BAD_REQUEST, "the code is used up");
}

/// Everything that comes back for a request for the profile, read without an HTTP client between.
fn raw_answer(fault: Fault) -> (Vec<u8>, std::io::Result<usize>) {
    let instagram = Instagram::start();
    instagram.simulator.fault(Endpoint::Any, fault, Times::Forever);
    let address = instagram.simulator.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(stream, "GET /v25.0/me HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer);
    (answer, end)
}

#[test]
fn a_reset_sends_nothing_but_rst() {
    let (answer, end) = raw_answer(Fault::Reset);
    assert_eq!(answer, b"");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_truncated_answer_ends_in_an_orderly_close() {
    let (answer, end) = raw_answer(Fault::Truncated);
    end.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), promised.parse::<usize>().unwrap() / 2);
}

#[tokio::test]
async fn a_dropped_simulator_does_not_wait_for_late_answers() {
    let instagram = Instagram::start();
    instagram.simulator.fault(Endpoint::Any, Fault::Delay { ms: 60_000 }, Times::Forever);
    let url = instagram.simulator.graph_url() + "/me";
    let waiting = tokio::spawn(instagram.http.get(url).send());
    while instagram.simulator.requests(Endpoint::Profile) == 0 {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    drop(instagram.simulator);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    waiting.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn faults_stay_where_they_were_put_and_can_be_taken_back() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.fault(Endpoint::Refresh, Fault::RateLimited, Times::Forever);
    assert_eq!(instagram.profile(&token, "id").await.0, StatusCode::OK);
    for _ in 0..3 {
        assert_eq!(instagram.refresh(&token).await.0, StatusCode::TOO_MANY_REQUESTS);
    }
    instagram.simulator.clear_faults();
    assert_eq!(code_of(&instagram.refresh(&token).await.1), (100, None), "too young, which is the truth");
    assert_eq!(instagram.simulator.requests(Endpoint::Refresh), 4);
    assert_eq!(instagram.simulator.requests(Endpoint::Any), 5);
    instagram.simulator.reset_requests();
    assert_eq!(instagram.simulator.requests(Endpoint::Any), 0);
}
