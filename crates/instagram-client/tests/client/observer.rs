//! The observer hears of every call once, with what the caller got.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use instagram_client::{Config, InstagramClient};
use instagram_simulator::{Config as SimulatorConfig, Consent, Endpoint, Fault, Simulator, Times, accounts};
use upstream::{Call, CallObserver, UpstreamError};
use url::Url;

#[derive(Default)]
struct Calls(Mutex<Vec<Call>>);

impl CallObserver for Calls {
    fn called(&self, call: &Call) {
        self.0.lock().unwrap().push(*call);
    }
}

impl Calls {
    /// The calls since the last look.
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The endpoint and the outcome of the only call since the last look.
    fn only(&self) -> (&'static str, &'static str) {
        let calls = self.take();
        let [call] = calls[..] else { panic!("one call, not {calls:?}") };
        (call.endpoint, call.outcome)
    }
}

fn start() -> (Simulator, InstagramClient, Arc<Calls>) {
    let simulator = Simulator::start(SimulatorConfig::default()).unwrap();
    let calls = Arc::new(Calls::default());
    let url = |text: String| Url::parse(&text).unwrap();
    let defaults = Config::new(
        SimulatorConfig::APP_ID.to_owned(),
        SimulatorConfig::APP_SECRET.into(),
        SimulatorConfig::REDIRECT_URIS[0].to_owned(),
    );
    let client = InstagramClient::new(Config {
        authorize_url: url(simulator.authorize_url()),
        token_url: url(simulator.token_url()),
        graph_url: url(simulator.graph_url()),
        timeout: Duration::from_millis(500),
        observer: Some(Arc::clone(&calls) as Arc<dyn CallObserver>),
        ..defaults
    })
    .unwrap();
    (simulator, client, calls)
}

#[tokio::test]
async fn each_endpoint_is_told_by_its_name() {
    let (simulator, client, calls) = start();
    let authorize_url = client.authorize_url("state", &["instagram_business_basic"], Default::default());
    let back = simulator.consent(authorize_url.as_str(), Consent::allow(accounts::RECORD_SHOP));
    let back = Url::parse(&back).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(calls.take(), [], "neither building a URL nor consenting is a call");

    let short = client.exchange_code(&code).await.unwrap();
    assert_eq!(calls.only(), ("code_exchange", "ok"));
    let long = client.exchange_for_long_lived(&short.access_token).await.unwrap();
    assert_eq!(calls.only(), ("long_lived_exchange", "ok"));
    simulator.advance(Duration::from_secs(24 * 60 * 60));
    client.refresh(&long.access_token).await.unwrap();
    assert_eq!(calls.only(), ("refresh", "ok"));
    client.profile(&long.access_token).await.unwrap();
    assert_eq!(calls.only(), ("profile", "ok"));

    assert_eq!(client.exchange_code(&code).await.unwrap_err(), UpstreamError::InvalidCode);
    assert_eq!(calls.only(), ("code_exchange", "invalid_code"));
}

#[tokio::test]
async fn each_failure_is_told_by_its_kind_with_the_time_it_took() {
    let (simulator, client, calls) = start();
    let token = simulator.issue_token(accounts::RECORD_SHOP).into();
    for (fault, kind) in [
        (Fault::Delay { ms: 900 }, "timeout"),
        (Fault::ServerError { status: 502 }, "retryable"),
        (Fault::Reset, "retryable"),
        (Fault::Truncated, "retryable"),
        (Fault::RateLimited400, "rate_limited"),
        (Fault::graph_error(190, 463), "needs_reauthorization"),
        (Fault::graph_error(10, None), "missing_permission"),
        (Fault::graph_error(100, 33), "rejected"),
        // Successes by their status, which nobody can read.
        (Fault::Html, "unintelligible"),
        (Fault::WrongJson, "unintelligible"),
    ] {
        simulator.fault(Endpoint::Profile, fault.clone(), Times::ONCE);
        let error = client.profile(&token).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}");
        let [call] = calls.take()[..] else { panic!("not one call: {fault:?}") };
        assert_eq!((call.endpoint, call.outcome), ("profile", kind), "{fault:?}");
        assert!(call.elapsed < Duration::from_secs(5), "{call:?}");
        if kind == "timeout" {
            assert!(call.elapsed >= Duration::from_millis(450), "{call:?}");
        }
    }
    simulator.set_app_access(accounts::RECORD_SHOP, false);
    client.profile(&token).await.unwrap_err();
    assert_eq!(calls.only(), ("profile", "app_access"));
}

#[test]
fn debug_of_a_configuration_names_the_observer_and_no_more() {
    let observer: Arc<dyn CallObserver> = Arc::new(Calls::default());
    let config = Config {
        observer: Some(observer),
        ..Config::new("1".to_owned(), "a secret".into(), "https://example.com/".to_owned())
    };
    let shown = format!("{config:?}");
    assert!(shown.contains("observer: Some(CallObserver)") && !shown.contains("a secret"), "{shown}");
}
