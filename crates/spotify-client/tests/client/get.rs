//! Calls that somebody else makes up: what goes over the wire, and what comes back of it.

use serde_json::json;
use upstream::testing::Canned;
use upstream::{MAX_FORWARDED_ANSWER, UpstreamError};

use crate::app::{ACCESS_TOKEN, access_token, answered, client_of};

#[tokio::test]
async fn the_token_is_in_the_header_and_not_in_the_url() {
    let server = Canned::json(r#"{"items":[]}"#);
    let query = [("limit".to_owned(), "2".to_owned()), ("q".to_owned(), "a&b=c".to_owned())];
    let answer = client_of(&server).get(&["me", "top", "artists"], &query, &access_token()).await.unwrap();
    assert_eq!(answer, json!({"items": []}));
    let request = server.request();
    let (line, headers) = request.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /v1/me/top/artists?limit=2&q=a%26b%3Dc HTTP/1.1");
    assert!(headers.contains(&format!("authorization: Bearer {ACCESS_TOKEN}")), "{headers}");
}

#[tokio::test]
async fn a_path_stays_below_the_version() {
    for (path, expected) in [
        (&["a/b", "?c#d"][..], "/v1/a%2Fb/%3Fc%23d"),
        (&["//evil.example"], "/v1/%2F%2Fevil.example"),
        (&["..", "..", "api", "token"], "/v1/api/token"),
        (&["me\r\nX: y"], "/v1/meX:%20y"),
    ] {
        let server = Canned::json("{}");
        client_of(&server).get(path, &[], &access_token()).await.unwrap();
        let request = server.request();
        assert!(request.starts_with(&format!("GET {expected} HTTP/1.1\r\n")), "{request}");
    }
}

#[tokio::test]
async fn no_token_is_left_in_an_answer() {
    let body = json!({
        "next": format!("https://api.spotify.com/v1/me/playlists?offset=2&access_token={ACCESS_TOKEN}"),
        "items": [{"description": format!("mine is {ACCESS_TOKEN}")}],
        "access_token": "BQnew",
    });
    let answer = answered(&body.to_string()).get(&["me", "playlists"], &[], &access_token()).await.unwrap();
    assert_eq!(
        answer,
        json!({
            "next": "https://api.spotify.com/v1/me/playlists?offset=2",
            "items": [{"description": "mine is [redacted]"}],
        })
    );
}

#[tokio::test]
async fn an_answer_may_be_large_but_not_without_end() {
    let page = |size: usize| format!(r#"{{"description":"{}"}}"#, "x".repeat(size));
    answered(&page(2 * 1024 * 1024)).get(&["me"], &[], &access_token()).await.unwrap();
    let error = answered(&page(MAX_FORWARDED_ANSWER)).get(&["me"], &[], &access_token()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Unintelligible { reason: "a body above 4 MiB".to_owned() });
}
