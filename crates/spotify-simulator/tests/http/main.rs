//! The simulator as its clients meet it: over HTTP.

#![expect(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not what they call")]

mod accounts;
mod admin;
mod catalog;
mod consent;
mod faults;
mod profile;
mod refreshes;
mod tokens;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use spotify_simulator::{Config, Consent, Simulator};
use url::Url;

const SCOPES: &str = "user-read-private user-top-read playlist-read-private";
/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A simulator, and a client that knows its app.
struct Spotify {
    simulator: Simulator,
    http: Client,
}

impl Spotify {
    fn start() -> Self {
        // reqwest asks for a provider of cryptography even where it will only speak plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { simulator: Simulator::start(Config::default()).unwrap(), http }
    }

    /// The URL of the consent page, with the request's parameters changed or, where the value is empty, left
    /// out.
    fn auth_url(&self, changes: &[(&str, &str)]) -> String {
        let parameters = [
            ("client_id", Config::CLIENT_ID),
            ("redirect_uri", Config::REDIRECT_URIS[0]),
            ("response_type", "code"),
            ("scope", SCOPES),
            ("state", "st&te="),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let parameters = changed(&parameters, changes);
        Url::parse_with_params(&self.simulator.authorize_url(), parameters).unwrap().into()
    }

    fn code(&self, account: &str) -> String {
        parameter(&self.simulator.consent(&self.auth_url(&[]), Consent::allow(account)), "code").unwrap()
    }

    /// Posts to the token endpoint with the right `Authorization: Basic`.
    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.http.post(self.simulator.token_url()).form(form);
        let request = request.basic_auth(Config::CLIENT_ID, Some(Config::CLIENT_SECRET));
        read(request.send().await.unwrap()).await
    }

    /// Redeems a code, with the form's fields changed or left out.
    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> (StatusCode, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("redirect_uri", Config::REDIRECT_URIS[0]),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        self.token(&changed(&form, changes)).await
    }

    async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn raw(&self, path: &str, token: &str) -> Response {
        self.http
            .get(format!("{}/v1/{path}", self.simulator.api_url()))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        read(self.raw(path, token).await).await
    }

    /// An access token with these scopes.
    async fn access_token(&self, account: &str, scopes: &str) -> String {
        let choice = Consent::allow(account);
        let back = self.simulator.consent(&self.auth_url(&[("scope", scopes)]), choice);
        text(&self.redeem(&parameter(&back, "code").unwrap(), &[]).await.1, "access_token")
    }
}

/// The pairs, with some changed or, where the value is empty, left out.
fn changed<'a>(pairs: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = pairs.to_vec();
    for change in changes {
        pairs.retain(|(name, _)| name != &change.0);
        pairs.push(*change);
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

async fn read(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap())
}

fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {body}")).to_owned()
}

/// A parameter of a URL's query.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The status and the error's message.
fn message(answer: &(StatusCode, Value)) -> (u16, &str) {
    assert_eq!(answer.1["error"]["status"], answer.0.as_u16(), "{answer:?}");
    (answer.0.as_u16(), answer.1["error"]["message"].as_str().unwrap())
}
