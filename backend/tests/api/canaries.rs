//! Canaries: a token, a secret, a password and a session must be found nowhere but where they belong.

use instagram_simulator::{Consent, Endpoint, Fault, Times, accounts};
use reqwest::Url;
use serde_json::{Value, json};

use crate::support::callers::{
    API_KEYS, CALLBACK, HOST_LINK, LOGIN, MY_INSTAGRAM, SAVE, SESSION, SESSIONS, USERS,
};
use crate::support::{APP_SECRET, PASSWORD, Process, client, instagram_variables, simulator};

/// A service key: what is beyond its hint must not be seen.
const SERVICE_KEY: &str = "igc_live_000000000000000000000000000000000000000000039CYk9";

#[actix_web::test]
async fn no_secret_is_in_logs_answers_or_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let instagram = simulator();
    let of_instagram = instagram_variables(&instagram);
    let mut variables = vec![("RUST_LOG", "trace"), ("BOOTSTRAP_SERVICE_KEY", SERVICE_KEY)];
    variables.extend(of_instagram.iter().map(|(name, value)| (*name, value.as_str())));
    let process = Process::start(&folder, &variables);
    let client = client();
    let mut seen = String::new();
    let mut sessions = Vec::new();
    let mut ask = async |request: reqwest::RequestBuilder| -> Value {
        let response = request.header("accept", "application/json").send().await.unwrap();
        let cookies =
            response.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        sessions.extend(
            cookies.filter_map(|c| c.strip_prefix("connect_session=")?.split(';').next().map(str::to_owned)),
        );
        let text = response.text().await.unwrap();
        seen.push_str(&text);
        serde_json::from_str(&text).unwrap_or_default()
    };
    let at = |path: &str| format!("{}{path}", process.url);
    let user =
        ask(client.post(at(USERS)).json(&json!({"email": "ada@example.com", "password": PASSWORD}))).await;
    ask(client.post(at(SESSION)).json(&json!({"email": "ada@example.com", "password": PASSWORD}))).await;
    ask(client.post(at(SESSION)).json(&json!({"email": ["ada@example.com"], "password": [PASSWORD]}))).await;
    // Once through every kind of failure, then to the end.
    let faults = [Fault::Html, Fault::Truncated, Fault::Reset, Fault::RateLimited, Fault::WrongJson];
    for fault in faults.into_iter().map(Some).chain([None]) {
        if let Some(fault) = fault {
            instagram.fault(Endpoint::Profile, fault.clone(), Times::ONCE);
            instagram.fault(Endpoint::LongLived, fault, Times::ONCE);
        } else {
            instagram.clear_faults();
        }
        let login = ask(client.get(at(LOGIN))).await;
        let redirect =
            instagram.consent(login["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
        let query = Url::parse(&redirect).unwrap().query().unwrap().to_owned();
        let mut body = ask(client.get(at(&format!("{CALLBACK}?{query}")))).await;
        body["userId"] = user["user"]["id"].clone();
        ask(client.post(at(SAVE)).json(&body)).await;
    }
    let raw = instagram.issue_token(accounts::RECORD_SHOP);
    let body = json!({"userId": user["user"]["id"], "access_token": raw, "user_id": "1", "expires_in": 1000});
    ask(client.post(at(SAVE)).json(&body)).await;
    let made = json!({"name": "mine", "scopes": ["connections:read"], "password": PASSWORD});
    // Neither answer is one of those that are searched: each shows, this once, what it is for.
    let made = client.post(at(API_KEYS)).json(&made).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let personal_key = made["key"].as_str().unwrap().to_owned();
    let link = client.post(at(SESSIONS)).bearer_auth(SERVICE_KEY).json(&json!({"userId": "user-123"}));
    let link: Value = link.send().await.unwrap().json().await.unwrap();
    let link = Url::parse(link["url"].as_str().unwrap()).unwrap();
    let link_secret = link.query_pairs().next().unwrap().1.into_owned();
    let host_client = crate::support::client();
    // Twice: once it signs in, and once it is used up. The page itself holds the secret, for its form.
    host_client.get(at(&format!("{}?{}", link.path(), link.query().unwrap()))).send().await.unwrap();
    for _ in 0..2 {
        ask(host_client.post(at(link.path())).form(&[("token", link_secret.as_str())])).await;
    }
    let slipped = format!("{}0", &personal_key[..57]);
    for key in [SERVICE_KEY, &personal_key, &slipped] {
        ask(host_client.get(at(MY_INSTAGRAM)).bearer_auth(key)).await;
    }
    let reads_tokens = json!({"name": "reads tokens", "scopes": ["tokens:read"], "password": PASSWORD});
    let reads_tokens = client.post(at(API_KEYS)).header("idempotency-key", "canary").json(&reads_tokens);
    let reads_tokens: Value = reads_tokens.send().await.unwrap().json().await.unwrap();
    let token_key = reads_tokens["key"].as_str().unwrap().to_owned();
    // This answer is the one that may hold a token. Nothing else may show it from now on.
    let given =
        client.get(at(&format!("{MY_INSTAGRAM}/token"))).bearer_auth(&token_key).send().await.unwrap();
    let given: Value = given.json().await.unwrap();
    assert!(given["accessToken"].as_str().unwrap().starts_with("IGAA"));
    let graph = |path: &str| client.get(at(&format!("{MY_INSTAGRAM}/proxy/{path}")));
    let page = ask(graph("me/media?limit=1")).await;
    assert!(page["paging"]["next"].is_string(), "a link that had the token: {page}");
    ask(graph(&format!("me?access_token={raw}"))).await;
    instagram.fault(Endpoint::Graph, Fault::Truncated, Times::ONCE);
    ask(graph("me/media")).await;
    instagram.fault(Endpoint::Graph, Fault::Html, Times::ONCE);
    ask(graph("me/media")).await;
    ask(client.get(at(&format!("{MY_INSTAGRAM}/events")))).await;
    ask(client.get(at(API_KEYS))).await;
    let connection = ask(client.get(at(MY_INSTAGRAM))).await;
    assert_eq!(connection["connection"]["username"], accounts::RECORD_SHOP, "the flow ran: {connection}");

    let mut stored = String::new();
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        stored.push_str(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
    assert!(stored.contains(accounts::RECORD_SHOP), "the right files were read");
    let logged = process.output.lock().unwrap().clone();
    assert!(logged.contains(CALLBACK), "the log was read: {logged}");
    assert!(sessions.len() >= 2);
    assert!(seen.contains(accounts::RECORD_SHOP) && seen.contains("authUrl"), "the answers were read");
    assert!(logged.contains(HOST_LINK), "the link was opened");
    assert!(logged.contains("a token was given") && logged.contains("/proxy/me/media"), "and used");
    let keys = [SERVICE_KEY, &personal_key, &slipped, &token_key].map(|key| &key[13..]);
    let secrets = [APP_SECRET, PASSWORD, "IGAA", raw.as_str(), link_secret.as_str()];
    let own_secrets = sessions.iter().map(String::as_str).filter(|value| !value.is_empty());
    for secret in secrets.into_iter().chain(keys).chain(own_secrets) {
        for (place, text) in [("the log", &logged), ("an answer", &seen), ("the database", &stored)] {
            assert!(!text.contains(secret), "a secret ({secret:.6}…) is in {place}");
        }
    }
    assert!(!logged.contains("code=") && !logged.contains("state="), "no query is logged");
}
