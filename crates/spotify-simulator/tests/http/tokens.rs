//! The life of tokens: code, access token, refresh token, dead.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use spotify_simulator::{Config, Consent, Options, Rotation, ScopeShape, accounts};

use super::{CHALLENGE, SCOPES, Spotify, VERIFIER, message, parameter, read, text};

const DAY: Duration = Duration::from_secs(86_400);

fn refusal(error: &str, description: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({"error": error, "error_description": description}))
}

#[tokio::test]
async fn a_code_becomes_tokens_that_read_the_profile_and_are_refreshed() {
    let spotify = Spotify::start();
    let (status, mut body) = spotify.redeem(&spotify.code(accounts::LISTENER), &[]).await;
    assert_eq!(status, StatusCode::OK);
    let (access, refresh) = (text(&body, "access_token"), text(&body, "refresh_token"));
    assert!(access.starts_with("BQ") && refresh.starts_with("AQ"));
    body["access_token"] = "T".into();
    body["refresh_token"] = "T".into();
    assert_eq!(
        body,
        json!({"access_token": "T", "token_type": "Bearer", "scope": SCOPES, "expires_in": 3600,
               "refresh_token": "T"})
    );
    assert_eq!(spotify.get("me", &access).await.1["id"], "wizzler");

    spotify.simulator.advance(Duration::from_secs(3_600));
    assert_eq!(message(&spotify.get("me", &access).await), (401, "The access token expired"));
    let (status, body) = spotify.refresh(&refresh).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.get("refresh_token").is_none(), "{body}");
    assert_eq!((body["expires_in"].as_u64(), body["scope"].as_str()), (Some(3_600), Some(SCOPES)));
    assert_eq!(spotify.get("me", &text(&body, "access_token")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_code_works_once_and_for_minutes() {
    let spotify = Spotify::start();
    let code = spotify.code(accounts::LISTENER);
    assert_eq!(spotify.redeem(&code, &[]).await.0, StatusCode::OK);
    let invalid = refusal("invalid_grant", "Invalid authorization code");
    assert_eq!(spotify.redeem(&code, &[]).await, invalid);
    assert_eq!(spotify.redeem("AQnever", &[]).await, invalid);
    let code = spotify.code(accounts::LISTENER);
    spotify.simulator.advance(Duration::from_secs(600));
    assert_eq!(spotify.redeem(&code, &[]).await, refusal("invalid_grant", "Authorization code expired"));
}

#[tokio::test]
async fn the_code_exchange_checks_the_redirect_uri_and_the_verifier() {
    let spotify = Spotify::start();
    let code = spotify.code(accounts::LISTENER);
    let slash = format!("{}/", Config::REDIRECT_URIS[0]);
    let other = "a".repeat(43);
    for (name, value, error, description) in [
        ("redirect_uri", slash.as_str(), "invalid_grant", "Invalid redirect URI"),
        ("redirect_uri", "", "invalid_grant", "Invalid redirect URI"),
        ("code_verifier", "", "invalid_request", "code_verifier required"),
        ("code_verifier", other.as_str(), "invalid_grant", "code_verifier was incorrect"),
        ("code_verifier", CHALLENGE, "invalid_grant", "code_verifier was incorrect"),
        ("code_verifier", "short", "invalid_grant", "code_verifier was invalid"),
        ("code", "", "invalid_request", "code must be supplied"),
        ("grant_type", "", "unsupported_grant_type", "grant_type parameter is missing"),
        (
            "grant_type",
            "password",
            "unsupported_grant_type",
            "grant_type must be authorization_code or refresh_token",
        ),
    ] {
        let refused = spotify.redeem(&code, &[(name, value)]).await;
        assert_eq!(refused, refusal(error, description), "{name}={value}");
    }
    assert_eq!(spotify.redeem(&code, &[]).await.0, StatusCode::OK, "a refused attempt used the code up");

    let code_of = |changes: &[(&str, &str)]| {
        let back = spotify.simulator.consent(&spotify.auth_url(changes), Consent::allow(accounts::LISTENER));
        parameter(&back, "code").unwrap()
    };
    // A challenge with its padding fits no verifier.
    let padded = code_of(&[("code_challenge", &format!("{CHALLENGE}="))]);
    assert_eq!(spotify.redeem(&padded, &[]).await, refusal("invalid_grant", "code_verifier was incorrect"));
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(spotify.redeem(&code_of(&without), &[("code_verifier", "")]).await.0, StatusCode::OK);
    assert_eq!(
        spotify.redeem(&code_of(&without), &[("code_verifier", VERIFIER)]).await,
        refusal("invalid_grant", "code_verifier was incorrect")
    );
}

#[tokio::test]
async fn a_client_shows_who_it_is_in_the_header_or_in_the_form() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    let ask = async |basic: Option<(&str, &str)>, form: &[(&str, &str)]| {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        pairs.extend(form);
        let request = spotify.http.post(spotify.simulator.token_url()).form(&pairs);
        let request = match basic {
            Some((id, secret)) => request.basic_auth(id, Some(secret)),
            None => request,
        };
        read(request.send().await.unwrap()).await
    };
    let (id, secret) = (Config::CLIENT_ID, Config::CLIENT_SECRET);
    assert_eq!(ask(Some((id, secret)), &[]).await.0, StatusCode::OK);
    assert_eq!(ask(None, &[("client_id", id), ("client_secret", secret)]).await.0, StatusCode::OK);
    assert_eq!(ask(Some((id, "wrong")), &[]).await, refusal("invalid_client", "Invalid client secret"));
    assert_eq!(ask(Some(("wrong", secret)), &[]).await, refusal("invalid_client", "Invalid client"));
    let nameless = (StatusCode::BAD_REQUEST, json!({"error": "invalid_client"}));
    assert_eq!(ask(None, &[]).await, nameless);
    assert_eq!(ask(None, &[("client_id", id)]).await, nameless);

    // A body that is no form has no fields.
    let request = spotify.http.post(spotify.simulator.token_url()).basic_auth(id, Some(secret)).body("{}");
    let answer = read(request.send().await.unwrap()).await;
    assert_eq!(answer, refusal("unsupported_grant_type", "grant_type parameter is missing"));
}

#[tokio::test]
async fn a_refresh_says_of_the_refresh_token_what_the_option_says() {
    let spotify = Spotify::start();
    let first = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    let answer = async |rotation, token: &str| {
        spotify.simulator.set_options(Options { rotation, ..Options::default() });
        let (status, body) = spotify.refresh(token).await;
        assert_eq!(status, StatusCode::OK, "{rotation:?}: {body}");
        body
    };
    assert_eq!(answer(Rotation::Off, &first).await.get("refresh_token"), None);
    assert_eq!(answer(Rotation::Null, &first).await.get("refresh_token"), Some(&Value::Null));
    assert_eq!(answer(Rotation::Empty, &first).await["refresh_token"], "");
    let second = text(&answer(Rotation::On, &first).await, "refresh_token");
    assert_ne!(second, first);
    let third = text(&answer(Rotation::OnOldDies, &first).await, "refresh_token");
    assert_eq!(spotify.refresh(&first).await, refusal("invalid_grant", "Refresh token revoked"));
    for alive in [second, third] {
        assert_eq!(spotify.refresh(&alive).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn scope_can_be_absent_or_empty() {
    let spotify = Spotify::start();
    for (scope, expected) in
        [(ScopeShape::Granted, Some(SCOPES)), (ScopeShape::Absent, None), (ScopeShape::Empty, Some(""))]
    {
        spotify.simulator.set_options(Options { scope, expires_in: 60, ..Options::default() });
        let (_, body) = spotify.redeem(&spotify.code(accounts::LISTENER), &[]).await;
        assert_eq!(
            (body.get("scope").and_then(Value::as_str), body["expires_in"].as_u64()),
            (expected, Some(60))
        );
    }
}

#[tokio::test]
async fn a_refresh_token_dies_six_calendar_months_after_the_consent_whatever_is_refreshed() {
    let spotify = Spotify::start();
    spotify.simulator.set_options(Options { rotation: Rotation::On, ..Options::default() });
    let now = spotify.simulator.now().to_zoned(jiff::tz::TimeZone::UTC);
    let end = now.checked_add(jiff::Span::new().months(6)).unwrap();
    let life = Duration::try_from(end.duration_since(&now)).unwrap();
    let mut token = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    spotify.simulator.advance(life - DAY);
    for _ in 0..2 {
        token = text(&spotify.refresh(&token).await.1, "refresh_token");
    }
    spotify.simulator.advance(DAY - Duration::from_secs(60));
    assert_eq!(spotify.refresh(&token).await.0, StatusCode::OK);
    spotify.simulator.advance(Duration::from_secs(61));
    assert_eq!(spotify.refresh(&token).await, refusal("invalid_grant", "Refresh token expired"));
    spotify.simulator.set_options(Options { expired_says_revoked: true, ..Options::default() });
    assert_eq!(spotify.refresh(&token).await, refusal("invalid_grant", "Refresh token revoked"));
    spotify.simulator.set_options(Options { descriptions: false, ..Options::default() });
    let bare = (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}));
    assert_eq!(spotify.refresh(&token).await, bare);
    spotify.simulator.set_options(Options::default());
    assert_eq!(spotify.refresh("AQgarbled").await, refusal("invalid_grant", "Invalid refresh token"));
    assert_eq!(spotify.refresh("").await, refusal("invalid_request", "refresh_token must be supplied"));
    // Long dead is forgotten, and still dead.
    spotify.simulator.advance(91 * DAY);
    assert_eq!(spotify.refresh(&token).await, refusal("invalid_grant", "Invalid refresh token"));
}

/// Whether a pass without the page starts six new months is unknown.
#[tokio::test]
async fn a_silent_pass_continues_the_six_months_or_starts_new_ones() {
    for restarts in [false, true] {
        let spotify = Spotify::start();
        spotify.simulator.set_options(Options { silent_pass_restarts: restarts, ..Options::default() });
        spotify.code(accounts::LISTENER);
        spotify.simulator.advance(150 * DAY);
        let back = spotify.simulator.pass_silently(&spotify.auth_url(&[]), accounts::LISTENER).unwrap();
        let (_, body) = spotify.redeem(&parameter(&back, "code").unwrap(), &[]).await;
        spotify.simulator.advance(40 * DAY);
        let status = spotify.refresh(&text(&body, "refresh_token")).await.0;
        assert_eq!(status == StatusCode::OK, restarts, "{status}");
    }
}

#[tokio::test]
async fn a_removed_app_is_refused_and_a_new_consent_lives() {
    let spotify = Spotify::start();
    let tokens = spotify.simulator.issue_tokens(accounts::LISTENER);
    spotify.simulator.revoke(accounts::LISTENER);
    let revoked = refusal("invalid_grant", "Refresh token revoked");
    assert_eq!(spotify.refresh(&tokens.refresh_token).await, revoked);
    assert_eq!(message(&spotify.get("me", &tokens.access_token).await), (401, "Invalid access token"));
    spotify.simulator.set_options(Options { revoking_ends_access: false, ..Options::default() });
    assert_eq!(spotify.get("me", &tokens.access_token).await.0, StatusCode::OK);

    let (_, first) = spotify.redeem(&spotify.code(accounts::LISTENER), &[]).await;
    let (_, second) = spotify.redeem(&spotify.code(accounts::LISTENER), &[]).await;
    assert_eq!(spotify.refresh(&text(&first, "refresh_token")).await.0, StatusCode::OK);
    spotify.simulator.set_options(Options { consent_ends_older: true, ..Options::default() });
    spotify.redeem(&spotify.code(accounts::LISTENER), &[]).await;
    for old in [first, second] {
        assert_eq!(spotify.refresh(&text(&old, "refresh_token")).await, revoked);
    }
}
