//! The observer hears of every call once, with what the caller got.

use std::sync::{Arc, Mutex};

use spotify_client::{Config, SpotifyClient};
use upstream::testing::Canned;
use upstream::{Call, CallObserver};

use crate::app::{access_token, config_of, refresh_token, verifier};

#[derive(Default)]
struct Calls(Mutex<Vec<(&'static str, &'static str, &'static str)>>);

impl CallObserver for Calls {
    fn called(&self, call: &Call) {
        self.0.lock().unwrap().push((call.provider, call.endpoint, call.outcome));
    }
}

/// Makes every call, and returns what the observer heard.
async fn heard(server: &Canned) -> Vec<(&'static str, &'static str, &'static str)> {
    let calls = Arc::new(Calls::default());
    let observer = Some(Arc::clone(&calls) as Arc<dyn CallObserver>);
    let client = SpotifyClient::new(Config { observer, ..config_of(&server.base) }).unwrap();
    let _ = client.exchange_code("AQB", &verifier()).await;
    let _ = client.refresh(&refresh_token()).await;
    let _ = client.profile(&access_token()).await;
    let _ = client.get(&["me"], &[], &access_token()).await;
    std::mem::take(&mut *calls.0.lock().unwrap())
}

#[tokio::test]
async fn each_call_is_told_by_its_name_with_its_outcome() {
    let all = r#"{"id":"wizzler","access_token":"BQx","token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}"#;
    let told = |outcomes: [&'static str; 4]| -> Vec<_> {
        let endpoints = ["code_exchange", "refresh", "profile", "api"];
        endpoints
            .into_iter()
            .zip(outcomes)
            .map(|(endpoint, outcome)| ("spotify", endpoint, outcome))
            .collect()
    };
    assert_eq!(heard(&Canned::json(all)).await, told(["ok"; 4]));
    // Read by nobody but whoever forwards it.
    let outcomes = ["unintelligible", "unintelligible", "unintelligible", "ok"];
    assert_eq!(heard(&Canned::json("[]")).await, told(outcomes));
    let dead = Canned::answer(400, &[], r#"{"error":"invalid_grant"}"#);
    let outcomes = ["invalid_code", "needs_reauthorization", "rejected", "rejected"];
    assert_eq!(heard(&dead).await, told(outcomes));
    let refused =
        Canned::answer(401, &[], r#"{"error":{"status":401,"message":"The access token expired"}}"#);
    let outcomes = ["unintelligible", "unintelligible", "access_token_refused", "access_token_refused"];
    assert_eq!(heard(&refused).await, told(outcomes));
}
