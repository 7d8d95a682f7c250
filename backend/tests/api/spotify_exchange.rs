//! From Spotify's code to a stored connection: what is used twice, by somebody else or at the other provider, and what fails.

use std::time::Duration;

use serde_json::json;
use spotify_simulator::{
    AccountChange, Consent, Endpoint, ErrorBody, Fault, NotRegistered, Options, Times, accounts,
};

use crate::support::{Both, parameter, token_error};

const NOT_LISTED: &str = "Spotify let you in, but this app may serve five listed people only until Spotify approves it. \
    The app's owner has to add your name and email under Users Management.";

#[actix_web::test]
async fn a_state_of_one_provider_is_none_at_the_other() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let of_spotify = both.consent_to_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    let of_instagram = both.consent(&ada, Consent::allow(instagram_simulator::accounts::RECORD_SHOP)).await;
    assert_eq!(ada.instagram().callback(&of_spotify).await.failure(), "400 invalid_state");
    assert_eq!(ada.spotify().callback(&of_instagram).await.failure(), "400 invalid_state");
    let asked =
        both.spotify.requests(Endpoint::Any) + both.instagram.requests(instagram_simulator::Endpoint::Any);
    assert_eq!(asked, 0, "neither provider sees a code of the other");
    // A mistake of the address uses up no state.
    assert_eq!(ada.spotify().callback(&of_spotify).await.status, 200);
    assert_eq!(ada.instagram().callback(&of_instagram).await.status, 200);
}

#[actix_web::test]
async fn a_handle_of_one_provider_is_none_at_the_other() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let shop = Consent::allow(instagram_simulator::accounts::RECORD_SHOP);
    let of_instagram = both.exchange(&ada, shop).await;
    let of_spotify = both.exchange_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    for (provider, handle) in [("instagram", &of_spotify), ("spotify", &of_instagram)] {
        let refused = ada.integration(provider).save(&handle.body).await;
        assert_eq!(refused.failure(), "422 validation_failed", "{provider}");
        assert!(refused.body["fields"]["access_token"].is_string(), "{refused}");
        assert_eq!(ada.integration(provider).read().await.failure(), "404 not_connected");
    }
    for (provider, handle) in [("spotify", &of_spotify), ("instagram", &of_instagram)] {
        assert_eq!(ada.integration(provider).save(&handle.body).await.status, 200, "{provider}");
        let twice = ada.integration(provider).save(&handle.body).await;
        assert_eq!(twice.failure(), "422 validation_failed", "{provider}");
    }
}

#[actix_web::test]
async fn a_body_that_contradicts_its_handle_is_refused() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let exchanged = both.exchange_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    for (field, wrong) in
        [("user_id", json!("other")), ("expires_in", json!(1)), ("user", json!({"id": "x", "username": "y"}))]
    {
        let mut body = exchanged.body.clone();
        body[field] = wrong;
        let refused = ada.spotify().save(&body).await;
        assert_eq!(refused.failure(), "422 validation_failed", "{field}");
        let why = refused.body["fields"][field].as_str().unwrap_or_else(|| panic!("{refused}"));
        assert!(!why.contains("Instagram"), "{why}");
    }
    assert_eq!(ada.spotify().save(&exchanged.body).await.status, 200);
}

/// Spotify's tokens are of no use without its refresh token, which no client has to hold.
#[actix_web::test]
async fn a_raw_token_of_spotifys_is_not_taken() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let raw = both.spotify.issue_tokens(accounts::LISTENER).access_token;
    let body = json!({"access_token": raw, "user_id": "aB3dE5fG7h", "expires_in": 3600});
    assert_eq!(ada.spotify().save(&body).await.failure(), "422 validation_failed");
    assert_eq!(both.spotify.requests(Endpoint::Any), 0);
}

#[actix_web::test]
async fn a_code_works_once_however_the_fetches_race() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let query = both.consent_to_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    let answers = (0..12).map(|_| ada.spotify().callback(&query));
    let answers = futures_util::future::join_all(answers).await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    let used = answers.iter().filter(|answer| answer.failure() == "400 invalid_state").count();
    assert_eq!((good, used), (1, 11));
    assert_eq!(both.spotify.requests(Endpoint::CodeExchange), 1, "Spotify never sees a code twice");
    // The same code with another state is Spotify's to refuse.
    let state = parameter(&ada.spotify().auth_url("").await, "state").unwrap();
    let code = query.split('&').find(|part| part.starts_with("code=")).unwrap();
    let again = ada.spotify().callback(&format!("{code}&state={state}")).await;
    assert_eq!(again.failure(), "400 invalid_code");
}

#[actix_web::test]
async fn a_state_belongs_to_its_user_and_ends() {
    let both = Both::start();
    let (ada, bob) = (both.with_user("ada").await, both.with_user("bob").await);
    let query = both.consent_to_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    assert_eq!(bob.spotify().callback(&query).await.failure(), "400 invalid_state");
    assert_eq!(both.anonymous().spotify().callback(&query).await.failure(), "401 unauthenticated");
    both.clock.advance(Duration::from_secs(600));
    assert_eq!(ada.spotify().callback(&query).await.failure(), "400 invalid_state");
    assert_eq!(both.spotify.requests(Endpoint::Any), 0);
}

#[actix_web::test]
async fn an_account_of_another_user_stays_theirs() {
    let (both, ada) = Both::connected().await;
    let bob = both.with_user("bob").await;
    let before = ada.spotify().shown().await;
    let refused = both.connect_spotify(&bob, accounts::LISTENER).await;
    assert_eq!(refused.failure(), "409 account_in_use");
    assert_eq!(
        refused.body["error"],
        "This Spotify account is connected to another user here. Disconnect it there first, or choose another."
    );
    assert_eq!(ada.spotify().shown().await, before);
    assert_eq!(bob.spotify().read().await.failure(), "404 not_connected");
    assert_eq!(ada.spotify().disconnect().await.status, 200);
    let taken_over = both.connect_spotify(&bob, accounts::LISTENER).await;
    assert_eq!((taken_over.status, &taken_over.body["connection"]["id"]), (200, &before["id"]));
}

#[actix_web::test]
async fn refusing_is_not_an_accident() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let query = both.consent_to_spotify(&ada, Consent::refuse()).await;
    assert_eq!(ada.spotify().callback(&query).await.failure(), "400 access_denied");
    assert_eq!(ada.spotify().callback("error=access_denied").await.failure(), "400 access_denied");
    assert_eq!(ada.spotify().read().await.failure(), "404 not_connected");
}

/// The rows of `spotify-api.md` §3 that a code can meet.
#[actix_web::test]
async fn each_refusal_of_a_code_has_its_code() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let cases = [
        (token_error("invalid_grant", None), "400 invalid_code"),
        (token_error("invalid_grant", Some("Invalid authorization code")), "400 invalid_code"),
        (token_error("invalid_grant", Some("Authorization code expired")), "400 invalid_code"),
        (token_error("invalid_grant", Some("code_verifier was incorrect")), "400 invalid_code"),
        (token_error("invalid_grant", Some("code_verifier was invalid")), "400 invalid_code"),
        (token_error("invalid_grant", Some("Invalid redirect URI")), "502 app_access"),
        (token_error("invalid_request", Some("code_verifier required")), "502 upstream_error"),
        (token_error("invalid_client", None), "502 app_access"),
        (token_error("invalid_client", Some("Invalid client")), "502 app_access"),
        (Fault::ServerError { status: 503 }, "502 upstream_error"),
        (Fault::Html, "502 upstream_error"),
        (Fault::Empty, "502 upstream_error"),
        (Fault::WrongJson, "502 upstream_error"),
        (Fault::Truncated, "502 upstream_error"),
        (Fault::Reset, "502 upstream_error"),
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (Fault::RateLimited { retry_after: Some(7) }, "429 rate_limited"),
    ];
    for (fault, expected) in cases {
        both.spotify.fault(Endpoint::CodeExchange, fault.clone(), Times::ONCE);
        let answer = both.exchange_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
        assert_eq!(answer.failure(), expected, "{fault:?}");
        if expected == "502 app_access" {
            let said = answer.body["error"].as_str().unwrap();
            assert!(said.contains("redirect URI (http://127.0.0.1:4002/auth/spotify/callback)"), "{said}");
        }
    }
    assert_eq!(ada.spotify().read().await.failure(), "404 not_connected");
    assert_eq!(both.connect_spotify(&ada, accounts::LISTENER).await.status, 200, "and then it works");
}

/// The rows of `spotify-api.md` §6 that the profile can meet while an account is connected.
#[actix_web::test]
async fn each_failure_of_the_profile_has_its_code() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let api = |status, message: &str| Fault::ApiError { status, message: message.to_owned(), reason: None };
    let cases = [
        (api(401, "The access token expired"), "502 upstream_error"),
        (api(400, "Only valid bearer authentication supported"), "502 upstream_error"),
        (api(401, "No token provided"), "502 upstream_error"),
        (api(403, "Insufficient client scope"), "400 access_denied"),
        (api(403, "Forbidden"), "502 app_access"),
        (Fault::PlainError { status: 403, text: String::new() }, "502 app_access"),
        (Fault::RateLimited { retry_after: None }, "429 rate_limited"),
        (Fault::quota_exceeded(), "429 rate_limited"),
        (Fault::ServerError { status: 502 }, "502 upstream_error"),
        (Fault::HalfEmoji, "200 ?"),
    ];
    for (fault, expected) in cases {
        both.spotify.fault(Endpoint::Profile, fault.clone(), Times::ONCE);
        let answer = both.exchange_spotify(&ada, Consent::allow(accounts::NOT_ASCII)).await;
        assert_eq!(answer.failure(), expected, "{fault:?}: {answer}");
        let wait = match fault {
            Fault::RateLimited { .. } => "30",
            Fault::QuotaExceeded { .. } => "48925",
            _ => "",
        };
        assert_eq!(answer.header("retry-after"), wait, "{fault:?}");
    }
    assert_eq!(ada.spotify().read().await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn somebody_who_is_not_on_the_list_is_told_who_can_help() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let texts = [
        NotRegistered::CheckSettings,
        NotRegistered::Dashboard,
        NotRegistered::ThisApplication,
        NotRegistered::NotApproved,
    ];
    for not_registered in texts {
        for error_body in [ErrorBody::Text, ErrorBody::Json, ErrorBody::Empty] {
            both.spotify.set_options(Options { not_registered, error_body, ..Options::default() });
            let answer = both.exchange_spotify(&ada, Consent::allow(accounts::UNREGISTERED)).await;
            assert_eq!(answer.failure(), "502 app_access", "{not_registered:?} {error_body:?}");
            assert_eq!(answer.body["error"], NOT_LISTED, "{not_registered:?} {error_body:?}");
        }
    }
    assert_eq!(ada.spotify().read().await.failure(), "404 not_connected", "nothing was saved");
    let listed = AccountChange { registered: Some(true), ..AccountChange::default() };
    both.spotify.change_account(accounts::UNREGISTERED, listed);
    assert_eq!(both.connect_spotify(&ada, accounts::UNREGISTERED).await.status, 200);
}

#[actix_web::test]
async fn an_owner_without_premium_is_the_operators_trouble() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    both.spotify.set_options(Options { owner_premium: false, ..Options::default() });
    let answer = both.exchange_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    assert_eq!(answer.failure(), "502 app_access");
    assert!(answer.body["error"].as_str().unwrap().contains("Premium"), "{answer}");
}
