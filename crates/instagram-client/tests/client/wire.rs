//! Requests and answers as they go over the wire, and what can happen to them.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::canned::{APP_ID, APP_SECRET, Canned, REDIRECT_URI, TOKEN, client_of, token};
use upstream::UpstreamError;
use url::form_urlencoded;

/// The parameters of a query or a form, in order.
fn parameters(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The path and the parameters of a GET.
fn get(request: &str) -> (&str, Vec<(String, String)>) {
    let target = request.strip_prefix("GET ").unwrap().split_once(' ').unwrap().0;
    let (path, query) = target.split_once('?').unwrap();
    (path, parameters(query))
}

#[tokio::test]
async fn the_code_exchange_posts_the_documented_form_without_the_fragment() {
    for code in ["AQBx-7_Lk", "AQBx-7_Lk#_"] {
        let canned = Canned::json(r#"{"access_token":"IGAAx"}"#);
        canned.client.exchange_code(code).await.unwrap();
        let request = canned.request();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /oauth/access_token HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
        assert!(!head.to_lowercase().contains("authorization:"), "{head}");
        let mut sent = parameters(body);
        sent.sort();
        let expected = [
            ("client_id", APP_ID),
            ("client_secret", APP_SECRET),
            ("code", "AQBx-7_Lk"),
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT_URI),
        ];
        assert_eq!(sent, pairs(&expected));
    }
}

#[tokio::test]
async fn the_long_lived_exchange_and_the_refresh_ask_as_documented() {
    let answer = r#"{"access_token":"IGAAx","expires_in":5183944}"#;

    let canned = Canned::json(answer);
    canned.client.exchange_for_long_lived(&token()).await.unwrap();
    let expected =
        [("grant_type", "ig_exchange_token"), ("client_secret", APP_SECRET), ("access_token", TOKEN)];
    assert_eq!(get(&canned.request()), ("/access_token", pairs(&expected)));

    let canned = Canned::json(answer);
    canned.client.refresh(&token()).await.unwrap();
    let expected = [("grant_type", "ig_refresh_token"), ("access_token", TOKEN)];
    assert_eq!(get(&canned.request()), ("/refresh_access_token", pairs(&expected)));
}

#[tokio::test]
async fn the_profile_asks_for_both_ids_under_the_version() {
    let canned = Canned::json(r#"{"user_id":"1","username":"x"}"#);
    canned.client.profile(&token()).await.unwrap();
    let fields = "user_id,id,username,name,account_type,profile_picture_url,biography,website,followers_count,\
                  follows_count,media_count";
    assert_eq!(get(&canned.request()), ("/v25.0/me", pairs(&[("fields", fields), ("access_token", TOKEN)])));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let started = Instant::now();
    let error = Canned::silent().client.profile(&token()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Timeout);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_retryable() {
    for raw in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"user_id\":\"1\"",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"use\r\n",
        "nonsense\r\n\r\n",
    ] {
        let error = Canned::raw(raw).client.profile(&token()).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Retryable { .. }), "{raw}: {error:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_retryable_and_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client_of(&base).profile(&token()).await.unwrap_err();
    assert!(
        matches!(&error, UpstreamError::Retryable { reason, sent: false } if reason.contains("refused")),
        "{error:?}"
    );
}

#[tokio::test]
async fn html_instead_of_json_is_unintelligible() {
    let html = "<!DOCTYPE html><html><body>Something went wrong</body></html>";
    for status in [200, 201, 204, 403, 404] {
        let error = Canned::answer(status, &["Content-Type: text/html"], html)
            .client
            .profile(&token())
            .await
            .unwrap_err();
        assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = Canned::answer(302, &["Location: http://127.0.0.1:9/"], "");
    let error = answer.client.profile(&token()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let endless = format!("{{\"username\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let error = Canned::json(&endless).client.profile(&token()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{error:?}");
}
