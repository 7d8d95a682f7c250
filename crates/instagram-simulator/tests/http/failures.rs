//! Failures at random, seen from the client's side of the wire.

use std::collections::BTreeMap;

use instagram_simulator::{Endpoint, Fault, Options, RandomFailures, Times, accounts};
use reqwest::StatusCode;
use serde_json::Value;

use super::Instagram;

/// Returns the outcome of a request for the profile, in a word.
async fn outcome(instagram: &Instagram, token: &str) -> String {
    let url = instagram.simulator.graph_url() + "/v25.0/me";
    let Ok(response) = instagram.http.get(url).bearer_auth(token).send().await else {
        return "no answer".to_owned();
    };
    let status = response.status();
    let Ok(text) = response.text().await else { return "cut".to_owned() };
    let Ok(body) = serde_json::from_str::<Value>(&text) else { return format!("{} bytes", text.len()) };
    match body["error"]["code"].as_i64() {
        Some(code) => format!("{} {code}", status.as_u16()),
        None if body["id"].is_string() => "right".to_owned(),
        None => "other".to_owned(),
    }
}

#[tokio::test]
async fn a_part_of_all_requests_fails_in_every_way_and_no_token_is_said_to_be_dead() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.set_random_failures(RandomFailures {
        rate: 0.5,
        seed: 11,
        delay_ms: 1,
        ..RandomFailures::default()
    });
    let mut outcomes = BTreeMap::<String, u32>::new();
    for _ in 0..600 {
        *outcomes.entry(outcome(&instagram, &token).await).or_default() += 1;
    }
    // A delay of a millisecond is a right answer, so a little over half are right.
    assert!((280..380).contains(&outcomes["right"]), "{outcomes:?}");
    for expected in ["no answer", "cut", "0 bytes", "other", "429 4", "400 4", "503 2"] {
        assert!(outcomes.contains_key(expected), "{expected}: {outcomes:?}");
    }
    assert!(
        !outcomes.keys().any(|outcome| outcome.ends_with(" 190") || outcome.ends_with(" 102")),
        "{outcomes:?}"
    );

    // The code exchange is left alone, and the end is the end.
    instagram.simulator.set_random_failures(RandomFailures { rate: 1.0, ..RandomFailures::default() });
    assert_eq!(instagram.redeem("AQnever", &[]).await.1["error_type"], "OAuthException");
    instagram.simulator.set_random_failures(RandomFailures::default());
    for _ in 0..20 {
        assert_eq!(outcome(&instagram, &token).await, "right");
    }
}

#[tokio::test]
async fn a_planned_fault_goes_first_and_rate_limits_say_the_chosen_minutes() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    instagram.simulator.set_options(Options { regain_access_minutes: 3, ..Options::default() });
    instagram.simulator.set_random_failures(RandomFailures { rate: 1.0, ..RandomFailures::default() });
    instagram.simulator.fault(Endpoint::Refresh, Fault::ServerError { status: 507 }, Times::ONCE);
    assert_eq!(instagram.refresh(&token).await.0, StatusCode::INSUFFICIENT_STORAGE);

    let url = instagram.simulator.graph_url() + "/me";
    for _ in 0..200 {
        let Ok(response) = instagram.http.get(&url).bearer_auth(&token).send().await else { continue };
        if let Some(usage) = response.headers().get("x-business-use-case-usage") {
            let usage = usage.to_str().unwrap();
            assert!(usage.contains(r#""estimated_time_to_regain_access":3"#), "{usage}");
            return;
        }
    }
    panic!("200 failures without a rate limit");
}
