//! The admin routes, as the README writes them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use spotify_simulator::accounts;

use super::Spotify;

impl Spotify {
    async fn admin(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}/__simulator{path}", self.simulator.url()));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn faults_and_counts() {
    let spotify = Spotify::start();
    assert_eq!(spotify.admin(Method::GET, "/health", Value::Null).await.1, json!({"status": "ok"}));
    let outage = json!({"endpoint": "refresh", "kind": "token_error", "error": "invalid_grant",
                        "description": "Invalid refresh token", "times": "forever"});
    assert_eq!(spotify.admin(Method::POST, "/faults", outage.clone()).await.0, StatusCode::CREATED);
    let wrong = json!({"endpoint": "refresh", "kind": "earthquake"});
    assert_eq!(spotify.admin(Method::POST, "/faults", wrong).await.0, StatusCode::BAD_REQUEST);
    let tokens = spotify.simulator.issue_tokens(accounts::LISTENER);
    for _ in 0..2 {
        assert_eq!(spotify.refresh(&tokens.refresh_token).await.1["error"], "invalid_grant");
    }
    assert_eq!(spotify.admin(Method::GET, "/faults", Value::Null).await.1, json!([outage]));
    assert_eq!(spotify.admin(Method::DELETE, "/faults", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(spotify.refresh(&tokens.refresh_token).await.0, StatusCode::OK, "the token was good");

    spotify.get("me", &tokens.access_token).await;
    spotify.get("me/playlists", &tokens.access_token).await;
    let counts = json!({"code_exchange": 0, "refresh": 3, "profile": 1, "api": 1, "any": 5});
    assert_eq!(spotify.admin(Method::GET, "/requests", Value::Null).await.1, counts);
    spotify.admin(Method::DELETE, "/requests", Value::Null).await;
    assert_eq!(spotify.admin(Method::GET, "/requests", Value::Null).await.1["any"], 0);
}

#[tokio::test]
async fn clock_options_and_failures() {
    let spotify = Spotify::start();
    let (_, before) = spotify.admin(Method::GET, "/clock", Value::Null).await;
    let (_, after) = spotify.admin(Method::POST, "/clock", json!({"advance": 864_000})).await;
    let time = |body: &Value| body["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time(&after).duration_since(time(&before)).as_secs() >= 864_000);

    let chosen = json!({"rotation": "on_old_dies", "not_registered": "dashboard", "error_body": "json"});
    let (_, options) = spotify.admin(Method::PUT, "/options", chosen).await;
    assert_eq!(
        (options["rotation"].as_str(), options["code_life"].as_u64()),
        (Some("on_old_dies"), Some(600))
    );
    let (_, options) = spotify.admin(Method::PUT, "/options", json!({})).await;
    assert_eq!(options["rotation"], "off");
    assert_eq!(spotify.admin(Method::GET, "/options", Value::Null).await.1, options);
    let (status, _) = spotify.admin(Method::PUT, "/options", json!({"rotates": true})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let defaults = json!({"rate": 0.0, "seed": 0, "endpoints": ["refresh", "profile"], "delay_ms": 500});
    assert_eq!(spotify.admin(Method::GET, "/failures", Value::Null).await.1, defaults);
    let all = json!({"rate": 1.0, "seed": 3, "endpoints": ["any"], "delay_ms": 1});
    assert_eq!(spotify.admin(Method::PUT, "/failures", all.clone()).await, (StatusCode::OK, all));
    let wrong = spotify.admin(Method::PUT, "/failures", json!({"rate": 1.5})).await;
    assert_eq!(wrong.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn accounts_are_added_changed_and_revoked() {
    let spotify = Spotify::start();
    let (_, listed) = spotify.admin(Method::GET, "/accounts", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 6);
    assert_eq!(
        listed[0],
        json!({"username": "wizzler", "id": "wizzler", "account_id": "aB3dE5fG7h", "display_name": "JM Wizzler",
               "product": "premium", "followers": 3829, "registered": true, "development": false,
               "revoked": false})
    );
    let (status, issued) = spotify.admin(Method::POST, "/accounts/wizzler/tokens", Value::Null).await;
    assert_eq!((status, issued["expires_in"].as_u64()), (StatusCode::CREATED, Some(3_600)));
    let token = issued["access_token"].as_str().unwrap();

    let change = json!({"followers": 7, "account_id": null, "display_name": null});
    spotify.admin(Method::PATCH, "/accounts/wizzler", change).await;
    let profile = spotify.get("me", token).await.1;
    assert_eq!((profile["followers"]["total"].as_u64(), profile.get("account_id")), (Some(7), None));
    assert_eq!(
        (profile["display_name"].clone(), profile["product"].as_str()),
        (Value::Null, Some("premium"))
    );
    let wrong = spotify.admin(Method::PATCH, "/accounts/wizzler", json!({"fame": 1})).await;
    assert_eq!(wrong.0, StatusCode::BAD_REQUEST);

    let revoked = spotify.admin(Method::POST, "/accounts/wizzler/revoke", Value::Null).await;
    assert_eq!(revoked.0, StatusCode::NO_CONTENT);
    let (_, refused) = spotify.refresh(issued["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refused, json!({"error": "invalid_grant", "error_description": "Refresh token revoked"}));
    assert_eq!(spotify.admin(Method::GET, "/accounts", Value::Null).await.1[0]["revoked"], true);

    let new = json!({"username": "listener.1"});
    assert_eq!(spotify.admin(Method::POST, "/accounts", new.clone()).await.0, StatusCode::CREATED);
    assert_eq!(spotify.admin(Method::POST, "/accounts", new).await.0, StatusCode::CONFLICT);
    for (method, path) in [(Method::PATCH, ""), (Method::POST, "/revoke"), (Method::POST, "/tokens")]
        .map(|(method, path)| (method, format!("/accounts/nobody{path}")))
    {
        assert_eq!(spotify.admin(method, &path, json!({})).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_log_of_refreshes_shows_numbers_and_no_token() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    spotify.refresh(&token).await;
    let (_, mut log) = spotify.admin(Method::GET, "/refreshes", Value::Null).await;
    let at = log[0].as_object_mut().unwrap().remove("at").unwrap();
    at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let left = log[0].as_object_mut().unwrap().remove("access_seconds_left").unwrap();
    assert!((3_500..=3_600).contains(&left.as_u64().unwrap()), "{left}");
    let expected = json!([{"account": "wizzler", "token": 1, "age_seconds": 0, "outcome": "refreshed",
                           "access_token": 3, "rotated_into": null, "delivered_whole": true}]);
    assert_eq!(log, expected);
    assert_eq!(spotify.admin(Method::DELETE, "/refreshes", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(spotify.admin(Method::GET, "/refreshes", Value::Null).await.1, json!([]));
}
