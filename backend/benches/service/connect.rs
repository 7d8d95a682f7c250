//! Cost of connecting beyond the two round trips to Instagram that it takes.

use std::time::{Duration, Instant};

use instagram_client::{AuthorizeOptions, InstagramClient};
use instagram_simulator::{Config, Consent, Endpoint, Fault, Simulator, Times, accounts};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use shared::permission;

use crate::server::{APP_SECRET, REDIRECT_URI};

/// Rounds for each way; medians are reported.
const ROUNDS: usize = 60;

pub(crate) fn simulator() -> Simulator {
    Simulator::start(Config {
        app_secret: APP_SECRET.to_owned(),
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        ..Config::default()
    })
    .expect("the simulator starts")
}

/// Somebody with an account and a session.
pub(crate) struct Person {
    client: Client,
    url: String,
    id: String,
    pub(crate) cookie: String,
}

impl Person {
    pub(crate) async fn sign_up(url: &str) -> Self {
        let client = Client::builder().cookie_store(true).build().expect("a client");
        let body = json!({"email": "bench@example.com", "password": "a long password"});
        let response = client.post(format!("{url}/api/users")).json(&body).send().await.expect("an answer");
        let cookie = response.headers()["set-cookie"]
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned();
        let body: Value = response.json().await.expect("JSON");
        let id = body["user"]["id"].as_str().expect("an id").to_owned();
        Self { client, url: url.to_owned(), id, cookie }
    }

    /// The whole way. Returns what the callback and the save took.
    pub(crate) async fn connect(&self, simulator: &Simulator, account: &str) -> (Duration, Duration) {
        let login = self.get("/auth/instagram/login").await;
        let redirect = simulator.consent(login["authUrl"].as_str().expect("a URL"), Consent::allow(account));
        let query = Url::parse(&redirect).expect("a URL").query().unwrap_or_default().to_owned();
        let started = Instant::now();
        let mut body = self.get(&format!("/auth/instagram/callback?{query}")).await;
        let exchanged = started.elapsed();
        body["userId"] = json!(self.id);
        let started = Instant::now();
        let save = self.client.post(format!("{}/api/integrations/instagram/callback", self.url)).json(&body);
        let saved = save.send().await.expect("an answer");
        assert_eq!(saved.status(), 200, "{:?}", saved.text().await);
        (exchanged, started.elapsed())
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).header("accept", "application/json");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.expect("JSON")
    }
}

/// Goes both ways in turn, each upstream call taking `delay` ms, and prints a row of medians.
pub(crate) async fn measure(url: &str, simulator: &Simulator, delay: u64) {
    simulator.clear_faults();
    if delay > 0 {
        simulator.fault(Endpoint::Any, Fault::Delay { ms: delay }, Times::Forever);
    }
    let instagram = InstagramClient::new(instagram_client::Config {
        app_id: Config::APP_ID.to_owned(),
        app_secret: APP_SECRET.into(),
        redirect_uri: REDIRECT_URI.to_owned(),
        authorize_url: Url::parse(&simulator.authorize_url()).expect("a URL"),
        token_url: Url::parse(&simulator.token_url()).expect("a URL"),
        graph_url: Url::parse(&simulator.graph_url()).expect("a URL"),
        graph_version: instagram_client::DEFAULT_GRAPH_VERSION.to_owned(),
        timeout: Duration::from_secs(10),
        observer: None,
    })
    .expect("a client");
    let client = Client::builder().cookie_store(true).build().expect("a client");
    let email = format!("bench-{delay}@example.com");
    let sign_up =
        client.post(format!("{url}/api/users")).json(&json!({"email": email, "password": "a long password"}));
    let user: Value = sign_up.send().await.expect("an answer").json().await.expect("JSON");
    let id = user["user"]["id"].as_str().expect("an id").to_owned();
    let person = Person { client, url: url.to_owned(), id, cookie: String::new() };
    let account = if delay == 0 { accounts::RECORD_SHOP } else { accounts::CREATOR };

    let (mut alone, mut service, mut saving) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(two_round_trips(&instagram, simulator, account).await);
        let (exchanged, saved) = person.connect(simulator, account).await;
        service.push(exchanged);
        saving.push(saved);
    }
    simulator.clear_faults();
    let [alone, service, saving] = [alone, service, saving].map(median_milliseconds);
    println!("| {delay} ms a call | {alone:.2} | {service:.2} | {:.2} | {saving:.2} |", service - alone);
}

/// Makes the calls that the service cannot do without: the exchange, then the long-lived token and the
/// profile at once.
async fn two_round_trips(instagram: &InstagramClient, simulator: &Simulator, account: &str) -> Duration {
    let auth_url = instagram.authorize_url("bench", &permission::ALL, AuthorizeOptions::default());
    let redirect = Url::parse(&simulator.consent(auth_url.as_str(), Consent::allow(account))).expect("a URL");
    let code = redirect.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    let started = Instant::now();
    let short = instagram.exchange_code(&code).await.expect("a token");
    let both = futures_util::future::try_join(
        instagram.exchange_for_long_lived(&short.access_token),
        instagram.profile(&short.access_token),
    );
    both.await.expect("a token and a profile");
    started.elapsed()
}

fn median_milliseconds(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
