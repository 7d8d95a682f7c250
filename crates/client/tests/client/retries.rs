//! Retries: which calls are made again, and when.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use instagram_connect_client::shared::{CreateHostLink, ErrorCode};
use instagram_connect_client::{Error, Login, Retries};

use super::canned::{Canned, answer, client_of, refusal};

const LINK: &str =
    r#"{"ok":true,"url":"https://x.example/auth/host?token=a","expiresAt":"2026-11-24T12:00:00.000Z"}"#;

fn wanted() -> CreateHostLink {
    CreateHostLink { user_id: "user-1".to_owned(), name: None, return_to: None }
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let canned =
        Canned::answers(&[&refusal(429, "rate_limited", Some(1)), &refusal(404, "not_connected", None)]);
    assert_eq!(canned.client.connection("user-1").await.unwrap(), None);
    assert_eq!(canned.requests().len(), 2);
    assert!(canned.pause() >= Duration::from_secs(1), "{:?}", canned.pause());
}

#[tokio::test]
async fn the_header_of_whoever_is_in_between_counts_as_well() {
    let busy = answer(503, "Retry-After: 1\r\n", "<html>busy</html>");
    let canned = Canned::answers(&[&busy, &answer(200, "", r#"{"ok":true}"#)]);
    canned.client.disconnect("user-1").await.unwrap();
    assert_eq!(canned.requests().len(), 2);
    assert!(canned.pause() >= Duration::from_secs(1), "{:?}", canned.pause());
}

#[tokio::test]
async fn a_date_to_wait_until_counts_as_well() {
    let busy = answer(503, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", "<html>busy</html>");
    let canned = Canned::answers(&[&busy]);
    let error = canned.client.disconnect("user-1").await.unwrap_err();
    assert!(error.retry_after().unwrap() > Duration::from_secs(86_400), "{error:?}");
    assert_eq!(canned.requests().len(), 1);
}

#[tokio::test]
async fn nobody_waits_for_hours() {
    let canned = Canned::answers(&[&refusal(429, "rate_limited", Some(86_393))]);
    let error = canned.client.connection("user-1").await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::RateLimited));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_393)));
    assert_eq!(canned.requests().len(), 1);
}

#[tokio::test]
async fn it_ends_after_the_times_that_are_set() {
    let canned = Canned::answers(&[&refusal(503, "unavailable", None)]);
    let error = canned.client.connection("user-1").await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Unavailable));
    assert_eq!(canned.requests().len(), 4);
}

#[tokio::test]
async fn what_creates_is_sent_again_under_one_name() {
    let canned = Canned::answers(&["", &refusal(503, "unavailable", None), &answer(201, "", LINK)]);
    let link = canned.client.create_host_link(&wanted()).await.unwrap();
    assert_eq!(link.url.expose(), "https://x.example/auth/host?token=a");
    let names = || canned.requests().into_iter().map(|request| idempotency_key(&request));
    assert_eq!(names().count(), 3);
    let first = names().next().unwrap();
    assert_eq!(first.len(), 32);
    assert!(names().all(|name| name == first), "{:?}", names().collect::<Vec<_>>());

    canned.client.create_host_link(&wanted()).await.unwrap();
    assert_ne!(names().next_back().unwrap(), first, "another call has another name");
}

#[tokio::test]
async fn what_cannot_be_repeated_is_not() {
    let canned = Canned::answers(&[&refusal(503, "unavailable", None)]);
    let client = &canned.client;
    let calls = [
        client.refresh("user-1").await.unwrap_err(),
        client.sync("user-1").await.unwrap_err(),
        client.exchange("user-1", "code", "state").await.unwrap_err(),
    ];
    assert!(calls.iter().all(|error| error.code() == Some(ErrorCode::Unavailable)), "{calls:?}");
    assert_eq!(canned.requests().len(), calls.len());
}

#[tokio::test]
async fn what_waiting_does_not_heal_is_not_repeated() {
    for (status, code) in
        [(503, "not_configured"), (500, "internal"), (502, "upstream_error"), (403, "forbidden")]
    {
        let canned = Canned::answers(&[&refusal(status, code, None)]);
        let error = canned.client.login_url("user-1", &Login::default()).await.unwrap_err();
        assert_eq!(error.code().unwrap().as_str(), code);
        assert_eq!(canned.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_asked_for_again() {
    let canned =
        Canned::answers(&["", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", &answer(200, "", LINK)]);
    canned.client.create_host_link(&wanted()).await.unwrap();
    assert_eq!(canned.requests().len(), 3);

    let canned = Canned::answers(&[""]);
    let error = canned.client.sync("user-1").await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
    assert_eq!(canned.requests().len(), 1, "it may have been carried out");
}

#[tokio::test]
async fn a_service_that_comes_back_is_reached() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let error = client_of(&url).sync("user-1").await.unwrap_err();
    assert!(matches!(error, Error::NotReached(_)), "{error:?}");

    let restarted = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        Canned::on(TcpListener::bind(address).unwrap(), &[&refusal(404, "not_connected", None)])
    });
    let patient = Retries { times: 8, first_pause: Duration::from_millis(10), ..Retries::default() };
    let error = client_of(&url).with_retries(patient).sync("user-1").await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NotConnected));
    assert_eq!(
        restarted.join().unwrap().requests().len(),
        1,
        "it was asked for once, though it may not be twice"
    );
}

/// The name that a request has.
fn idempotency_key(request: &str) -> String {
    let name = request.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
    name.unwrap_or_else(|| panic!("no name: {request}")).to_owned()
}
