//! Requests that Meta posts to the service: signed as it signs, and sent as it sends.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use instagram_simulator::{Options, SignedBy, UserIdForm, UserIdKind, accounts};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Config, Instagram, code_of};

/// The payload, if the signature over it is right.
fn verified(signed_request: &str, secret: &str) -> Option<Value> {
    let (signature, payload) = signed_request.split_once('.').unwrap();
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hmac.update(payload.as_bytes());
    hmac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).ok()?;
    Some(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap())
}

#[test]
fn it_names_either_id_as_text_or_number_under_either_secret() {
    let instagram = Instagram::start();
    let issued_at = Timestamp::from_second(1_716_300_000).unwrap();
    let signed =
        |by: SignedBy, kind| instagram.simulator.signed_request(accounts::RECORD_SHOP, by, kind, issued_at);
    let payload =
        |user_id: Value| json!({"algorithm": "HMAC-SHA256", "issued_at": 1_716_300_000, "user_id": user_id});

    let by_app = signed(SignedBy::AppSecret, UserIdKind::AppScoped);
    assert_eq!(verified(&by_app, Config::APP_SECRET), Some(payload("24578906541234567".into())));
    assert_eq!(verified(&by_app, "another"), None);
    let by_meta = signed(SignedBy::Secret("another".to_owned()), UserIdKind::Professional);
    assert_eq!(verified(&by_meta, "another"), Some(payload("17841400000000000".into())));

    instagram
        .simulator
        .set_options(Options { signed_request_user_id: UserIdForm::Number, ..Options::default() });
    let number = signed(SignedBy::AppSecret, UserIdKind::Professional);
    assert_eq!(verified(&number, Config::APP_SECRET), Some(payload(17_841_400_000_000_000_u64.into())));
}

/// A service that takes one request and answers 200 with `{"confirmation_code":"c1"}`. Gives its URL, and the request.
fn service() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/auth/instagram/data-deletion?from=meta", listener.local_addr().unwrap());
    let request = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let (mut request, mut buffer) = (String::new(), [0; 4096]);
        loop {
            let count = stream.read(&mut buffer).unwrap();
            request += std::str::from_utf8(&buffer[..count]).unwrap();
            let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        let body = r#"{"confirmation_code":"c1"}"#;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        request
    });
    (url, request)
}

#[tokio::test]
async fn removing_the_app_kills_the_tokens_and_tells_the_service() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::RECORD_SHOP);
    let (url, request) = service();
    let path = format!("/accounts/{}/deauthorize", accounts::RECORD_SHOP);
    let (status, answer) = instagram.admin(Method::POST, &path, json!({ "url": url })).await;
    assert_eq!((status, answer["status"].as_u64()), (StatusCode::OK, Some(200)), "{answer}");
    assert_eq!(answer["body"], r#"{"confirmation_code":"c1"}"#);

    let request = request.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /auth/instagram/data-deletion?from=meta HTTP/1.1\r\nhost: 127.0.0.1:"),
        "{head}"
    );
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let sent = body.strip_prefix("signed_request=").unwrap();
    assert_eq!(answer["signed_request"], sent);
    assert_eq!(verified(sent, Config::APP_SECRET).unwrap()["user_id"], "24578906541234567");

    assert_eq!(code_of(&instagram.profile(&token, "id").await.1), (190, Some(458)));
    assert!(instagram.simulator.is_revoked(accounts::RECORD_SHOP));
}

#[tokio::test]
async fn a_data_deletion_request_says_what_it_is_told_to_say() {
    let instagram = Instagram::start();
    let token = instagram.simulator.issue_token(accounts::CREATOR);
    let (url, request) = service();
    let path = format!("/accounts/{}/data-deletion", accounts::CREATOR);
    let call = json!({ "url": url, "user_id_kind": "professional", "issued_at": 1_716_300_000 });
    let (_, answer) = instagram.admin(Method::POST, &path, call).await;
    assert!(request.join().unwrap().ends_with(answer["signed_request"].as_str().unwrap()));
    let payload = verified(answer["signed_request"].as_str().unwrap(), Config::APP_SECRET).unwrap();
    assert_eq!(
        (payload["user_id"].as_str(), payload["issued_at"].as_i64()),
        (Some("17841401234567891"), Some(1_716_300_000))
    );
    assert_eq!(instagram.profile(&token, "id").await.0, StatusCode::OK, "deletion revokes nothing");
}

#[tokio::test]
async fn a_service_that_is_away_is_told_with_the_request_to_post_by_hand() {
    let instagram = Instagram::start();
    let path = format!("/accounts/{}/data-deletion", accounts::CREATOR);
    for url in ["http://127.0.0.1:9/", "https://example.com/"] {
        let (status, answer) = instagram.admin(Method::POST, &path, json!({ "url": url })).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{url}");
        assert!(answer["error"].is_string() && answer["signed_request"].is_string(), "{answer}");
    }
    let nobody = instagram.admin(
        Method::POST,
        "/accounts/nobody/deauthorize",
        json!({ "url": "http://127.0.0.1:9/" }),
    );
    assert_eq!(nobody.await.0, StatusCode::NOT_FOUND);
}
