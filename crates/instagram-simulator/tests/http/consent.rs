//! The consent page, and the way back from it.

use instagram_simulator::{Config, Consent, accounts};
use reqwest::StatusCode;

use super::{ALL, BASIC, Instagram, parameter};

#[tokio::test]
async fn the_page_lists_accounts_and_the_permissions_asked_for() {
    let instagram = Instagram::start();
    let response = instagram.http.get(instagram.auth_url(&[])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = response.text().await.unwrap();
    for account in [accounts::RECORD_SHOP, accounts::CREATOR, accounts::PERSONAL, accounts::SPARSE] {
        assert!(page.contains(&format!(r#"name="account" value="{account}""#)), "{account} is not there");
    }
    assert_eq!(page.matches(r#"type="checkbox""#).count(), 3);
    assert!(page.contains(r#"name="state" value="st&amp;te=""#), "the state is not escaped");
    assert!(!page.contains("sign in again"));

    let url = instagram.auth_url(&[("force_reauth", "true"), ("state", r#""><script>"#)]);
    let page = instagram.http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("sign in again"));
    assert!(!page.contains("<script>"));
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_never_a_redirect() {
    let instagram = Instagram::start();
    let slash = format!("{}/", Config::REDIRECT_URIS[0]);
    let spaces = ALL.replace(',', " ");
    let cases: [(&str, &str, &str); 8] = [
        ("client_id", "990602627938098", "Invalid platform app"),
        ("client_id", "", "Invalid platform app"),
        ("redirect_uri", &slash, "Invalid redirect_uri"),
        ("redirect_uri", "", "Invalid redirect_uri"),
        ("response_type", "token", "Invalid response_type"),
        ("scope", "", "Invalid scope"),
        ("scope", &spaces, "Invalid scope"),
        ("scope", "instagram_business_basic,user_profile", "Invalid scope: user_profile"),
    ];
    for (name, value, expected) in cases {
        let response = instagram.http.get(instagram.auth_url(&[(name, value)])).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{name}={value}");
        assert!(response.headers().get("location").is_none());
        let page = response.text().await.unwrap();
        assert!(page.contains(expected), "{name}={value}: {page}");
    }
}

#[tokio::test]
async fn the_form_sends_the_browser_back_with_a_code() {
    let instagram = Instagram::start();
    let form = [
        ("client_id", Config::APP_ID),
        ("redirect_uri", Config::REDIRECT_URIS[1]),
        ("response_type", "code"),
        ("scope", ALL),
        ("state", "st&te="),
        ("account", accounts::RECORD_SHOP),
        ("permission", BASIC),
        ("permission", "instagram_business_manage_messages"),
        ("decision", "allow"),
    ];
    let post = instagram.http.post(instagram.simulator.authorize_url()).form(&form);
    let response = post.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let back = response.headers()["location"].to_str().unwrap();
    assert!(back.starts_with(&format!("{}?code=", Config::REDIRECT_URIS[1])), "{back}");
    assert!(back.ends_with("#_"), "{back}");
    assert_eq!(parameter(back, "state").as_deref(), Some("st&te="));

    let (_, body) = instagram
        .redeem(&parameter(back, "code").unwrap(), &[("redirect_uri", Config::REDIRECT_URIS[1])])
        .await;
    assert_eq!(body["permissions"], serde_json::json!([BASIC, "instagram_business_manage_messages"]));

    let cancel = form.map(|(name, value)| if name == "decision" { (name, "cancel") } else { (name, value) });
    let response =
        instagram.http.post(instagram.simulator.authorize_url()).form(&cancel).send().await.unwrap();
    let back = response.headers()["location"].to_str().unwrap();
    assert_eq!(parameter(back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(back, "error_reason").as_deref(), Some("user_denied"));
    assert_eq!(parameter(back, "state").as_deref(), Some("st&te="));
    assert_eq!(parameter(back, "code"), None);
}

#[test]
fn a_personal_account_cannot_grant() {
    let instagram = Instagram::start();
    let back = instagram.simulator.consent(&instagram.auth_url(&[]), Consent::allow(accounts::PERSONAL));
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "error_reason").as_deref(), Some("personal_account"));
    assert!(parameter(&back, "error_description").is_some());
}

#[test]
fn a_request_without_state_comes_back_without_it() {
    let instagram = Instagram::start();
    let back = instagram.simulator.consent(&instagram.auth_url(&[("state", "")]), Consent::refuse());
    assert_eq!(parameter(&back, "state"), None);
}

#[test]
#[should_panic(expected = "Instagram shows its own page: Invalid platform app")]
fn consent_panics_where_the_person_would_not_come_back() {
    let instagram = Instagram::start();
    instagram.simulator.consent(&instagram.auth_url(&[("client_id", "1")]), Consent::refuse());
}

#[test]
#[should_panic(expected = "Invalid scope: instagram_business_manage_comments")]
fn consent_panics_where_a_permission_was_not_asked_for() {
    let instagram = Instagram::start();
    let choice = Consent::allow_only(accounts::CREATOR, &["instagram_business_manage_comments"]);
    instagram.simulator.consent(&instagram.auth_url(&[]), choice);
}
