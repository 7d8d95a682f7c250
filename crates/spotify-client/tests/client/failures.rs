//! Every failure of `spotify-api.md` §3 and §6 is typed by what to do next.

use std::time::Duration;

use upstream::testing::Canned;
use upstream::{AccessTo, LimitOf, UpstreamError};

use crate::app::{access_token, client_of, refresh_token, verifier};

const PREMIUM: &str = "Active premium subscription required for the owner of the app. When the subscription status \
                       changes, it can take a few hours to take effect";

async fn of_code(status: u16, body: &str) -> UpstreamError {
    let server = Canned::answer(status, &[], body);
    client_of(&server).exchange_code("AQB", &verifier()).await.unwrap_err()
}

async fn of_refresh(status: u16, body: &str) -> UpstreamError {
    client_of(&Canned::answer(status, &[], body)).refresh(&refresh_token()).await.unwrap_err()
}

async fn of_profile(status: u16, body: &str) -> UpstreamError {
    client_of(&Canned::answer(status, &[], body)).profile(&access_token()).await.unwrap_err()
}

async fn of_api(status: u16, body: &str) -> UpstreamError {
    client_of(&Canned::answer(status, &[], body)).get(&["me"], &[], &access_token()).await.unwrap_err()
}

/// The errors of all calls.
async fn of_each(status: u16, headers: &[&str], body: &str) -> [UpstreamError; 4] {
    let client = client_of(&Canned::answer(status, headers, body));
    [
        client.exchange_code("AQB", &verifier()).await.unwrap_err(),
        client.refresh(&refresh_token()).await.unwrap_err(),
        client.profile(&access_token()).await.unwrap_err(),
        client.get(&["me"], &[], &access_token()).await.unwrap_err(),
    ]
}

fn oauth(error: &str, description: &str) -> String {
    format!(r#"{{"error":"{error}","error_description":"{description}"}}"#)
}

fn api(status: u16, message: &str) -> String {
    format!(r#"{{"error":{{"status":{status},"message":"{message}"}}}}"#)
}

fn rejected(code: i64, message: &str) -> UpstreamError {
    UpstreamError::Rejected { code, subcode: None, message: message.to_owned(), may_be_done: false }
}

fn no_access(to: AccessTo) -> UpstreamError {
    UpstreamError::AppAccess { to }
}

#[tokio::test]
async fn a_dead_refresh_token_needs_reauthorization() {
    for body in [
        oauth("invalid_grant", "Refresh token revoked"),
        oauth("invalid_grant", "Refresh token expired"),
        oauth("invalid_grant", "Invalid refresh token"),
        oauth("invalid_grant", ""),
        r#"{"error":"invalid_grant"}"#.to_owned(),
        r#"{"error":"invalid_grant","error_description":null}"#.to_owned(),
    ] {
        let error = of_refresh(400, &body).await;
        assert_eq!(error, UpstreamError::NeedsReauthorization { subcode: None }, "{body}");
    }
}

/// All of these have been taken for a dead token by somebody.
#[tokio::test]
async fn nothing_else_kills_a_refresh_token() {
    for (status, body) in [
        (400, oauth("invalid_client", "Invalid client")),
        (400, r#"{"error":"invalid_client"}"#.to_owned()),
        (401, oauth("invalid_client", "Invalid client secret")),
        (400, oauth("invalid_request", "code_verifier required")),
        (400, oauth("unsupported_grant_type", "invalid_grant")),
        (400, api(400, "invalid_grant")),
        (400, "invalid_grant".to_owned()),
        (400, String::new()),
        (401, String::new()),
        (403, PREMIUM.to_owned()),
        (429, oauth("invalid_grant", "Refresh token revoked")),
        (500, oauth("invalid_grant", "Refresh token revoked")),
        (503, "upstream connect error or disconnect/reset before headers".to_owned()),
        (200, oauth("invalid_grant", "Refresh token revoked")),
    ] {
        let error = of_refresh(status, &body).await;
        assert!(!matches!(error, UpstreamError::NeedsReauthorization { .. }), "{status} {body}: {error:?}");
    }
    // Neither does the API, whatever it says.
    for status in [400, 401, 403] {
        for body in [api(status, "Invalid access token"), oauth("invalid_grant", "Refresh token revoked")] {
            for error in [of_profile(status, &body).await, of_api(status, &body).await] {
                assert!(!matches!(error, UpstreamError::NeedsReauthorization { .. }), "{body}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_code_that_does_not_work_is_an_invalid_code() {
    for description in [
        "Invalid authorization code",
        "Authorization code expired",
        "code_verifier was incorrect",
        "code_verifier was invalid",
        "",
    ] {
        assert_eq!(of_code(400, &oauth("invalid_grant", description)).await, UpstreamError::InvalidCode);
    }
    let error = of_code(400, &oauth("invalid_grant", "Invalid redirect URI")).await;
    let message = "invalid_grant: Invalid redirect URI".to_owned();
    assert_eq!(error, UpstreamError::Misconfigured { message });
}

#[tokio::test]
async fn wrong_credentials_are_the_operators() {
    for (status, body, message) in [
        (400, r#"{"error":"invalid_client"}"#.to_owned(), "invalid_client"),
        (400, oauth("invalid_client", "Invalid client"), "invalid_client: Invalid client"),
        (401, oauth("invalid_client", "Invalid client secret"), "invalid_client: Invalid client secret"),
        (400, oauth("unauthorized_client", ""), "unauthorized_client"),
    ] {
        let expected = UpstreamError::Misconfigured { message: message.to_owned() };
        assert_eq!(of_code(status, &body).await, expected);
        assert_eq!(of_refresh(status, &body).await, expected);
    }
}

#[tokio::test]
async fn our_own_faults_are_told_in_spotifys_words() {
    let body = oauth("invalid_request", "code_verifier required");
    let expected = rejected(400, "invalid_request: code_verifier required");
    assert_eq!(of_code(400, &body).await, expected);
    assert_eq!(of_refresh(400, &body).await, expected);
    for (status, message) in [
        (400, "Only valid bearer authentication supported"),
        (401, "No token provided"),
        (400, "Unlaunched market"),
        (404, "Resource not found"),
    ] {
        let body = api(status, message);
        assert_eq!(of_profile(status, &body).await, rejected(status.into(), message));
        assert_eq!(of_api(status, &body).await, rejected(status.into(), message));
    }
    assert_eq!(of_api(403, &api(403, "Restriction violated")).await, rejected(403, "Restriction violated"));
}

#[tokio::test]
async fn a_refused_access_token_asks_for_a_refresh() {
    for body in [
        api(401, "The access token expired"),
        api(401, "Invalid access token"),
        api(401, ""),
        "The access token expired".to_owned(),
        String::new(),
    ] {
        assert_eq!(of_profile(401, &body).await, UpstreamError::AccessTokenRefused, "{body}");
        assert_eq!(of_api(401, &body).await, UpstreamError::AccessTokenRefused, "{body}");
    }
    assert!(!UpstreamError::AccessTokenRefused.may_be_done());
}

#[tokio::test]
async fn a_person_who_is_not_listed_is_told_from_the_other_403s() {
    for text in [
        "User not registered in the Developer Dashboard",
        "Check settings on developer.spotify.com/dashboard, the user may not be registered.",
        "The user is not registered for this application. Please check your settings",
        "User not approved for app",
    ] {
        for body in [text.to_owned(), api(403, text)] {
            assert_eq!(of_profile(403, &body).await, no_access(AccessTo::Account), "{body}");
            assert_eq!(of_api(403, &body).await, no_access(AccessTo::Account), "{body}");
        }
    }
    for body in [PREMIUM.to_owned(), api(403, PREMIUM)] {
        assert_eq!(of_profile(403, &body).await, no_access(AccessTo::Anything), "{body}");
        assert_eq!(of_api(403, &body).await, no_access(AccessTo::Anything), "{body}");
    }
    let scope = api(403, "Insufficient client scope");
    assert_eq!(of_profile(403, &scope).await, UpstreamError::MissingPermission { code: 403 });
    assert_eq!(of_api(403, &scope).await, UpstreamError::MissingPermission { code: 403 });
}

/// The profile is open to every app, so there a 403 without words is about the person.
#[tokio::test]
async fn a_403_without_words_is_about_the_person_or_the_call() {
    for body in
        ["Forbidden".to_owned(), api(403, "Forbidden"), api(403, ""), String::new(), "Nope".to_owned()]
    {
        assert_eq!(of_profile(403, &body).await, no_access(AccessTo::Account), "{body}");
        assert_eq!(of_api(403, &body).await, no_access(AccessTo::Call), "{body}");
    }
    let odd = api(403, "Something new");
    assert_eq!(of_profile(403, &odd).await, no_access(AccessTo::Account));
}

#[tokio::test]
async fn a_rate_limit_is_the_apps_and_says_how_long_to_wait() {
    let quota = r#"{"error":{"status":429,"message":"Quota exceeded","reason":"QUOTA_EXCEEDED"}}"#;
    for (headers, seconds) in [
        (&["Retry-After: 7"][..], 7),
        (&["Retry-After: 48925"], 48_925),
        (&["Retry-After: 0"], 30),
        (&[], 30),
        (&["Retry-After: soon"], 30),
        (&["Retry-After: 9999999"], 24 * 60 * 60),
    ] {
        for body in [quota, "Too many requests", "", "<html>", &oauth("invalid_grant", "x")] {
            let retry_after = Duration::from_secs(seconds);
            for error in of_each(429, headers, body).await {
                let expected = UpstreamError::RateLimited { retry_after, of: LimitOf::App };
                assert_eq!(error, expected, "{headers:?} {body}");
            }
        }
    }
}

#[tokio::test]
async fn an_outage_is_retryable_whatever_it_says() {
    for (status, body, reason) in [
        (
            503,
            "upstream connect error or disconnect/reset before headers".to_owned(),
            "HTTP 503 upstream connect error or disconnect/reset before headers",
        ),
        (502, "<html><title>502</title></html>".to_owned(), "HTTP 502"),
        (500, String::new(), "HTTP 500"),
        (500, api(500, "Server error."), "HTTP 500 Server error."),
        (500, oauth("server_error", ""), "HTTP 500 server_error"),
        (504, "{}".to_owned(), "HTTP 504"),
    ] {
        for error in of_each(status, &[], &body).await {
            assert_eq!(error, UpstreamError::Retryable { reason: reason.to_owned(), sent: true });
        }
    }
    let error = of_refresh(400, &oauth("temporarily_unavailable", "")).await;
    assert!(matches!(error, UpstreamError::Retryable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_error_without_its_words_is_nonsense() {
    for body in ["{}", "[]", r#"{"error":true}"#, r#"{"error":null}"#, r#"{"error":"#, "<html>"] {
        for status in [400, 401, 403, 404] {
            for error in of_each(status, &[], body).await {
                assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{status} {body}: {error:?}");
            }
        }
    }
    assert!(matches!(of_refresh(400, "Bad request").await, UpstreamError::Unintelligible { .. }));
    assert!(matches!(of_api(404, "Not found").await, UpstreamError::Unintelligible { .. }));
}

#[tokio::test]
async fn half_an_emoji_in_an_error_leaves_its_meaning() {
    let error = of_refresh(400, &oauth("invalid_grant", r"Revoked \ud83d")).await;
    assert_eq!(error, UpstreamError::NeedsReauthorization { subcode: None });
}
