//! The log of refreshes, and the old tokens that go on working.

use std::time::Duration;

use instagram_simulator::{Config, Consent, Endpoint, Fault, Options, RefreshOutcome, Times, accounts};
use reqwest::StatusCode;

use super::{Instagram, code_of};

const DAY: Duration = Duration::from_secs(86_400);

fn text(body: &serde_json::Value) -> String {
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_refresh_that_names_a_token_is_on_record() {
    let instagram = Instagram::start();
    let simulator = &instagram.simulator;
    let token = simulator.issue_token(accounts::RECORD_SHOP);
    instagram.refresh("IGAAunknown").await;
    assert_eq!(simulator.refreshes(), [], "no token, no record");

    instagram.refresh(&token).await;
    simulator.advance(DAY);
    let (_, renewed) = instagram.refresh(&token).await;
    simulator.set_app_access(accounts::RECORD_SHOP, false);
    instagram.refresh(&token).await;
    simulator.set_app_access(accounts::RECORD_SHOP, true);
    simulator.fault(Endpoint::Refresh, Fault::RateLimited, Times::ONCE);
    instagram.refresh(&token).await;
    simulator.advance(60 * DAY);
    instagram.refresh(&token).await;
    let other = simulator.issue_token(accounts::CREATOR);
    simulator.revoke(accounts::CREATOR, 458);
    instagram.refresh(&other).await;

    let log = simulator.refreshes();
    let days = |seconds: u64| seconds / DAY.as_secs();
    let seen: Vec<_> = log
        .iter()
        .map(|record| {
            (
                record.account.as_str(),
                record.token,
                days(record.age_seconds),
                record.outcome,
                record.renewed_into,
            )
        })
        .collect();
    let shop = accounts::RECORD_SHOP;
    assert_eq!(
        seen,
        [
            (shop, 1, 0, RefreshOutcome::TooYoung, None),
            (shop, 1, 1, RefreshOutcome::Renewed, Some(2)),
            (shop, 1, 1, RefreshOutcome::Failed, None),
            (shop, 1, 1, RefreshOutcome::Failed, None),
            (shop, 1, 61, RefreshOutcome::Expired, None),
            (accounts::CREATOR, 3, 0, RefreshOutcome::Revoked, None),
        ]
    );
    assert!(log.iter().all(|record| record.delivered_whole));
    assert!(log.is_sorted_by_key(|record| record.at));
    let shown = format!("{log:?}");
    assert!(!shown.contains(&token) && !shown.contains(&text(&renewed)), "a token is on record");
    simulator.clear_refreshes();
    assert_eq!(simulator.refreshes(), []);
}

#[tokio::test]
async fn a_lost_answer_is_on_record_as_one_and_has_renewed_the_token() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.advance(DAY);
    let url = instagram.simulator.graph_url() + "/refresh_access_token";
    let faults = [Fault::Truncated, Fault::Delay { ms: 600_000 }, Fault::Reset];
    for fault in &faults {
        instagram.simulator.fault(Endpoint::Refresh, fault.clone(), Times::ONCE);
        let request =
            instagram.http.get(&url).query(&[("grant_type", "ig_refresh_token"), ("access_token", &token)]);
        let answer = request.timeout(Duration::from_millis(300)).send().await;
        assert!(answer.is_err() || answer.unwrap().bytes().await.is_err(), "{fault:?}");
    }
    let log = instagram.simulator.refreshes();
    let seen: Vec<_> =
        log.iter().map(|record| (record.outcome, record.renewed_into, record.delivered_whole)).collect();
    assert_eq!(
        seen,
        [
            (RefreshOutcome::Renewed, Some(2), false),
            (RefreshOutcome::Renewed, Some(3), false),
            (RefreshOutcome::Failed, None, false),
        ]
    );
    // The client still has the old one.
    assert_eq!(instagram.refresh(&token).await.0, StatusCode::OK);
}

/// Spec `instagram-api.md` §4.
#[tokio::test]
async fn an_old_token_works_and_is_renewed_to_the_end_of_its_own_life() {
    let instagram = Instagram::start();
    instagram.simulator.set_options(Options { expires_in: 10 * 86_400, ..Options::default() });
    let old = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.advance(4 * DAY);
    let new = text(&instagram.refresh(&old).await.1);
    assert_ne!(new, old);
    instagram.simulator.advance(5 * DAY);
    assert_eq!(instagram.profile(&old, "id").await.0, StatusCode::OK);
    assert_eq!(instagram.refresh(&old).await.0, StatusCode::OK);
    instagram.simulator.advance(DAY);
    assert_eq!(code_of(&instagram.profile(&old, "id").await.1), (190, Some(463)));
    assert_eq!(instagram.profile(&new, "id").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_lives_longer_keeps_its_number_and_starts_a_new_age() {
    let instagram = Instagram::start();
    instagram.simulator.set_options(Options { refresh_rotates: false, ..Options::default() });
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    for _ in 0..2 {
        instagram.simulator.advance(2 * DAY);
        instagram.refresh(&token).await;
        instagram.refresh(&token).await;
    }
    let log = instagram.simulator.refreshes();
    let seen: Vec<_> = log.iter().map(|record| (record.token, record.renewed_into, record.outcome)).collect();
    let (renewed, young) = ((1, Some(1), RefreshOutcome::Renewed), (1, None, RefreshOutcome::TooYoung));
    assert_eq!(seen, [renewed, young, renewed, young]);
}

#[tokio::test]
async fn what_is_long_dead_is_forgotten_and_still_dead() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow(accounts::RECORD_SHOP));
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.advance(149 * DAY);
    assert_eq!(code_of(&instagram.refresh(&token).await.1), (190, Some(463)), "89 days dead");
    instagram.simulator.advance(2 * DAY);
    assert_eq!(code_of(&instagram.refresh(&token).await.1), (190, None), "91 days dead");
    assert_eq!(instagram.redeem(&code, &[("client_id", Config::APP_ID)]).await.0, StatusCode::BAD_REQUEST);
}
