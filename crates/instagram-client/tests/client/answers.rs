//! Every shape of a successful answer parses, and what only looks like one is refused (`instagram-api.md` §2 to §5).

use std::time::Duration;

use crate::canned::{Canned, token};
use instagram_client::{AccountType, LongLivedToken, Profile};
use upstream::UpstreamError;

const PUBLISH: &str = "instagram_business_content_publish";
const BASIC: &str = "instagram_business_basic";

async fn long_lived(body: &str) -> Result<LongLivedToken, UpstreamError> {
    let exchanged = Canned::json(body).client.exchange_for_long_lived(&token()).await;
    let refreshed = Canned::json(body).client.refresh(&token()).await;
    assert_eq!(exchanged.as_ref().err(), refreshed.as_ref().err(), "both have one shape");
    refreshed
}

async fn profile(body: &str) -> Result<Profile, UpstreamError> {
    Canned::json(body).client.profile(&token()).await
}

fn is_unintelligible<T>(outcome: &Result<T, UpstreamError>) -> bool {
    matches!(outcome, Err(UpstreamError::Unintelligible { .. }))
}

#[tokio::test]
async fn the_code_exchange_reads_every_shape() {
    let both = Some(vec![BASIC.to_owned(), PUBLISH.to_owned()]);
    let id = Some("17841400000000000".to_owned());
    let cases = [
        (
            format!(
                r#"{{"access_token":"IGAAx","user_id":17841400000000000,"permissions":["{BASIC}","{PUBLISH}"]}}"#
            ),
            &id,
            &both,
        ),
        (
            format!(
                r#"{{"access_token":"IGAAx","user_id":"17841400000000000","permissions":"{BASIC}, {PUBLISH},"}}"#
            ),
            &id,
            &both,
        ),
        (
            format!(
                r#"{{"data":[{{"access_token":"IGAAx","user_id":"17841400000000000","permissions":"{BASIC},{PUBLISH}"}}]}}"#
            ),
            &id,
            &both,
        ),
        (r#"{"access_token":"IGAAx","user_id":17841400000000000}"#.to_owned(), &id, &None),
        (r#"{"access_token":"IGAAx","user_id":null,"permissions":null}"#.to_owned(), &None, &None),
        (r#"{"access_token":"IGAAx","permissions":[]}"#.to_owned(), &None, &Some(vec![])),
        (r#"{"access_token":"IGAAx","permissions":""}"#.to_owned(), &None, &Some(vec![])),
    ];
    for (body, user_id, permissions) in cases {
        let short = Canned::json(&body).client.exchange_code("AQB").await.unwrap();
        assert_eq!(short.access_token.expose(), "IGAAx", "{body}");
        assert_eq!((&short.user_id, &short.permissions), (user_id, permissions), "{body}");
    }
}

#[tokio::test]
async fn the_code_exchange_refuses_what_was_not_promised() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        r#"{"data":[]}"#,
        r#"{"access_token":""}"#,
        r#"{"access_token":" "}"#,
        r#"{"access_token":null}"#,
        r#"{"access_token":"IGAAx","#,
        r#"{"access_token":"IGAAx","user_id":1.7841400000000001e16}"#,
    ] {
        let outcome = Canned::json(body).client.exchange_code("AQB").await;
        assert!(is_unintelligible(&outcome), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn long_lived_tokens_read_every_shape() {
    for (body, permissions) in [
        (r#"{"access_token":"IGAAx","token_type":"bearer","expires_in":5183944}"#, None),
        (r#"{"data":[{"access_token":"IGAAx","token_type":"bearer","expires_in":5183944}]}"#, None),
        (
            r#"{"access_token":"IGAAx","expires_in":"5183944","permissions":"a,b"}"#,
            Some(vec!["a".into(), "b".into()]),
        ),
    ] {
        let long = long_lived(body).await.unwrap();
        assert_eq!(long.access_token.expose(), "IGAAx", "{body}");
        assert_eq!((long.expires_in.as_secs(), long.permissions), (5_183_944, permissions), "{body}");
    }
}

#[tokio::test]
async fn known_failure_13_the_expiry_is_what_instagram_says() {
    for seconds in [1, 3600, 5_183_944, 5_184_000] {
        let long =
            long_lived(&format!(r#"{{"access_token":"IGAAx","expires_in":{seconds}}}"#)).await.unwrap();
        assert_eq!(long.expires_in, Duration::from_secs(seconds));
    }
    for expires_in in
        ["0", "-1", "null", "\"\"", "\"soon\"", "5183944.5", "1e7", "3000000000", "99999999999999999999"]
    {
        let outcome = long_lived(&format!(r#"{{"access_token":"IGAAx","expires_in":{expires_in}}}"#)).await;
        assert!(is_unintelligible(&outcome), "{expires_in}: {outcome:?}");
    }
}

/// A stored token is only ever replaced by a whole new one.
#[tokio::test]
async fn known_failure_4_half_an_answer_gives_no_token() {
    for body in [
        "",
        "{}",
        "<!DOCTYPE html><html></html>",
        r#"{"access_token":"IGAAx"}"#,
        r#"{"expires_in":5183944}"#,
        r#"{"access_token":"","expires_in":5183944}"#,
        r#"{"access_token":null,"expires_in":5183944}"#,
        r#"{"access_token":17,"expires_in":5183944}"#,
    ] {
        let outcome = long_lived(body).await;
        assert!(is_unintelligible(&outcome), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_profile_reads_all_its_fields_bare_and_wrapped() {
    let body = r#"{"user_id":"17841400000000000","id":"24578906541234567","username":"wreckshoprecords",
        "name":"Wreck Shop Records","account_type":"BUSINESS","profile_picture_url":"https://cdn.example/p.jpg",
        "biography":"Vinyl 🎶","website":"https://wreck.example","followers_count":15420,"follows_count":823,"media_count":456}"#;
    let expected = Profile {
        professional_id: "17841400000000000".to_owned(),
        app_scoped_id: Some("24578906541234567".to_owned()),
        username: "wreckshoprecords".to_owned(),
        name: Some("Wreck Shop Records".to_owned()),
        account_type: Some(AccountType::Business),
        profile_picture_url: Some("https://cdn.example/p.jpg".to_owned()),
        biography: Some("Vinyl 🎶".to_owned()),
        website: Some("https://wreck.example".to_owned()),
        followers_count: Some(15_420),
        follows_count: Some(823),
        media_count: Some(456),
    };
    assert_eq!(profile(body).await.unwrap(), expected);
    assert_eq!(profile(&format!(r#"{{"data":[{body}]}}"#)).await.unwrap(), expected);
}

#[tokio::test]
async fn a_young_account_has_a_profile_too() {
    let profile = profile(r#"{"user_id":17841400000000001,"username":"new","name":null}"#).await.unwrap();
    let expected = Profile {
        professional_id: "17841400000000001".to_owned(),
        app_scoped_id: None,
        username: "new".to_owned(),
        name: None,
        account_type: None,
        profile_picture_url: None,
        biography: None,
        website: None,
        followers_count: None,
        follows_count: None,
        media_count: None,
    };
    assert_eq!(profile, expected);
}

#[tokio::test]
async fn account_types_are_told_apart() {
    for (text, expected) in [
        ("BUSINESS", AccountType::Business),
        ("MEDIA_CREATOR", AccountType::Creator),
        ("CREATOR", AccountType::Creator),
        ("PERSONAL", AccountType::Personal),
        ("ALIEN", AccountType::Other("ALIEN".to_owned())),
    ] {
        let body = format!(r#"{{"user_id":"1","username":"x","account_type":"{text}"}}"#);
        assert_eq!(profile(&body).await.unwrap().account_type, Some(expected));
    }
}

#[tokio::test]
async fn known_failure_10_the_app_scoped_id_never_stands_in_for_the_professional_one() {
    for body in [
        r#"{"id":"24578906541234567","username":"x"}"#,
        r#"{"user_id":null,"id":"24578906541234567","username":"x"}"#,
        r#"{"user_id":"","id":"24578906541234567","username":"x"}"#,
        r#"{"user_id":"17841400000000000","id":"24578906541234567"}"#,
        r#"{"data":[{"user_id":"1","username":"a"},{"user_id":"2","username":"b"}]}"#,
    ] {
        let outcome = profile(body).await;
        assert!(is_unintelligible(&outcome), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn known_failure_11_ids_above_2_to_the_53_keep_their_last_digits() {
    for id in ["9007199254740993", "17841400000000001", "18446744073709551615"] {
        let body = format!(r#"{{"user_id":{id},"id":{id},"username":"x","access_token":"IGAAx"}}"#);
        let profile = profile(&body).await.unwrap();
        assert_eq!((profile.professional_id.as_str(), profile.app_scoped_id.as_deref()), (id, Some(id)));
        let short = Canned::json(&body).client.exchange_code("AQB").await.unwrap();
        assert_eq!(short.user_id.as_deref(), Some(id));
    }
    for float in ["17841400000000001.0", "1.7841400000000001e16", "99999999999999999999"] {
        let outcome = profile(&format!(r#"{{"user_id":{float},"username":"x"}}"#)).await;
        assert!(is_unintelligible(&outcome), "{float}: {outcome:?}");
    }
}

/// As programs leave it that cut texts by UTF-16 units.
#[tokio::test]
async fn known_failure_31_half_an_emoji_leaves_the_answer_readable() {
    let body = r#"{"user_id":"17841400000000000","username":"x","name":"\ude00 \ud83d\ude00","biography":"Vinyl & beats \ud83d",
        "website":"C:\\ud83d"}"#;
    let read = profile(body).await.unwrap();
    assert_eq!(read.biography.as_deref(), Some("Vinyl & beats \u{fffd}"));
    assert_eq!(read.name.as_deref(), Some("\u{fffd} 😀"));
    assert_eq!(read.website.as_deref(), Some(r"C:\ud83d"), "no surrogate, but letters behind a backslash");

    let token = r#"{"access_token":"IGAAx","expires_in":5183944,"token_type":"\ud83d","permissions":"a,b"}"#;
    assert_eq!(long_lived(token).await.unwrap().access_token.expose(), "IGAAx");
    let code = r#"{"access_token":"IGAAx","user_id":1,"permissions":["a"],"\udfff":"\ud83d"}"#;
    assert_eq!(Canned::json(code).client.exchange_code("AQB").await.unwrap().access_token.expose(), "IGAAx");
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_leave_the_answer_readable() {
    let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    answer.extend_from_slice(b"{\"user_id\":1,\"username\":\"x\",\"name\":\"caf\xe9\"}");
    let read = Canned::raw(answer).client.profile(&token()).await.unwrap();
    assert_eq!(read.name.as_deref(), Some("caf\u{fffd}"));
}
