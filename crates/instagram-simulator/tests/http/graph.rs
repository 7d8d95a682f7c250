//! The profile and its picture.

use std::time::Duration;

use instagram_simulator::{Consent, Options, accounts};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Instagram, code_of, read};

const FIELDS: &str = "user_id,id,username,name,account_type,profile_picture_url,biography,website,\
                      followers_count,follows_count,media_count";

#[tokio::test]
async fn the_profile_has_what_was_asked_for_and_what_is_set() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let (status, mut profile) = instagram.profile(&token, FIELDS).await;
    assert_eq!(status, StatusCode::OK);
    let picture = profile.as_object_mut().unwrap().remove("profile_picture_url").unwrap();
    let start = format!("{}/pictures/wreckshoprecords.svg?expires=", instagram.simulator.url());
    assert!(picture.as_str().unwrap().starts_with(&start), "{picture}");
    assert_eq!(
        profile,
        json!({
            "user_id": "17841400000000000", "id": "24578906541234567", "username": "wreckshoprecords",
            "name": "Wreck Shop Records", "account_type": "BUSINESS", "biography": "Vinyl Records & Digital Beats",
            "website": "wreckshop.com", "followers_count": 15_420, "follows_count": 823, "media_count": 456,
        })
    );
    let (_, profile) = instagram.profile(&token, "username").await;
    assert_eq!(profile, json!({ "id": "24578906541234567", "username": "wreckshoprecords" }));
    let (_, profile) = instagram.profile(&token, "").await;
    assert_eq!(profile, json!({ "id": "24578906541234567" }));

    let token = instagram.simulator.issue_token(accounts::SPARSE);
    let (_, profile) = instagram.profile(&token, FIELDS).await;
    assert_eq!(
        profile,
        json!({ "user_id": "17841403000000007", "id": "24578906541234573", "username": "brandnew_bakery",
                "account_type": "BUSINESS" })
    );
    instagram.simulator.set_followers(accounts::SPARSE, 3);
    assert_eq!(instagram.profile(&token, "followers_count").await.1["followers_count"], 3);

    let token = instagram.simulator.issue_token(accounts::CREATOR);
    assert_eq!(instagram.profile(&token, "account_type").await.1["account_type"], "MEDIA_CREATOR");
}

#[tokio::test]
async fn the_profile_can_come_wrapped() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.set_options(Options { profile_wrapped: true, ..Options::default() });
    let (_, profile) = instagram.profile(&token, "username").await;
    assert_eq!(profile, json!({"data": [{"id": "24578906541234567", "username": "wreckshoprecords"}]}));
}

#[tokio::test]
async fn a_token_comes_in_the_query_or_in_the_header() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    for path in ["/v25.0/me", "/v26.0/me", "/me"] {
        let url = instagram.simulator.graph_url() + path;
        let response = instagram.http.get(url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(code_of(&read(instagram.get("/v25.0/me", &[]).await).await.1), (104, None));
    assert_eq!(code_of(&instagram.profile("IGAAunknown", "id").await.1), (190, None));
    assert_eq!(code_of(&instagram.profile(&token, "username,friends").await.1), (100, None));
    assert_eq!(code_of(&read(instagram.get("/v25.0/you", &[]).await).await.1), (2500, None));
}

#[tokio::test]
async fn without_the_basic_permission_there_is_no_profile() {
    let instagram = Instagram::start();
    let choice = Consent::allow_only(accounts::RECORD_SHOP, &["instagram_business_content_publish"]);
    let (_, body) = instagram.redeem(&instagram.code(choice), &[]).await;
    let (status, body) = instagram.profile(body["access_token"].as_str().unwrap(), "id").await;
    assert_eq!((status, code_of(&body)), (StatusCode::FORBIDDEN, (10, None)));
}

#[tokio::test]
async fn without_access_every_graph_call_is_unsupported() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow(accounts::WITHOUT_ACCESS));
    let (status, short) = instagram.redeem(&code, &[]).await;
    assert_eq!(status, StatusCode::OK);
    let refused = |(status, body): (StatusCode, Value)| {
        assert_eq!((status, code_of(&body)), (StatusCode::BAD_REQUEST, (100, None)));
        assert_eq!(body["error"]["type"], "IGApiException");
        assert_eq!(body["error"]["message"], "Unsupported request - method type: get");
    };
    let short = short["access_token"].as_str().unwrap();
    refused(instagram.long_lived(short, instagram_simulator::Config::APP_SECRET).await);
    refused(instagram.refresh(short).await);
    refused(instagram.profile(short, "id").await);

    instagram.simulator.set_app_access(accounts::WITHOUT_ACCESS, true);
    assert_eq!(instagram.profile(short, "id").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_picture_is_an_svg_until_its_url_expires() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let (_, profile) = instagram.profile(&token, "profile_picture_url").await;
    let url = profile["profile_picture_url"].as_str().unwrap();
    let picture = instagram.http.get(url).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/svg+xml");
    assert!(picture.text().await.unwrap().starts_with("<svg"));
    instagram.simulator.advance(Duration::from_secs(3 * 86_400));
    assert_eq!(instagram.http.get(url).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(instagram.get("/pictures/brandnew_bakery.svg", &[]).await.status(), StatusCode::NOT_FOUND);
}
