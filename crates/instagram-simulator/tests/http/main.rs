//! The simulator as its clients meet it: over HTTP.

#![expect(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not what they call")]

mod accounts;
mod admin;
mod consent;
mod content;
mod failures;
mod faults;
mod graph;
mod refreshes;
mod signed_request;
mod tokens;

use instagram_simulator::{Config, Consent, Simulator};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use url::Url;

const BASIC: &str = "instagram_business_basic";
const ALL: &str =
    "instagram_business_basic,instagram_business_content_publish,instagram_business_manage_messages";

/// A simulator, and a client that knows its app.
struct Instagram {
    simulator: Simulator,
    http: Client,
}

impl Instagram {
    fn start() -> Self {
        // reqwest asks for a provider of cryptography even where it will only speak plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { simulator: Simulator::start(Config::default()).unwrap(), http }
    }

    /// The URL of the consent page, with the request's parameters changed or, where the value is empty, left out.
    fn auth_url(&self, changes: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("client_id", Config::APP_ID),
            ("redirect_uri", Config::REDIRECT_URIS[0]),
            ("response_type", "code"),
            ("scope", ALL),
            ("state", "st&te="),
        ];
        for change in changes {
            parameters.retain(|(name, _)| name != &change.0);
            parameters.push(*change);
        }
        parameters.retain(|(_, value)| !value.is_empty());
        Url::parse_with_params(&self.simulator.authorize_url(), parameters).unwrap().into()
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Response {
        self.http.get(self.simulator.url() + path).query(query).send().await.unwrap()
    }

    fn code(&self, consent: Consent) -> String {
        let back = self.simulator.consent(&self.auth_url(&[]), consent);
        parameter(&back, "code").expect("the person allowed it")
    }

    /// Redeems a code, with the form's fields changed.
    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut form = vec![
            ("client_id", Config::APP_ID),
            ("client_secret", Config::APP_SECRET),
            ("grant_type", "authorization_code"),
            ("redirect_uri", Config::REDIRECT_URIS[0]),
            ("code", code),
        ];
        for change in changes {
            form.retain(|(name, _)| name != &change.0);
            form.push(*change);
        }
        read(self.http.post(self.simulator.token_url()).form(&form).send().await.unwrap()).await
    }

    async fn long_lived(&self, token: &str, secret: &str) -> (StatusCode, Value) {
        let query = [("grant_type", "ig_exchange_token"), ("client_secret", secret), ("access_token", token)];
        read(self.get("/access_token", &query).await).await
    }

    async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        let query = [("grant_type", "ig_refresh_token"), ("access_token", token)];
        read(self.get("/refresh_access_token", &query).await).await
    }

    async fn profile(&self, token: &str, fields: &str) -> (StatusCode, Value) {
        read(self.get("/v25.0/me", &[("fields", fields), ("access_token", token)]).await).await
    }
}

async fn read(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap())
}

/// A parameter of a URL's query.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The error's code and subcode.
fn code_of(body: &Value) -> (i64, Option<i64>) {
    (body["error"]["code"].as_i64().unwrap(), body["error"]["error_subcode"].as_i64())
}
