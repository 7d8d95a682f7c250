//! Whoever asks, over real HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use super::callers::SAVE;
use super::{Answer, PASSWORD};

/// A client with a cookie jar of its own.
pub(crate) struct Person {
    pub(super) client: reqwest::Client,
    pub(super) url: String,
    pub(crate) id: String,
}

impl Person {
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.bare_request(method, path).header("accept", "application/json")
    }

    /// One that does not say what it accepts.
    pub(crate) fn bare_request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Gets a path as a browser does when somebody follows a link.
    pub(crate) async fn navigate(&self, path: &str) -> reqwest::Response {
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        self.bare_request(Method::GET, path).header("accept", accept).send().await.unwrap()
    }

    /// The body that the web app sends after the callback's answer.
    pub(crate) fn save_body(&self, exchanged: &Value) -> Value {
        json!({
            "userId": self.id,
            "access_token": exchanged["access_token"],
            "user_id": exchanged["user_id"],
            "expires_in": exchanged["expires_in"],
            "user": exchanged["user"],
        })
    }

    pub(crate) async fn save(&self, exchanged: &Value) -> Answer {
        self.post(SAVE, self.save_body(exchanged)).await
    }

    /// Goes on from the page of a host application's link, as its button does.
    pub(crate) async fn follow_link(&self, path: &str) -> Answer {
        let (path, token) = path.split_once("?token=").unwrap();
        let form = self.request(Method::POST, path).form(&[("token", token)]);
        Answer::of(form.header("origin", "http://localhost:4002")).await
    }

    /// A new key of this person's own.
    pub(crate) async fn personal_key(&self, scopes: &[&str]) -> String {
        let body = json!({"name": "mine", "scopes": scopes, "password": PASSWORD});
        let answer = self.create_key(body).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.body["key"].as_str().unwrap().to_owned()
    }

    /// The events of the person's connection, the newest first.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let answer = self.instagram().events("").await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.body["events"].as_array().unwrap().clone()
    }

    /// The types of the connection's events, the oldest first.
    pub(crate) async fn event_types(&self) -> Vec<String> {
        self.instagram().event_types().await
    }
}
