//! The life of a token: code, short-lived, long-lived, refreshed, dead.

use std::time::Duration;

use instagram_simulator::{Config, Consent, Options, TokenShape, UserIdForm, UserIdKind, accounts};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BASIC, Instagram, code_of};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn text(body: &Value) -> String {
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_becomes_a_token_that_reads_the_profile_and_is_renewed() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow(accounts::RECORD_SHOP));
    let (status, short) = instagram.redeem(&code, &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text(&short).starts_with("IGAA"));

    let (status, long) = instagram.long_lived(&text(&short), Config::APP_SECRET).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(long["token_type"], "bearer");
    assert_eq!(long["expires_in"], 5_183_944);
    assert_ne!(text(&long), text(&short));

    instagram.simulator.advance(DAY);
    let (status, renewed) = instagram.refresh(&text(&long)).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(text(&renewed), text(&long), "a refresh rotates by default");
    for token in [&long, &renewed] {
        assert_eq!(instagram.profile(&text(token), "username").await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_code_works_once_and_for_an_hour() {
    let instagram = Instagram::start();
    let refusal = |message: &str| {
        (
            StatusCode::BAD_REQUEST,
            json!({"error_type": "OAuthException", "code": 400, "error_message": message}),
        )
    };
    let code = instagram.code(Consent::allow(accounts::RECORD_SHOP));
    assert_eq!(instagram.redeem(&code, &[]).await.0, StatusCode::OK);
    let used = refusal("Matching code was not found or was already used");
    assert_eq!(instagram.redeem(&code, &[]).await, used);
    assert_eq!(instagram.redeem("AQnever", &[]).await, used);

    let code = instagram.code(Consent::allow(accounts::RECORD_SHOP));
    instagram.simulator.advance(HOUR);
    assert_eq!(instagram.redeem(&code, &[]).await, refusal("This authorization code has expired"));
}

#[tokio::test]
async fn the_code_exchange_checks_the_app_the_secret_and_the_redirect_uri() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow(accounts::RECORD_SHOP));
    let slash = format!("{}/", Config::REDIRECT_URIS[0]);
    for (name, value, expected) in [
        ("client_id", "1", "Invalid platform app"),
        ("client_secret", "wrong", "Error validating client secret"),
        ("grant_type", "password", "Invalid grant_type"),
        (
            "redirect_uri",
            slash.as_str(),
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you \
             used in the OAuth dialog request",
        ),
    ] {
        let (status, body) = instagram.redeem(&code, &[(name, value)]).await;
        assert_eq!((status, body["error_message"].as_str()), (StatusCode::BAD_REQUEST, Some(expected)));
    }
    assert_eq!(instagram.redeem(&code, &[]).await.0, StatusCode::OK, "a refused attempt used the code up");

    // A body that is no form has no fields.
    let response = instagram.http.post(instagram.simulator.token_url()).body("{}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.json::<Value>().await.unwrap()["error_message"], "Invalid platform app");
}

#[tokio::test]
async fn the_code_exchange_answers_in_each_shape() {
    let instagram = Instagram::start();
    let both = format!("{BASIC},instagram_business_manage_messages");
    let choice = Consent::allow_only(
        accounts::RECORD_SHOP,
        &["instagram_business_basic", "instagram_business_manage_messages"],
    );
    let answer = async |options: Options| {
        instagram.simulator.set_options(options);
        let mut body = instagram.redeem(&instagram.code(choice.clone()), &[]).await.1;
        // The token changes from run to run, and is of no interest here.
        let holder = if body["data"].is_array() { &mut body["data"][0] } else { &mut body };
        holder["access_token"] = "T".into();
        body
    };
    let shape = |token_shape| Options { token_shape, ..Options::default() };
    assert_eq!(
        answer(shape(TokenShape::PermissionsList)).await,
        json!({"access_token": "T", "user_id": 24_578_906_541_234_567_u64,
               "permissions": [BASIC, "instagram_business_manage_messages"]})
    );
    assert_eq!(
        answer(Options { token_user_id: UserIdForm::Text, ..shape(TokenShape::PermissionsText) }).await,
        json!({"access_token": "T", "user_id": "24578906541234567", "permissions": both})
    );
    assert_eq!(
        answer(Options { token_user_id_kind: UserIdKind::Professional, ..shape(TokenShape::WrappedInData) })
            .await,
        json!({"data": [{"access_token": "T", "user_id": 17_841_400_000_000_000_u64, "permissions": both}]})
    );
    assert_eq!(
        answer(shape(TokenShape::WithoutPermissions)).await,
        json!({"access_token": "T", "user_id": 24_578_906_541_234_567_u64})
    );
}

#[tokio::test]
async fn a_short_lived_token_lives_an_hour_and_only_it_can_be_exchanged() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow(accounts::CREATOR));
    let short = text(&instagram.redeem(&code, &[]).await.1);
    assert_eq!(code_of(&instagram.refresh(&short).await.1), (100, None));
    assert_eq!(code_of(&instagram.long_lived(&short, "wrong").await.1), (101, None));
    instagram.simulator.advance(HOUR);
    let (status, body) = instagram.long_lived(&short, Config::APP_SECRET).await;
    assert_eq!((status, code_of(&body)), (StatusCode::BAD_REQUEST, (190, Some(463))));

    let long = instagram.simulator.issue_token(accounts::CREATOR);
    assert_eq!(code_of(&instagram.long_lived(&long, Config::APP_SECRET).await.1), (100, None));
}

#[tokio::test]
async fn a_refresh_needs_a_day_of_age_and_a_living_token() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    assert_eq!(code_of(&instagram.refresh(&token).await.1), (100, None));
    instagram.simulator.advance(DAY - Duration::from_secs(5));
    assert_eq!(instagram.refresh(&token).await.0, StatusCode::BAD_REQUEST);
    instagram.simulator.advance(Duration::from_secs(5));
    assert_eq!(instagram.refresh(&token).await.0, StatusCode::OK);

    instagram.simulator.advance(59 * DAY);
    let (status, body) = instagram.refresh(&token).await;
    assert_eq!((status, code_of(&body)), (StatusCode::BAD_REQUEST, (190, Some(463))));
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Error validating access token: Session has expired on "), "{message}");

    instagram.simulator.set_options(Options { expired_subcode: 0, ..Options::default() });
    assert_eq!(code_of(&instagram.refresh(&token).await.1), (190, Some(0)));
}

#[tokio::test]
async fn a_refresh_can_return_the_same_token_with_its_permissions() {
    let instagram = Instagram::start();
    instagram.simulator.set_options(Options {
        refresh_rotates: false,
        refresh_permissions: true,
        expires_in: 2 * 86_400,
        ..Options::default()
    });
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    for _ in 0..3 {
        instagram.simulator.advance(DAY);
        let (status, body) = instagram.refresh(&token).await;
        assert_eq!((status, text(&body)), (StatusCode::OK, token.clone()));
        assert!(body["permissions"].as_str().unwrap().starts_with("instagram_business_basic,"));
        assert_eq!(body["expires_in"], 2 * 86_400);
    }
}

#[tokio::test]
async fn a_revoked_token_says_why_and_a_new_one_lives() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let other = instagram.simulator.issue_token(accounts::CREATOR);
    for subcode in [458, 459, 460, 463, 464, 467] {
        instagram.simulator.revoke(accounts::RECORD_SHOP, subcode);
        let (status, body) = instagram.profile(&token, "username").await;
        assert_eq!((status, code_of(&body)), (StatusCode::BAD_REQUEST, (190, Some(subcode))));
    }
    assert_eq!(instagram.profile(&other, "username").await.0, StatusCode::OK);
    let fresh = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    assert_eq!(instagram.profile(&fresh, "username").await.0, StatusCode::OK);
}
