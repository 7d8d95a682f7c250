//! Every shape of a successful answer parses, and what only looks like one is refused (`spotify-api.md` §2, §3 and §5).

use std::time::Duration;

use spotify_client::{Profile, Refreshed, Tokens};
use upstream::{RefreshToken, UpstreamError};

use crate::app::{access_token, answered, refresh_token, verifier};

async fn exchanged(body: &str) -> Result<Tokens, UpstreamError> {
    answered(body).exchange_code("AQB", &verifier()).await
}

async fn refreshed(body: &str) -> Result<Refreshed, UpstreamError> {
    answered(body).refresh(&refresh_token()).await
}

async fn profile(body: &str) -> Result<Profile, UpstreamError> {
    answered(body).profile(&access_token()).await
}

fn is_unintelligible<T>(outcome: &Result<T, UpstreamError>) -> bool {
    matches!(outcome, Err(UpstreamError::Unintelligible { .. }))
}

#[tokio::test]
async fn a_code_brings_both_tokens() {
    let tokens = exchanged(
        r#"{"access_token":"BQx","token_type":"Bearer","scope":"user-read-private playlist-read-private",
        "expires_in":3599,"refresh_token":"AQx","another":[1]}"#,
    )
    .await
    .unwrap();
    assert_eq!((tokens.access_token.expose(), tokens.refresh_token.expose()), ("BQx", "AQx"));
    assert_eq!(tokens.expires_in, Duration::from_secs(3599));
    assert_eq!(tokens.scopes.unwrap(), ["user-read-private", "playlist-read-private"]);
}

#[tokio::test]
async fn scopes_that_are_not_told_are_none() {
    for scope in ["", r#""scope":null,"#, r#""scope":"","#, r#""scope":"  ","#] {
        let body = format!(
            r#"{{{scope}"access_token":"BQx","token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}}"#
        );
        assert_eq!(exchanged(&body).await.unwrap().scopes, None, "{body}");
        assert_eq!(refreshed(&body).await.unwrap().scopes, None, "{body}");
    }
}

/// Clients that stored what came in its place lost their connections within hours.
#[tokio::test]
async fn a_refresh_token_that_is_absent_null_or_empty_keeps_the_old_one() {
    for (field, expected) in [
        ("", None),
        (r#","refresh_token":null"#, None),
        (r#","refresh_token":"""#, None),
        (r#","refresh_token":" ""#, None),
        (r#","refresh_token":"AQnew""#, Some("AQnew")),
    ] {
        let body = format!(r#"{{"access_token":"BQx","token_type":"Bearer","expires_in":3600{field}}}"#);
        let refreshed = refreshed(&body).await.unwrap();
        assert_eq!(refreshed.access_token.expose(), "BQx");
        let new = refreshed.refresh_token;
        assert_eq!(new.as_ref().map(RefreshToken::expose), expected, "{body}");
        // A code without a refresh token connects nobody.
        assert_eq!(is_unintelligible(&exchanged(&body).await), expected.is_none(), "{body}");
    }
}

#[tokio::test]
async fn the_expiry_is_what_spotify_says() {
    let body = |expires_in: &str| {
        format!(r#"{{"access_token":"BQx","token_type":"Bearer","refresh_token":"AQx"{expires_in}}}"#)
    };
    for (expires_in, seconds) in [
        (r#","expires_in":1"#, 1),
        (r#","expires_in":7200"#, 7200),
        (r#","expires_in":null"#, 3600),
        ("", 3600),
    ] {
        let expected = Duration::from_secs(seconds);
        assert_eq!(exchanged(&body(expires_in)).await.unwrap().expires_in, expected, "{expires_in}");
        assert_eq!(refreshed(&body(expires_in)).await.unwrap().expires_in, expected, "{expires_in}");
    }
    for expires_in in ["0", "-1", "\"soon\"", "1.5", "3000000000", "99999999999999999999"] {
        let body = body(&format!(r#","expires_in":{expires_in}"#));
        assert!(is_unintelligible(&exchanged(&body).await), "{expires_in}");
        assert!(is_unintelligible(&refreshed(&body).await), "{expires_in}");
    }
}

#[tokio::test]
async fn half_an_answer_gives_no_token() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        r#"{"error":"invalid_grant"}"#,
        r#"{"token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}"#,
        r#"{"access_token":"","token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}"#,
        r#"{"access_token":null,"token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}"#,
        r#"{"access_token":["BQx"],"token_type":"Bearer","expires_in":3600,"refresh_token":"AQx"}"#,
        r#"{"access_token":"BQx","token_type":"Bearer","expires_in":3600,"refresh_token":"AQx""#,
    ] {
        let outcome = exchanged(body).await;
        assert!(is_unintelligible(&outcome), "{body}: {outcome:?}");
        let outcome = refreshed(body).await;
        assert!(is_unintelligible(&outcome), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_profile_reads_all_its_fields() {
    let body = r#"{"account_id":"aB3dE5fG7h","id":"wizzler","display_name":"JM Wizzler","type":"user",
        "uri":"spotify:user:wizzler","href":"https://api.spotify.com/v1/users/wizzler",
        "external_urls":{"spotify":"https://open.spotify.com/user/wizzler"},
        "images":[{"url":"https://i.scdn.co/image/64","height":64,"width":64},
            {"url":"https://i.scdn.co/image/300","height":300,"width":300}],
        "country":"SE","email":"jm@example.com","product":"premium","explicit_content":{"filter_enabled":false},
        "followers":{"href":null,"total":3829}}"#;
    let expected = Profile {
        account_id: Some("aB3dE5fG7h".to_owned()),
        id: "wizzler".to_owned(),
        display_name: Some("JM Wizzler".to_owned()),
        picture_url: Some("https://i.scdn.co/image/300".to_owned()),
        profile_url: Some("https://open.spotify.com/user/wizzler".to_owned()),
        followers: Some(3829),
        product: Some("premium".to_owned()),
    };
    assert_eq!(profile(body).await.unwrap(), expected);
}

#[tokio::test]
async fn what_spotify_does_not_tell_is_none() {
    let expected = Profile {
        account_id: None,
        id: "wizzler".to_owned(),
        display_name: None,
        picture_url: None,
        profile_url: None,
        followers: None,
        product: None,
    };
    for body in [
        r#"{"id":"wizzler"}"#,
        r#"{"id":"wizzler","account_id":null,"display_name":null,"images":null,"external_urls":null,
            "followers":null,"product":null}"#,
        r#"{"id":"wizzler","account_id":"","display_name":" ","images":[],"external_urls":{},"followers":{},
            "product":""}"#,
        r#"{"id":"wizzler","images":[{}],"external_urls":{"spotify":null},"followers":{"href":null,"total":null}}"#,
        r#"{"id":"wizzler","images":[{"url":null,"height":1,"width":1}],"external_urls":{"spotify":""}}"#,
        // Not for a page to link to.
        r#"{"id":"wizzler","images":[{"url":"data:image/svg+xml,x"}],
            "external_urls":{"spotify":"javascript:alert(1)"}}"#,
    ] {
        assert_eq!(profile(body).await.unwrap(), expected, "{body}");
    }
}

#[tokio::test]
async fn the_picture_is_the_largest_in_any_order() {
    let image = |name: &str, size: &str| {
        format!(r#"{{"url":"https://i.scdn.co/{name}","height":{size},"width":{size}}}"#)
    };
    for (images, expected) in [
        (vec![image("a", "300"), image("b", "64")], "a"),
        (vec![image("a", "64"), image("b", "300.0"), image("c", "null")], "b"),
        (vec![image("a", "null")], "a"),
        (vec![r#"{"url":"https://i.scdn.co/a"}"#.to_owned()], "a"),
    ] {
        let body = format!(r#"{{"id":"wizzler","images":[{}]}}"#, images.join(","));
        let picture = profile(&body).await.unwrap().picture_url;
        assert_eq!(picture.as_deref(), Some(format!("https://i.scdn.co/{expected}").as_str()), "{body}");
    }
}

#[tokio::test]
async fn a_profile_without_its_id_is_refused() {
    for body in [
        r#"{"account_id":"aB3dE5fG7h"}"#,
        r#"{"account_id":"aB3dE5fG7h","id":null}"#,
        r#"{"account_id":"aB3dE5fG7h","id":""}"#,
        r#"{"id":17}"#,
        r#"{"error":{"status":401,"message":"x"}}"#,
        "[]",
    ] {
        let outcome = profile(body).await;
        assert!(is_unintelligible(&outcome), "{body}: {outcome:?}");
    }
}

/// As programs leave it that cut texts by UTF-16 units.
#[tokio::test]
async fn half_an_emoji_leaves_the_answer_readable() {
    let read = profile(r#"{"id":"wizzler","display_name":"Vinyl \ud83d"}"#).await.unwrap();
    assert_eq!(read.display_name.as_deref(), Some("Vinyl \u{fffd}"));
}
