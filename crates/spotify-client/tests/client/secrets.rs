//! Nothing that is logged at any level, by this crate or by one below it, and no error or `Debug`, shows a secret.

use std::fmt::Debug;

use spotify_client::SpotifyClient;
use upstream::UpstreamError;
use upstream::testing::{Canned, Log};

use crate::app::{
    ACCESS_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, VERIFIER, access_token, config_of, refresh_token, verifier,
};

const CODE: &str = "AQBsecretcode0123456789";
const NEW_ACCESS: &str = "BQNewAccess9876543210zyxwvutsrqponmlkjihgfedcba";
const NEW_REFRESH: &str = "AQNewRefresh9876543210zyxwvutsrqponmlkjihgfedcba";
/// The end of the header with the client's id and secret.
const BASIC: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

#[tokio::test]
async fn no_secret_reaches_a_log_an_error_or_debug() {
    let log = Log::default();
    let writer = log.clone();
    // For the whole process and for the `log` crate as well, so that the HTTP stack's own lines are caught.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();

    let all = [ACCESS_TOKEN, REFRESH_TOKEN, NEW_ACCESS, NEW_REFRESH, CLIENT_SECRET, VERIFIER, CODE, BASIC];
    let words = all.join(" ");
    let tokens = format!(
        r#"{{"access_token":"{NEW_ACCESS}","refresh_token":"{NEW_REFRESH}","token_type":"Bearer","expires_in":3600"#
    );
    let mut shown = String::new();
    for base in [
        Canned::json(&format!("{tokens}}}")).base,
        Canned::json(&format!(r#"{tokens},"scope":["{NEW_ACCESS}"]}}"#)).base,
        Canned::json(&tokens).base,
        Canned::answer(400, &[], &format!(r#"{{"error":"{words}","error_description":"{words}"}}"#)).base,
        Canned::answer(400, &[], &format!(r#"{{"error":"invalid_client","error_description":"{words}"}}"#))
            .base,
        Canned::answer(400, &[], &format!(r#"{{"error":{{"status":400,"message":"{words}"}}}}"#)).base,
        Canned::answer(403, &[], &words).base,
        Canned::answer(500, &[], &words).base,
        Canned::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").base,
        // Nothing listens there.
        "http://127.0.0.1:9".to_owned(),
    ] {
        let config = config_of(&base);
        shown += &format!("{config:?}\n");
        let client = SpotifyClient::new(config).unwrap();
        shown += &format!("{client:?}\n");
        shown += &shown_by(&client.exchange_code(CODE, &verifier()).await);
        shown += &shown_by(&client.refresh(&refresh_token()).await);
        shown += &shown_by(&client.profile(&access_token()).await);
        // What a successful call answers is the caller's.
        shown += &shown_by(&client.get(&["me"], &[], &access_token()).await.map(|_| ()));
    }
    let logged = log.text();
    assert!(logged.contains("called the provider") && logged.contains("refresh"), "{logged}");
    // Lines of the `log` crate, to be sure that they are caught.
    assert!(logged.contains("hyper"), "{logged}");
    assert!(shown.contains("[redacted]") && shown.contains("invalid_client"), "{shown}");
    for secret in all {
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
