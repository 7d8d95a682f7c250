//! The admin routes, as the README writes them.

use instagram_simulator::{Config, Simulator, accounts};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Instagram, code_of};

impl Instagram {
    pub(super) async fn admin(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}/__simulator{path}", self.simulator.url()));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn faults_and_counts() {
    let instagram = Instagram::start();
    assert_eq!(instagram.admin(Method::GET, "/health", Value::Null).await.1, json!({"status": "ok"}));
    let fault =
        json!({"endpoint": "profile", "kind": "graph_error", "code": 190, "subcode": 458, "times": 2});
    assert_eq!(instagram.admin(Method::POST, "/faults", fault).await.0, StatusCode::CREATED);
    let wrong = json!({"endpoint": "profile", "kind": "earthquake"});
    assert_eq!(instagram.admin(Method::POST, "/faults", wrong).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(code_of(&instagram.profile("any", "id").await.1), (190, Some(458)));
    let (_, waiting) = instagram.admin(Method::GET, "/faults", Value::Null).await;
    assert_eq!((waiting[0]["kind"].as_str(), waiting[0]["times"].as_u64()), (Some("graph_error"), Some(1)));
    assert_eq!(instagram.admin(Method::DELETE, "/faults", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(instagram.admin(Method::GET, "/faults", Value::Null).await.1, json!([]));

    let counts =
        json!({"code_exchange": 0, "long_lived": 0, "refresh": 0, "profile": 1, "graph": 0, "any": 1});
    assert_eq!(instagram.admin(Method::GET, "/requests", Value::Null).await.1, counts);
    instagram.admin(Method::DELETE, "/requests", Value::Null).await;
    assert_eq!(instagram.admin(Method::GET, "/requests", Value::Null).await.1["any"], 0);
}

#[tokio::test]
async fn clock_and_options() {
    let instagram = Instagram::start();
    let (_, before) = instagram.admin(Method::GET, "/clock", Value::Null).await;
    let (_, after) = instagram.admin(Method::POST, "/clock", json!({"advance": 864_000})).await;
    let time = |body: &Value| body["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time(&after).duration_since(time(&before)).as_secs() >= 864_000);

    let (_, options) =
        instagram.admin(Method::PUT, "/options", json!({"expires_in": 60, "profile_wrapped": true})).await;
    assert_eq!(
        (options["expires_in"].as_u64(), options["token_shape"].as_str()),
        (Some(60), Some("permissions_list"))
    );
    let (_, options) = instagram.admin(Method::PUT, "/options", json!({})).await;
    assert_eq!(options["expires_in"], 5_183_944);
    assert_eq!(instagram.admin(Method::GET, "/options", Value::Null).await.1, options);
    let (status, _) = instagram.admin(Method::PUT, "/options", json!({"expire_in": 60})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn accounts_change_and_lose_their_tokens() {
    let instagram = Instagram::start();
    let (_, listed) = instagram.admin(Method::GET, "/accounts", Value::Null).await;
    assert_eq!(listed.as_array().unwrap().len(), 5);
    let shop = format!("/accounts/{}", accounts::RECORD_SHOP);
    let (status, issued) = instagram.admin(Method::POST, &format!("{shop}/tokens"), Value::Null).await;
    assert_eq!(status, StatusCode::CREATED);
    let token = issued["access_token"].as_str().unwrap();

    let (_, account) = instagram.admin(Method::PATCH, &shop, json!({"followers_count": 7})).await;
    assert_eq!((account["followers_count"].as_u64(), account["media_count"].as_u64()), (Some(7), Some(456)));
    assert_eq!(instagram.profile(token, "followers_count").await.1["followers_count"], 7);
    instagram.admin(Method::PATCH, &shop, json!({"app_access": false})).await;
    assert_eq!(code_of(&instagram.profile(token, "id").await.1), (100, None));
    instagram.admin(Method::PATCH, &shop, json!({"app_access": true})).await;

    instagram.admin(Method::POST, &format!("{shop}/revoke"), json!({"subcode": 460})).await;
    assert_eq!(code_of(&instagram.profile(token, "id").await.1), (190, Some(460)));
    for (method, path) in [
        (Method::PATCH, "/accounts/nobody"),
        (Method::POST, "/accounts/nobody/revoke"),
        (Method::POST, "/accounts/nobody/tokens"),
    ] {
        let body = json!({ "subcode": 460 });
        let body = if method == Method::PATCH { json!({}) } else { body };
        assert_eq!(instagram.admin(method, path, body).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn accounts_are_added() {
    let instagram = Instagram::start();
    let (status, added) = instagram.admin(Method::POST, "/accounts", json!({"username": "shop.1"})).await;
    assert_eq!(status, StatusCode::CREATED);
    let ids = instagram.simulator.account_ids("shop.1");
    assert_eq!((&added["user_id"], &added["id"]), (&json!(ids.professional), &json!(ids.app_scoped)));
    assert_eq!(added["revoked"], Value::Null);
    for (username, expected) in
        [("shop.1", StatusCode::CONFLICT), ("Shop", StatusCode::BAD_REQUEST), ("", StatusCode::BAD_REQUEST)]
    {
        let (status, body) = instagram.admin(Method::POST, "/accounts", json!({"username": username})).await;
        assert_eq!(status, expected, "{username}: {body}");
    }
    instagram.admin(Method::POST, "/accounts/shop.1/revoke", json!({"subcode": 460})).await;
    let (_, listed) = instagram.admin(Method::GET, "/accounts", Value::Null).await;
    assert_eq!((listed.as_array().unwrap().len(), listed[5]["revoked"].as_i64()), (6, Some(460)));
}

#[tokio::test]
async fn random_failures_and_the_log_of_refreshes() {
    let instagram = Instagram::start();
    let (_, failures) = instagram.admin(Method::GET, "/failures", Value::Null).await;
    let defaults = json!({"rate": 0.0, "seed": 0, "endpoints": ["refresh", "profile"], "delay_ms": 500});
    assert_eq!(failures, defaults);
    let all = json!({"rate": 1.0, "seed": 3, "endpoints": ["any"], "delay_ms": 1});
    assert_eq!(instagram.admin(Method::PUT, "/failures", all.clone()).await, (StatusCode::OK, all));
    for wrong in [json!({"rate": 1.5}), json!({"part": 0.5})] {
        assert_eq!(instagram.admin(Method::PUT, "/failures", wrong).await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(instagram.admin(Method::PUT, "/failures", json!({})).await.1, defaults);

    let token = instagram.simulator.issue_token(accounts::CREATOR);
    instagram.refresh(&token).await;
    let (_, mut log) = instagram.admin(Method::GET, "/refreshes", Value::Null).await;
    let at = log[0].as_object_mut().unwrap().remove("at").unwrap();
    at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let expected = json!([{"account": "mara.paints", "token": 1, "age_seconds": 0, "outcome": "too_young",
                           "renewed_into": null, "delivered_whole": true}]);
    assert_eq!(log, expected);
    assert_eq!(instagram.admin(Method::DELETE, "/refreshes", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(instagram.admin(Method::GET, "/refreshes", Value::Null).await.1, json!([]));
}

#[test]
fn an_address_in_use_is_an_error_and_a_dropped_simulator_frees_it() {
    let first = Simulator::start(Config::default()).unwrap();
    let bind = first.url().replace("http://", "").parse().unwrap();
    let error = Simulator::start(Config { bind, ..Config::default() }).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    Simulator::start(Config { bind, ..Config::default() }).unwrap();
}
