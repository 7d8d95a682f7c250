//! Failures: the parts that a caller learns, and the parts that nobody learns.

use std::error::Error as _;

use instagram_connect_client::shared::{CreateHostLink, ErrorCode};
use instagram_connect_client::{Client, ConfigError, Error};

use super::canned::{Canned, KEY, answer};
use super::service::Running;

#[tokio::test]
async fn a_refusal_is_the_contracts() {
    let running = Running::start();
    let wanted = CreateHostLink { user_id: "me".to_owned(), name: None, return_to: None };
    let error = running.client.create_host_link(&wanted).await.unwrap_err();
    let Error::Refused(body) = &error else { panic!("{error:?}") };
    assert_eq!(body.code, ErrorCode::ValidationFailed);
    assert!(body.fields.as_ref().unwrap().contains_key("userId"), "{body:?}");
    assert_eq!(error.request_id(), Some(body.request_id.as_str()));
    assert_eq!(error.to_string(), format!("{} (validation_failed, request {})", body.error, body.request_id));
    assert_eq!(error.retry_after(), None);
}

#[tokio::test]
async fn an_answer_of_somebody_else_is_told_by_its_status() {
    for (status, body) in
        [(200, "<html>welcome</html>"), (200, "{}"), (502, "<html>bad gateway</html>"), (302, "")]
    {
        let canned =
            Canned::answers(&[&answer(status, "X-Request-Id: abc\r\nLocation: /elsewhere\r\n", body)]);
        let error = canned.client.token("user-1").await.unwrap_err();
        assert!(matches!(error, Error::Unintelligible { status: given, .. } if given == status), "{error:?}");
        assert_eq!(error.request_id(), Some("abc"));
        assert_eq!(error.code(), None);
        assert_eq!(canned.requests().len(), 1, "a redirect would take the key along");
    }
}

#[tokio::test]
async fn the_key_is_sent_and_never_shown() {
    let canned = Canned::answers(&[""]);
    let client = &canned.client;
    let error = client.exchange("user-1", "canary-code", "canary-state").await.unwrap_err();
    assert!(canned.requests()[0].contains(&format!("authorization: Bearer {KEY}")));
    let mut printed = format!("{client:?} {error:?} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        printed += &format!(" {error:?} {error}");
        cause = error.source();
    }
    assert!(printed.contains("Transport"), "{printed}");
    for secret in [KEY, "canary"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[tokio::test]
async fn no_id_leads_to_another_address() {
    let canned = Canned::answers(&[&answer(200, "", r#"{"ok":true}"#)]);
    for id in ["", ".", ".."] {
        let error = canned.client.disconnect(id).await.unwrap_err();
        assert!(matches!(error, Error::Unaddressable), "{id:?}: {error:?}");
        let error = canned.client.graph_get("user-1", &format!("me/{id}/media"), &[]).await.unwrap_err();
        assert!(matches!(error, Error::Unaddressable), "{id:?}: {error:?}");
    }
    assert_eq!(canned.requests().len(), 0);
    canned.client.disconnect("a/../b?c#d é").await.unwrap();
    let first = canned.requests()[0].lines().next().unwrap().to_owned();
    assert_eq!(first, "DELETE /api/integrations/instagram/a%2F..%2Fb%3Fc%23d%20%C3%A9 HTTP/1.1");
}

#[test]
fn what_cannot_be_asked_is_no_client() {
    for address in
        ["", "connect.example.com", "ftp://x.example", "https://a:b@x.example", "https://x.example/?a"]
    {
        assert!(matches!(Client::new(address, KEY), Err(ConfigError::Address)), "{address}");
    }
    assert!(matches!(Client::new("http://x.example", "a\nb"), Err(ConfigError::Key)));
    assert!(Client::new("http://x.example/connect/", KEY).is_ok());
}
