//! Faults of Spotify's own, and that those of the wire reach every endpoint.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};
use spotify_simulator::{Endpoint, ErrorBody, Fault, Options, RandomFailures, Times, accounts};

use super::{Config, Spotify, VERIFIER};

#[tokio::test]
async fn a_rate_limit_has_a_retry_after_or_none_and_a_body_of_choice() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    for retry_after in [None, Some(0), Some(30)] {
        spotify.simulator.fault(Endpoint::Api, Fault::RateLimited { retry_after }, Times::ONCE);
        let response = spotify.raw("me/playlists", &token).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header, retry_after.map(|seconds: u64| seconds.to_string()));
        assert_eq!(response.text().await.unwrap(), "Too many requests");
    }
    assert_eq!(
        spotify.raw("me/playlists", &token).await.status(),
        StatusCode::OK,
        "a fault is over when it is over"
    );
    spotify.simulator.set_options(Options { error_body: ErrorBody::Json, ..Options::default() });
    spotify.simulator.fault(Endpoint::Any, Fault::RateLimited { retry_after: Some(1) }, Times::ONCE);
    let expected = json!({"error": {"status": 429, "message": "Too many requests"}});
    assert_eq!(spotify.refresh("AQany").await, (StatusCode::TOO_MANY_REQUESTS, expected));
}

#[tokio::test]
async fn a_quota_is_exceeded_for_hours() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    spotify.simulator.fault(Endpoint::Profile, Fault::quota_exceeded(), Times::Forever);
    for _ in 0..2 {
        let response = spotify.raw("me", &token).await;
        assert_eq!(response.headers()["retry-after"], "48925");
        let body = response.json::<Value>().await.unwrap();
        assert_eq!(body["error"]["reason"], "QUOTA_EXCEEDED");
        assert_eq!(body["error"]["status"], 429);
    }
    assert_eq!(spotify.raw("me/playlists", &token).await.status(), StatusCode::OK, "another endpoint");
}

#[tokio::test]
async fn errors_of_choice_come_in_each_form() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER);
    let plan = |endpoint, fault| spotify.simulator.fault(endpoint, fault, Times::ONCE);

    plan(Endpoint::Refresh, Fault::ServerError { status: 503 });
    let form = [("grant_type", "refresh_token"), ("refresh_token", &token.refresh_token)];
    let response = spotify.http.post(spotify.simulator.token_url()).form(&form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .starts_with("upstream connect error or disconnect/reset before headers")
    );

    plan(Endpoint::Refresh, Fault::TokenError { error: "invalid_client".to_owned(), description: None });
    let refused = (StatusCode::BAD_REQUEST, json!({"error": "invalid_client"}));
    assert_eq!(spotify.refresh(&token.refresh_token).await, refused);

    let message = "Player command failed".to_owned();
    plan(Endpoint::Profile, Fault::ApiError { status: 403, message, reason: Some("UNKNOWN".to_owned()) });
    let expected = json!({"error": {"status": 403, "message": "Player command failed", "reason": "UNKNOWN"}});
    assert_eq!(spotify.get("me", &token.access_token).await, (StatusCode::FORBIDDEN, expected));

    plan(Endpoint::Profile, Fault::PlainError { status: 502, text: "Bad gateway.".to_owned() });
    let response = spotify.raw("me", &token.access_token).await;
    assert_eq!(
        (response.status(), response.text().await.unwrap().as_str()),
        (StatusCode::BAD_GATEWAY, "Bad gateway.")
    );
}

#[tokio::test]
async fn a_truncated_answer_has_used_the_code_up() {
    let spotify = Spotify::start();
    let code = spotify.code(accounts::LISTENER);
    spotify.simulator.fault(Endpoint::CodeExchange, Fault::Truncated, Times::ONCE);
    let form = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", Config::REDIRECT_URIS[0]),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let request = spotify.http.post(spotify.simulator.token_url()).form(&form);
    let request = request.basic_auth(Config::CLIENT_ID, Some(Config::CLIENT_SECRET));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.bytes().await.expect_err("half of it never comes");
    assert_eq!(spotify.redeem(&code, &[]).await.1["error_description"], "Invalid authorization code");
}

#[tokio::test]
async fn an_emoji_can_be_cut_in_half() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::NOT_ASCII).access_token;
    spotify.simulator.fault(Endpoint::Profile, Fault::HalfEmoji, Times::ONCE);
    let body = spotify.raw("me", &token).await.text().await.unwrap();
    assert!(body.contains(r#""display_name":"Zoë Nguyễn \ud83c""#), "{body}");
}

/// The outcome of a request for the profile, in a word.
async fn outcome(spotify: &Spotify, token: &str) -> String {
    let url = spotify.simulator.api_url() + "/v1/me";
    let Ok(response) = spotify.http.get(url).bearer_auth(token).send().await else {
        return "no answer".to_owned();
    };
    let status = response.status().as_u16();
    let Ok(text) = response.text().await else { return "cut".to_owned() };
    match serde_json::from_str::<Value>(&text) {
        Ok(body) if body["id"].is_string() => "right".to_owned(),
        Ok(_) => format!("{status} json"),
        Err(_) => format!("{status} {}", text.split(' ').next().unwrap()),
    }
}

#[tokio::test]
async fn a_part_of_all_requests_fails_in_every_way_and_no_token_is_said_to_be_dead() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    spotify.simulator.set_random_failures(RandomFailures {
        rate: 0.5,
        seed: 11,
        delay_ms: 1,
        ..RandomFailures::default()
    });
    let mut outcomes = BTreeMap::<String, u32>::new();
    for _ in 0..600 {
        *outcomes.entry(outcome(&spotify, &token).await).or_default() += 1;
    }
    // A delay of a millisecond is a right answer, so a little over half are right.
    assert!((280..390).contains(&outcomes["right"]), "{outcomes:?}");
    let kinds: Vec<_> = outcomes.keys().map(String::as_str).collect();
    let expected = [
        "200 ",
        "200 <!DOCTYPE",
        "200 json",
        "429 Too",
        "500 upstream",
        "502 upstream",
        "503 upstream",
        "504 upstream",
        "cut",
        "no answer",
        "right",
    ];
    assert_eq!(kinds, expected);
    // The code exchange is left alone.
    assert_eq!(spotify.redeem("AQnever", &[]).await.1["error"], "invalid_grant");
}
