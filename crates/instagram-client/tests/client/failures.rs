//! Every failure of `instagram-api.md` §2 and §6 is typed by what to do next, whatever the endpoint.

use std::time::Duration;

use crate::canned::{Canned, token};
use instagram_client::DEFAULT_RETRY_AFTER;
use upstream::{AccessTo, LimitOf, UpstreamError};

/// The error of one answer, which must be the same from every call.
async fn error_of(status: u16, headers: &[&str], body: &str) -> UpstreamError {
    let answer = || Canned::answer(status, headers, body).client;
    let error = answer().profile(&token()).await.unwrap_err();
    assert_eq!(answer().exchange_code("AQB").await.unwrap_err(), error, "code exchange: {body}");
    assert_eq!(answer().exchange_for_long_lived(&token()).await.unwrap_err(), error, "long-lived: {body}");
    assert_eq!(answer().refresh(&token()).await.unwrap_err(), error, "refresh: {body}");
    error
}

fn graph(code: i64, subcode: Option<i64>, kind: &str, message: &str) -> String {
    let subcode = subcode.map(|subcode| format!(r#","error_subcode":{subcode}"#)).unwrap_or_default();
    format!(
        r#"{{"error":{{"message":"{message}","type":"{kind}","code":{code}{subcode},"fbtrace_id":"AbCd","is_transient":false}}}}"#
    )
}

fn oauth_exception(code: i64, subcode: Option<i64>) -> String {
    graph(code, subcode, "OAuthException", "Whatever")
}

fn token_endpoint(code: i64, message: &str) -> String {
    format!(r#"{{"error_type":"OAuthException","code":{code},"error_message":"{message}"}}"#)
}

fn rejected(code: i64, subcode: Option<i64>, message: &str, may_be_done: bool) -> UpstreamError {
    UpstreamError::Rejected { code, subcode, message: message.to_owned(), may_be_done }
}

#[tokio::test]
async fn a_dead_token_needs_reauthorization() {
    for subcode in [None, Some(0), Some(458), Some(459), Some(460), Some(463), Some(464), Some(467)] {
        for code in [190, 102] {
            for status in [200, 400, 401] {
                let error = error_of(status, &[], &oauth_exception(code, subcode)).await;
                assert_eq!(error, UpstreamError::NeedsReauthorization { subcode }, "{status} {code}");
            }
        }
    }
}

/// All of these have been taken for a dead token by somebody.
#[tokio::test]
async fn known_failure_19_only_codes_190_and_102_kill_a_token() {
    let transient = r#"{"error":{"message":"x","type":"OAuthException","code":190,"is_transient":true}}"#;
    let answers = [
        (400, oauth_exception(4, None)),
        (400, oauth_exception(1, None)),
        (400, oauth_exception(2, None)),
        (400, oauth_exception(10, None)),
        (403, oauth_exception(200, None)),
        (400, oauth_exception(100, Some(33))),
        (400, oauth_exception(368, None)),
        (401, oauth_exception(0, None)),
        (401, String::new()),
        (400, transient.to_owned()),
        (500, oauth_exception(190, Some(463))),
        (429, oauth_exception(190, Some(463))),
        (403, "<html>".to_owned()),
    ];
    for (status, body) in answers {
        let error = error_of(status, &[], &body).await;
        assert!(!matches!(error, UpstreamError::NeedsReauthorization { .. }), "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_is_one_in_whatever_form_it_comes() {
    let limited_of = |of| UpstreamError::RateLimited { retry_after: DEFAULT_RETRY_AFTER, of };
    let limited = limited_of(LimitOf::App);
    for (code, of) in [
        (4, LimitOf::App),
        (17, LimitOf::Account),
        (32, LimitOf::Account),
        (613, LimitOf::App),
        (80002, LimitOf::Account),
    ] {
        let limited = limited_of(of);
        for body in [oauth_exception(code, None), token_endpoint(code, "Application request limit reached")] {
            assert_eq!(error_of(400, &[], &body).await, limited, "{body}");
            assert_eq!(error_of(403, &[], &body).await, limited, "{body}");
        }
    }
    let transient = r#"{"error":{"message":"x","type":"OAuthException","code":4,"is_transient":true}}"#;
    assert_eq!(error_of(400, &[], transient).await, limited);
    for body in ["", "<html>", "{}", &token_endpoint(400, "Too many")] {
        assert_eq!(error_of(429, &[], body).await, limited, "{body}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let usage = r#"X-Business-Use-Case-Usage: {"17841400000000000":[{"type":"instagram","call_count":100,"estimated_time_to_regain_access":7}]}"#;
    let app_usage = r#"X-App-Usage: {"call_count":100,"total_time":25,"total_cputime":25}"#;
    for (headers, seconds) in [([app_usage, usage], 420), ([app_usage, "Retry-After: 30"], 30)] {
        let error = error_of(400, &headers, &oauth_exception(4, None)).await;
        let retry_after = Duration::from_secs(seconds);
        assert_eq!(error, UpstreamError::RateLimited { retry_after, of: LimitOf::App });
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_retryable() {
    let transient = r#"{"error":{"message":"x","type":"OAuthException","code":24,"is_transient":true}}"#;
    for (status, body) in [
        (400, oauth_exception(1, None)),
        (400, oauth_exception(2, Some(1_545_133))),
        (400, oauth_exception(-1, Some(2_207_001))),
        (400, oauth_exception(-2, Some(2_207_003))),
        (400, transient.to_owned()),
        (500, oauth_exception(100, None)),
        (500, String::new()),
        (502, "<html><title>502</title></html>".to_owned()),
        (503, token_endpoint(503, "Please try again")),
        (504, "{}".to_owned()),
    ] {
        let error = error_of(status, &[], &body).await;
        assert!(matches!(error, UpstreamError::Retryable { .. }), "{status} {body}: {error:?}");
    }
}

#[tokio::test]
async fn a_missing_permission_leaves_the_token_alive() {
    for code in [10, 200, 230, 299] {
        let error = error_of(403, &[], &oauth_exception(code, None)).await;
        assert_eq!(error, UpstreamError::MissingPermission { code });
    }
}

/// Nobody can read the cause from "Unsupported request - method type: get".
#[tokio::test]
async fn known_failure_14_an_app_without_access_is_told_from_a_bad_request() {
    let message = "Unsupported request - method type: get";
    let error = error_of(400, &[], &graph(100, None, "IGApiException", message)).await;
    assert_eq!(error, UpstreamError::AppAccess { to: AccessTo::Account });
    assert!(error.to_string().contains("testers"), "{error}");

    let missing = "Unsupported get request. Object with ID '17841400000000000' does not exist";
    let error = error_of(400, &[], &graph(100, Some(33), "ApiMethodException", missing)).await;
    assert_eq!(error, rejected(100, Some(33), missing, false));
}

#[tokio::test]
async fn a_code_that_does_not_work_is_an_invalid_code() {
    for message in [
        "Matching code was not found or was already used",
        "This authorization code has been used",
        "Invalid authorization code",
        "Error validating verification code. Please make sure your redirect_uri is identical to the one you used",
    ] {
        for body in [token_endpoint(400, message), graph(100, None, "OAuthException", message)] {
            assert_eq!(error_of(400, &[], &body).await, UpstreamError::InvalidCode, "{body}");
        }
    }
}

#[tokio::test]
async fn known_failure_18_wrong_settings_are_named_in_the_error() {
    for message in ["Invalid platform app", "Error validating client secret.", "Invalid redirect_uri"] {
        for body in [token_endpoint(400, message), graph(1, None, "OAuthException", message)] {
            let error = error_of(400, &[], &body).await;
            assert_eq!(error, UpstreamError::Misconfigured { message: message.to_owned() }, "{body}");
            assert!(error.to_string().contains(message));
        }
    }
}

#[tokio::test]
async fn any_other_refusal_keeps_its_codes() {
    for (code, subcode, may_be_done) in [
        (368, None, false),
        (341, None, false),
        (506, None, false),
        (100, Some(2_207_023), false),
        (9, Some(2_207_042), false),
        (9007, Some(2_207_027), false),
        (36003, Some(2_207_009), false),
        // Spam, not a rate limit: the post may be live all the same.
        (4, Some(2_207_051), true),
        // Outside the window for messages, not a missing permission.
        (10, Some(2_534_022), false),
    ] {
        let error = error_of(400, &[], &oauth_exception(code, subcode)).await;
        assert_eq!(error, rejected(code, subcode, "Whatever", may_be_done));
    }
    let error = error_of(400, &[], &token_endpoint(400, "Whatever")).await;
    assert_eq!(error, rejected(400, None, "Whatever", true));
}

/// The HTTP status never stands in for it: as codes, 200 and 299 are missing permissions, 102 and 190 dead
/// tokens.
#[tokio::test]
async fn an_error_without_a_code_is_nonsense_whatever_the_status() {
    for status in [200, 201, 299, 400, 401, 403, 404] {
        for body in [
            r#"{"error":{}}"#,
            r#"{"error":{"message":"x","type":"OAuthException","code":null}}"#,
            r#"{"error":{"message":"x","code":"190"}}"#,
            r#"{"error":{"message":"x","code":190.5}}"#,
            r#"{"error":{"code":18446744073709551615}}"#,
            r#"{"error":"invalid_request","error_description":"x"}"#,
            r#"{"error":[]}"#,
            r#"{"error":true}"#,
            r#"{"error_type":"OAuthException","error_message":"x"}"#,
            r#"{"error_type":"OAuthException","code":200}"#,
            r#"{"error_type":"OAuthException","error_message":"x","code":299}"#,
        ] {
            let error = error_of(status, &[], body).await;
            assert!(matches!(error, UpstreamError::Unintelligible { .. }), "{status} {body}: {error:?}");
        }
    }
    // These answers are understood without a code.
    assert!(matches!(error_of(503, &[], r#"{"error":{}}"#).await, UpstreamError::Retryable { .. }));
    assert!(matches!(error_of(429, &[], r#"{"error":{}}"#).await, UpstreamError::RateLimited { .. }));
    let used = r#"{"error_message":"Matching code was not found or was already used"}"#;
    assert_eq!(error_of(400, &[], used).await, UpstreamError::InvalidCode);
    let outage = error_of(200, &[], &token_endpoint(503, "Please try again")).await;
    assert!(matches!(outage, UpstreamError::Retryable { .. }), "{outage:?}");
}

/// An error is one with half of its fields, too.
#[tokio::test]
async fn an_error_that_lacks_something_is_no_success() {
    let dead = error_of(200, &[], r#"{"error":{"message":null,"code":190,"error_subcode":"460"}}"#).await;
    assert_eq!(dead, UpstreamError::NeedsReauthorization { subcode: None });
    let twice = error_of(200, &[], r#"{"error":{"code":2},"error":{"code":190}}"#).await;
    assert_eq!(twice, UpstreamError::NeedsReauthorization { subcode: None });
}

#[tokio::test]
async fn known_failure_31_half_an_emoji_in_an_error_leaves_its_code() {
    let cut = r"Blocked \ud83d";
    for body in [graph(368, None, "OAuthException", cut), token_endpoint(368, cut)] {
        let expected = rejected(368, None, "Blocked \u{fffd}", false);
        assert_eq!(error_of(400, &[], &body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_told_from_what_was_refused() {
    let transient = r#"{"error":{"message":"x","code":24,"is_transient":true}}"#;
    for (status, body) in [
        (400, oauth_exception(4, Some(2_207_051))),
        (400, oauth_exception(100, Some(2_207_051))),
        (400, oauth_exception(1, None)),
        (400, oauth_exception(2, Some(1_545_133))),
        (400, oauth_exception(-1, Some(2_207_032))),
        (400, oauth_exception(-2, Some(2_207_020))),
        (400, oauth_exception(9, Some(2_207_053))),
        (400, transient.to_owned()),
        (500, oauth_exception(100, None)),
        (502, "<html>".to_owned()),
        (400, "<html>".to_owned()),
        (200, r#"{"error":{}}"#.to_owned()),
        (302, String::new()),
        // Nobody has said what this means.
        (400, oauth_exception(77_777, None)),
        (400, token_endpoint(400, "Whatever")),
    ] {
        assert!(error_of(status, &[], &body).await.may_be_done(), "{status} {body}");
    }
    for (status, code, subcode) in [
        (400, 100, Some(33)),
        (400, 9, Some(2_207_042)),
        (400, 9007, Some(2_207_027)),
        (400, 24, Some(2_207_006)),
        (400, 36_003, Some(2_207_009)),
        (400, 368, None),
        (400, 10, Some(2_534_022)),
        (403, 10, None),
        (403, 200, None),
        (400, 190, Some(460)),
        (400, 4, None),
        (400, 80_002, None),
        (429, 4, None),
    ] {
        let error = error_of(status, &[], &oauth_exception(code, subcode)).await;
        assert!(!error.may_be_done(), "{status} {code} {subcode:?}");
    }
}
