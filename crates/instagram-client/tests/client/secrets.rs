//! Known failure 16: secrets and tokens in logs and public issues, since they sit in URLs. Nothing that is logged at any
//! level, by this crate or by one below it, and no error or `Debug`, shows one.

use std::fmt::Debug;

use crate::canned::{APP_SECRET, Canned, TOKEN, client_of, token};
use upstream::testing::Log;
use upstream::{ApiCall, ApiMethod, UpstreamError};

const CODE: &str = "AQBsecretcode0123456789";
const NEW_TOKEN: &str = "IGAANewToken9876543210zyxwvutsrqponmlkjihgfedcba";

#[tokio::test]
async fn known_failure_16_no_secret_reaches_a_log_an_error_or_debug() {
    let log = Log::default();
    let writer = log.clone();
    // For the whole process and for the `log` crate as well, so that the HTTP stack's own lines are caught.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();

    let mut shown = String::new();
    let echo = format!(
        r#"{{"error":{{"message":"Cannot parse {TOKEN} {APP_SECRET} {CODE} at https://x/?access_token={TOKEN}","code":100}}}}"#
    );
    let clients = [
        Canned::json(&format!(r#"{{"access_token":"{NEW_TOKEN}","expires_in":5183944}}"#)).client,
        Canned::json(&format!(r#"{{"access_token":["{NEW_TOKEN}"]}}"#)).client,
        Canned::json(&format!(r#"{{"access_token":"{NEW_TOKEN}"#)).client,
        Canned::answer(400, &[], &echo).client,
        Canned::answer(500, &[], &echo).client,
        Canned::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").client,
        // Nothing listens there.
        client_of("http://127.0.0.1:9"),
    ];
    for client in clients {
        shown += &format!("{client:?}\n");
        shown += &shown_by(&client.exchange_code(CODE).await);
        shown += &shown_by(&client.exchange_for_long_lived(&token()).await);
        shown += &shown_by(&client.refresh(&token()).await);
        shown += &shown_by(&client.profile(&token()).await);
        let query = vec![("fields".to_owned(), "id".to_owned())];
        let path = vec!["me".to_owned(), "media".to_owned()];
        let call = ApiCall { method: ApiMethod::Get, path, query, body: None };
        shown += &shown_by(&client.graph(call, &token()).await);
    }
    let logged = log.text();
    assert!(logged.contains("called the provider") && logged.contains("refresh"), "{logged}");
    // Lines of the `log` crate, to be sure that they are caught.
    assert!(logged.contains("hyper"), "{logged}");
    for secret in [TOKEN, NEW_TOKEN, APP_SECRET, CODE] {
        for (place, text) in [("log", &logged), ("error or debug", &shown)] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} in {place}");
        }
    }
}

fn shown_by<T: Debug>(outcome: &Result<T, UpstreamError>) -> String {
    let message = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
    format!("{outcome:?}\n{message}\n")
}
