//! Posts, comments and messages.

use instagram_simulator::{Consent, accounts};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BASIC, Instagram, code_of, parameter, read};

impl Instagram {
    async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let request =
            self.http.request(method, format!("{}/v25.0/{path}", self.simulator.url())).bearer_auth(token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        read(request.send().await.unwrap()).await
    }
}

#[tokio::test]
async fn posts_are_paged_and_the_links_carry_the_token() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let (status, page) =
        instagram.call(Method::GET, "me/media?fields=id,caption&limit=3", &token, None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(page["data"][0]["caption"], "Post 5", "the newest first");
    let next = page["paging"]["next"].as_str().unwrap();
    assert_eq!(parameter(next, "access_token").as_deref(), Some(token.as_str()));
    let (_, rest) = read(instagram.http.get(next).send().await.unwrap()).await;
    assert_eq!(rest["data"].as_array().unwrap().len(), 2);
    assert_eq!(rest["paging"]["next"], Value::Null);

    let other = instagram.simulator.issue_token(accounts::CREATOR);
    let id = page["data"][0]["id"].as_str().unwrap();
    let (_, refused) = instagram.call(Method::GET, id, &other, None).await;
    assert_eq!(code_of(&refused), (100, Some(33)), "another account's");
    let (_, refused) = instagram.call(Method::GET, &format!("{id}/friends"), &token, None).await;
    assert_eq!(code_of(&refused), (100, None));
}

#[tokio::test]
async fn a_post_is_made_in_two_steps() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let post = |path: &'static str, body| instagram.call(Method::POST, path, &token, Some(body));
    assert_eq!(code_of(&post("me/media", json!({"caption": "a"})).await.1), (100, None));
    let container = post("me/media", json!({"image_url": "https://x.example/a.jpg", "caption": "a"})).await.1;
    let id = container["id"].as_str().unwrap();
    let status = format!("{id}?fields=status_code");
    assert_eq!(instagram.call(Method::GET, &status, &token, None).await.1["status_code"], "FINISHED");
    assert_eq!(
        code_of(&post("me/media_publish", json!({"creation_id": "1"})).await.1),
        (24, Some(2_207_008))
    );
    let published = post("me/media_publish", json!({"creation_id": id})).await.1;
    let path = format!("{}?fields=caption", published["id"].as_str().unwrap());
    assert_eq!(instagram.call(Method::GET, &path, &token, None).await.1["caption"], "a");
    let limit = instagram.call(Method::GET, "me/content_publishing_limit", &token, None).await.1;
    assert_eq!(limit["data"][0]["quota_usage"], 1);
}

#[tokio::test]
async fn comments_and_messages_are_written() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let page = instagram.call(Method::GET, "me/media", &token, None).await.1;
    let post = page["data"][0]["id"].as_str().unwrap();
    let path = format!("{post}/comments");
    let made = instagram.call(Method::POST, &path, &token, Some(json!({"message": "hi"}))).await.1;
    let comment = made["id"].as_str().unwrap();
    assert_eq!(instagram.call(Method::GET, &path, &token, None).await.1["data"][0]["text"], "hi");
    assert_eq!(instagram.call(Method::DELETE, post, &token, None).await.0, StatusCode::BAD_REQUEST);
    let deleted = instagram.call(Method::DELETE, comment, &token, None).await;
    assert_eq!(deleted, (StatusCode::OK, json!({"success": true})));
    assert_eq!(instagram.call(Method::GET, &path, &token, None).await.1["data"], json!([]));

    let message = json!({"recipient": {"id": "42"}, "message": {"text": "hi"}});
    let sent = instagram.call(Method::POST, "me/messages", &token, Some(message)).await.1;
    assert_eq!(sent["recipient_id"], "42");
}

#[tokio::test]
async fn what_was_not_granted_is_refused() {
    let instagram = Instagram::start();
    let code = instagram.code(Consent::allow_only(accounts::RECORD_SHOP, &[BASIC]));
    let token = instagram.redeem(&code, &[]).await.1["access_token"].as_str().unwrap().to_owned();
    for path in ["me/media", "me/media_publish", "me/messages"] {
        let (status, body) = instagram.call(Method::POST, path, &token, Some(json!({}))).await;
        assert_eq!((status, code_of(&body)), (StatusCode::FORBIDDEN, (10, None)), "{path}");
    }
}
