//! Requests and answers as they go over the wire, and what can happen to them.

use std::net::TcpListener;

use spotify_client::SpotifyClient;
use upstream::UpstreamError;
use upstream::testing::Canned;
use url::form_urlencoded;

use crate::app::{
    ACCESS_TOKEN, REDIRECT_URI, REFRESH_TOKEN, VERIFIER, access_token, answered, client_of, config_of,
    refresh_token, verifier,
};

const TOKENS: &str =
    r#"{"access_token":"BQx","token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}"#;

/// Base64 of the client's id, a colon and its secret.
const BASIC: &str = "authorization: Basic NWZlMDEyODJlNDQyNDEzMjhhODRlN2M1Y2MxNjkxNjU6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Checks what is the same in both token requests, and returns the form in order.
fn token_form(request: &str) -> Vec<(String, String)> {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/token HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert!(head.contains(BASIC), "{head}");
    let mut form: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    form.sort();
    form
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn the_code_exchange_posts_the_documented_form() {
    let server = Canned::json(TOKENS);
    client_of(&server).exchange_code("AQBx-7_Lk", &verifier()).await.unwrap();
    let expected = [
        ("code", "AQBx-7_Lk"),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT_URI),
    ];
    assert_eq!(token_form(&server.request()), pairs(&expected));
}

#[tokio::test]
async fn the_refresh_posts_the_token_alone() {
    let server = Canned::json(TOKENS);
    client_of(&server).refresh(&refresh_token()).await.unwrap();
    let expected = [("grant_type", "refresh_token"), ("refresh_token", REFRESH_TOKEN)];
    assert_eq!(token_form(&server.request()), pairs(&expected));
}

#[tokio::test]
async fn the_profile_is_asked_for_with_the_token_in_a_header() {
    let server = Canned::json(r#"{"id":"wizzler"}"#);
    client_of(&server).profile(&access_token()).await.unwrap();
    let request = server.request();
    assert!(request.starts_with("GET /v1/me HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {ACCESS_TOKEN}")), "{request}");
}

/// The error of each call, from one answer.
async fn errors_of(server: &Canned) -> [UpstreamError; 4] {
    let client = client_of(server);
    [
        client.exchange_code("AQB", &verifier()).await.unwrap_err(),
        client.refresh(&refresh_token()).await.unwrap_err(),
        client.profile(&access_token()).await.unwrap_err(),
        client.get(&["me"], &[], &access_token()).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let error = client_of(&Canned::silent()).refresh(&refresh_token()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Timeout);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_retryable() {
    for raw in
        ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"BQx\"", "nonsense\r\n\r\n"]
    {
        for error in errors_of(&Canned::raw(raw)).await {
            assert!(matches!(error, UpstreamError::Retryable { sent: true, .. }), "{raw}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = SpotifyClient::new(config_of(&base)).unwrap();
    let error = client.refresh(&refresh_token()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Retryable { sent: false, .. }), "{error:?}");
}

#[tokio::test]
async fn neither_a_page_nor_a_redirect_nor_nothing_is_an_answer() {
    let html = "<!DOCTYPE html><html><body>Something went wrong</body></html>";
    for server in [
        Canned::answer(200, &["Content-Type: text/html"], html),
        Canned::answer(200, &[], ""),
        Canned::answer(204, &[], ""),
        Canned::answer(302, &["Location: http://127.0.0.1:9/"], ""),
        Canned::answer(400, &["Content-Type: text/html"], html),
        Canned::answer(403, &["Content-Type: text/html"], html),
        Canned::answer(404, &[], html),
    ] {
        for error in errors_of(&server).await {
            assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let endless = format!(r#"{{"id":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    let error = answered(&endless).profile(&access_token()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Unintelligible { reason: "a body above 1 MiB".to_owned() });
}
