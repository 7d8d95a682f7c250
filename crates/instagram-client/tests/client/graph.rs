//! Graph calls that somebody else makes up: what goes over the wire, and what comes back of it.

use serde_json::json;
use upstream::{ApiBody, ApiCall, ApiMethod, MAX_FORWARDED_ANSWER, UpstreamError};

use crate::canned::{Canned, TOKEN, token};

fn call(method: ApiMethod, path: &[&str]) -> ApiCall {
    let path = path.iter().map(|&segment| segment.to_owned()).collect();
    ApiCall { method, path, query: Vec::new(), body: None }
}

#[tokio::test]
async fn the_token_is_in_the_header_and_not_in_the_url() {
    let canned = Canned::json(r#"{"data":[]}"#);
    let query =
        vec![("fields".to_owned(), "id,caption".to_owned()), ("after".to_owned(), "a&b=c".to_owned())];
    let call = ApiCall { query, ..call(ApiMethod::Get, &["17841400000000000", "media"]) };
    assert_eq!(canned.client.graph(call, &token()).await.unwrap(), json!({"data": []}));
    let request = canned.request();
    let (line, headers) = request.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /v25.0/17841400000000000/media?fields=id%2Ccaption&after=a%26b%3Dc HTTP/1.1");
    assert!(headers.contains(&format!("authorization: Bearer {TOKEN}")), "{headers}");
}

#[tokio::test]
async fn a_body_goes_out_as_json_or_as_a_form() {
    let form = ApiBody::Form(vec![("message".to_owned(), "thanks & bye".to_owned())]);
    for (body, media_type, sent) in [
        (
            ApiBody::Json(json!({"message": {"text": "hi"}})),
            "application/json",
            r#"{"message":{"text":"hi"}}"#,
        ),
        (form, "application/x-www-form-urlencoded", "message=thanks+%26+bye"),
    ] {
        let canned = Canned::json(r#"{"id":"1"}"#);
        let call = ApiCall { body: Some(body), ..call(ApiMethod::Post, &["me", "messages"]) };
        canned.client.graph(call, &token()).await.unwrap();
        let request = canned.request();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /v25.0/me/messages HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("content-type: {media_type}")), "{head}");
        assert_eq!(body, sent);
    }
}

#[tokio::test]
async fn an_answer_may_be_large_but_not_without_end() {
    let page = |size: usize| format!(r#"{{"caption":"{}"}}"#, "x".repeat(size));
    let canned = Canned::json(&page(2 * 1024 * 1024));
    canned.client.graph(call(ApiMethod::Get, &["me", "media"]), &token()).await.unwrap();
    let canned = Canned::json(&page(MAX_FORWARDED_ANSWER));
    let error = canned.client.graph(call(ApiMethod::Get, &["me", "media"]), &token()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Unintelligible { reason: "a body above 4 MiB".to_owned() });
}

#[tokio::test]
async fn neither_a_redirect_nor_a_page_is_an_answer() {
    let location = format!("Location: http://127.0.0.1:9/?access_token={TOKEN}");
    for canned in [Canned::answer(302, &[&location], ""), Canned::answer(200, &[], "<html></html>")] {
        let error = canned.client.graph(call(ApiMethod::Delete, &["1"]), &token()).await.unwrap_err();
        assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains(TOKEN));
    }
}

#[tokio::test]
async fn a_failure_is_told_in_instagrams_words_without_the_token() {
    let body =
        format!(r#"{{"error":{{"message":"Bad parameter {TOKEN}","type":"OAuthException","code":100}}}}"#);
    let canned = Canned::answer(400, &[], &body);
    let error = canned.client.graph(call(ApiMethod::Get, &["1"]), &token()).await.unwrap_err();
    let message = "Bad parameter [redacted]".to_owned();
    assert_eq!(error, UpstreamError::Rejected { code: 100, subcode: None, message, may_be_done: false });
}

#[tokio::test]
async fn known_failure_31_half_an_emoji_is_passed_on_as_a_replacement() {
    let canned = Canned::json(r#"{"data":[{"caption":"New in \ud83d","\udc00":"\\ud83d"}]}"#);
    let answer = canned.client.graph(call(ApiMethod::Get, &["me", "media"]), &token()).await.unwrap();
    assert_eq!(answer, json!({"data": [{"caption": "New in \u{fffd}", "\u{fffd}": r"\ud83d"}]}));
}
