//! Accounts beyond the named ones.

use std::collections::HashSet;

use instagram_simulator::{Consent, accounts};
use reqwest::StatusCode;

use super::{ALL, BASIC, Config, Instagram, code_of, parameter};

const FIELDS: &str = "user_id,id,username,name,account_type,followers_count,follows_count,media_count";

#[tokio::test]
async fn any_number_of_accounts_can_be_added_each_with_ids_of_its_own() {
    let instagram = Instagram::start();
    let mut ids = HashSet::new();
    for number in 0..1_000 {
        let added = instagram.simulator.add_account(&format!("shop.{number}"));
        assert!(added.professional.starts_with("17841") && added.professional.len() == 17, "{added:?}");
        assert!(!added.app_scoped.starts_with("17841"), "{added:?}");
        ids.extend([added.professional, added.app_scoped]);
    }
    for name in [accounts::RECORD_SHOP, accounts::CREATOR, accounts::PERSONAL, accounts::SPARSE] {
        let named = instagram.simulator.account_ids(name);
        ids.extend([named.professional, named.app_scoped]);
    }
    assert_eq!(ids.len(), 2 * 1_004, "an id was given twice");

    let token = instagram.simulator.issue_token("shop.617");
    let (status, profile) = instagram.profile(&token, FIELDS).await;
    assert_eq!(status, StatusCode::OK);
    let expected = instagram.simulator.account_ids("shop.617");
    assert_eq!(profile["user_id"], expected.professional);
    assert_eq!(profile["id"], expected.app_scoped);
    assert_eq!(
        (profile["username"].as_str(), profile["account_type"].as_str()),
        (Some("shop.617"), Some("BUSINESS"))
    );
    assert!(
        ["name", "followers_count", "follows_count", "media_count"]
            .iter()
            .all(|field| !profile[field].is_null())
    );
}

#[tokio::test]
async fn the_consent_page_stays_short_and_takes_an_account_that_it_does_not_list() {
    let instagram = Instagram::start();
    for number in 0..50 {
        instagram.simulator.add_account(&format!("shop.{number}"));
    }
    let page = instagram.http.get(instagram.auth_url(&[])).send().await.unwrap().text().await.unwrap();
    assert_eq!(page.matches(r#"name="account""#).count(), 5);

    let form = [
        ("client_id", Config::APP_ID),
        ("redirect_uri", Config::REDIRECT_URIS[0]),
        ("response_type", "code"),
        ("scope", ALL),
        ("account", "shop.49"),
        ("permission", BASIC),
        ("decision", "allow"),
    ];
    let response = instagram.http.post(instagram.simulator.authorize_url()).form(&form).send().await.unwrap();
    let by_form = parameter(response.headers()["location"].to_str().unwrap(), "code").unwrap();
    for code in [by_form, instagram.code(Consent::allow("shop.49"))] {
        let (_, short) = instagram.redeem(&code, &[]).await;
        let (_, profile) = instagram.profile(short["access_token"].as_str().unwrap(), "username").await;
        assert_eq!(profile["username"], "shop.49");
    }
}

#[tokio::test]
async fn an_account_is_revoked_until_it_connects_again() {
    let instagram = Instagram::start();
    instagram.simulator.add_account("shop");
    assert!(!instagram.simulator.is_revoked("shop"));
    let (first, second) = (instagram.simulator.issue_token("shop"), instagram.simulator.issue_token("shop"));
    instagram.simulator.revoke("shop", 460);
    assert!(instagram.simulator.is_revoked("shop"));
    assert!(!instagram.simulator.is_revoked(accounts::CREATOR));
    instagram.simulator.issue_token("shop");
    assert!(!instagram.simulator.is_revoked("shop"));
    for dead in [first, second] {
        assert_eq!(code_of(&instagram.profile(&dead, "id").await.1), (190, Some(460)), "came back to life");
    }
}

#[test]
#[should_panic(expected = "there is an account of this name")]
fn a_name_is_given_once() {
    Instagram::start().simulator.add_account(accounts::CREATOR);
}

#[test]
#[should_panic(expected = "username is 1 to 30")]
fn a_name_that_no_page_could_show_is_refused() {
    Instagram::start().simulator.add_account("<script>");
}
