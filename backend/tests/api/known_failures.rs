//! Failures that happened elsewhere and cannot happen here. The numbers are those of the list of known
//! failures; the ones that belong to the client of Instagram's API have their tests there.

use backend::config::{Config, Variables};
use instagram_simulator::{Consent, Endpoint, Fault, Options, Times, TokenShape, UserIdKind, accounts};
use reqwest::Method;
use serde_json::json;

use crate::support::callers::{CALLBACK, SESSION, USERS, proxied};
use crate::support::{Answer, KEYS, PASSWORD, TestApp};

#[test]
fn failure_1_the_consent_page_is_where_it_works_today() {
    let config = Config::from_env(&Variables::from_iter([("TOKEN_ENCRYPTION_KEYS", KEYS)])).unwrap();
    assert_eq!(config.instagram.authorize_url.as_str(), "https://www.instagram.com/oauth/authorize");
    assert_eq!(config.instagram.token_url.as_str(), "https://api.instagram.com/oauth/access_token");
}

#[actix_web::test]
async fn failure_5_reconnecting_keeps_the_document_and_takes_the_new_expiry() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let first = app.connect(&ada, accounts::RECORD_SHOP).await.body;
    app.instagram.set_options(Options { expires_in: 4_000_000, ..Options::default() });
    let second = app.connect(&ada, accounts::RECORD_SHOP).await.body;
    assert_eq!(first["connection"]["id"], second["connection"]["id"]);
    assert!(second["connection"]["expiresAt"].as_str() < first["connection"]["expiresAt"].as_str());
}

#[actix_web::test]
async fn failures_10_and_11_the_professional_id_is_stored_with_all_its_digits() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for kind in [UserIdKind::AppScoped, UserIdKind::Professional] {
        for shape in [
            TokenShape::PermissionsList,
            TokenShape::PermissionsText,
            TokenShape::WrappedInData,
            TokenShape::WithoutPermissions,
        ] {
            app.instagram.set_options(Options {
                token_shape: shape,
                token_user_id_kind: kind,
                ..Options::default()
            });
            let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
            assert_eq!(exchanged.body["user_id"], "17841400000000000", "{exchanged}");
            assert_eq!(exchanged.body["user"]["id"], "17841400000000000");
        }
    }
}

#[actix_web::test]
async fn failure_26_another_programs_cookie_signs_nobody_out() {
    let app = TestApp::start();
    let person = app.anonymous();
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let signed_up = person.sign_up(body).await;
    let ours: Vec<_> = signed_up.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    assert!(ours.len() == 2 && ours.iter().all(|cookie| cookie.starts_with("connect_")), "{ours:?}");
    // What half of the programs on a host call theirs, whatever their port.
    let theirs =
        ["session", "sid", "device", "token", "auth"].map(|name| format!("{name}={}", "b".repeat(43)));
    let values = ours.iter().map(|cookie| cookie.split(';').next().unwrap().to_owned());
    let cookies: Vec<_> = theirs.iter().cloned().chain(values).collect();
    let request = app.anonymous().request(Method::GET, SESSION).header("cookie", cookies.join("; "));
    assert_eq!(Answer::of(request).await.status, 200);
    // And ours is no good under a name that is anybody's.
    let (_, token) = ours[0].split(';').next().unwrap().split_once('=').unwrap();
    let request = app.anonymous().request(Method::GET, SESSION);
    let request = request.header("cookie", format!("session={token}"));
    assert_eq!(Answer::of(request).await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn failure_13_expiry_is_what_instagram_says() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for seconds in [5_183_944_u64, 1_234_567] {
        app.instagram.set_options(Options { expires_in: seconds, ..Options::default() });
        let exchanged = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
        assert_eq!(exchanged.body["expires_in"], json!(seconds));
    }
}

#[actix_web::test]
async fn failure_17_a_state_is_long_single_use_and_bound() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let path = format!("{CALLBACK}?{}", app.consent(&ada, Consent::allow(accounts::CREATOR)).await);
    assert_eq!(bob.get(&path).await.failure(), "400 invalid_state");
    assert_eq!(ada.get(&path).await.status, 200);
    assert_eq!(ada.get(&path).await.failure(), "400 invalid_state");
    assert_eq!(app.instagram.requests(Endpoint::CodeExchange), 1);
}

#[actix_web::test]
async fn failure_18_a_redirect_uri_that_instagram_refuses_is_shown() {
    let app = TestApp::start_with(&[("INSTAGRAM_APP_SECRET", "a wrong secret")]);
    let ada = app.with_user("ada").await;
    let answer = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    assert_eq!(answer.failure(), "502 upstream_error");
    let error = answer.body["error"].as_str().unwrap();
    assert!(error.contains("http://localhost:4002/auth/instagram/callback"), "{error}");
    assert!(!error.contains("a wrong secret"));
}

#[actix_web::test]
async fn failure_19_only_instagrams_word_kills_a_token() {
    let (app, ada) = TestApp::connected().await;
    for (code, subcode) in
        [(1, None), (2, None), (4, None), (10, None), (100, Some(33)), (200, None), (368, None)]
    {
        app.instagram.fault(Endpoint::Profile, Fault::graph_error(code, subcode), Times::ONCE);
        let answer = ada.instagram().sync().await;
        assert!(answer.status >= 400, "{code}");
        assert_eq!(ada.connection().await.body["connection"]["status"], "active", "{code}");
        app.instagram.clear_faults();
    }
}

/// A program reads the whole address as one text, so that the `#_` at its end stays with the last parameter.
#[actix_web::test]
async fn failure_23_the_end_of_instagrams_address_is_ignored_on_every_parameter() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for end in ["%23_", "%23%5F", "%2523_"] {
        let query = app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
        let (code, state) = query.split_once("&state=").unwrap();
        for path in [format!("{code}{end}&state={state}{end}"), format!("state={state}&{code}{end}")] {
            let answer = ada.callback(&path).await;
            // The first of the two has used the state up.
            let expected = if path.starts_with("code") { "200 ?" } else { "400 invalid_state" };
            assert_eq!(answer.failure(), expected, "{end}: {answer}");
        }
    }
    let query = app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    let (code, state) = query.split_once("&state=").unwrap();
    let refused = format!("error=access_denied%23_&error_reason=personal_account%23_&state={state}%23_");
    let answer = ada.callback(&refused).await;
    assert_eq!(
        (answer.failure(), &answer.body["reason"]),
        ("400 access_denied".into(), &"personal_account".into())
    );
    let after = ada.callback(&format!("{code}&state={state}")).await;
    assert_eq!(after.failure(), "400 invalid_state", "the refusal has used its state up");
    for nothing in ["code=%23_&state=a", "code=a&state=%23_"] {
        let answer = ada.callback(nothing).await;
        assert_eq!(answer.failure(), "400 invalid_request", "{nothing}");
    }
}

/// As programs leave it that cut texts by UTF-16 units; the code of whoever meets it while connecting is
/// spent.
#[actix_web::test]
async fn failure_31_half_an_emoji_stops_nothing() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    app.instagram.fault(Endpoint::Any, Fault::HalfEmoji, Times::Count(4));
    assert_eq!(app.connect(&ada, accounts::CREATOR).await.status, 200);
    let biography = "Watercolours, wet socks, Göteborg \u{fffd}";
    assert_eq!(ada.connection().await.body["connection"]["biography"], biography);
    let synced = ada.instagram().sync().await;
    assert_eq!(synced.body["connection"]["biography"], biography, "{synced}");
    let synced = ada.instagram().sync().await;
    assert_eq!(synced.body["connection"]["biography"], "Watercolours, wet socks, Göteborg 🎨");

    let post = |path: String, body: &'static str| {
        Answer::of(ada.request(Method::POST, &path).header("content-type", "application/json").body(body))
    };
    // A program's own text may be cut in the same way.
    let container =
        post(proxied("me/media"), r#"{"image_url":"https://x/a.jpg","caption":"🎨 \ud83c \\ud83c"}"#).await;
    let creation_id = container.body["id"].clone();
    let published = ada.post(&proxied("me/media_publish"), json!({"creation_id": creation_id})).await;
    app.instagram.fault(Endpoint::Graph, Fault::HalfEmoji, Times::ONCE);
    let read = ada.get(&proxied(&format!("{}?fields=caption", published.body["id"].as_str().unwrap()))).await;
    assert_eq!(read.body["caption"], "\u{fffd} \u{fffd} \\ud83c", "{read}");

    let cut = r#"{"email":"bob@example.com","password":"correct horse battery","name":"Bob \ud83c"}"#;
    assert_eq!(post(USERS.to_owned(), cut).await.body["user"]["name"], "Bob \u{fffd}");
    let no_utf_8 = ada.request(Method::POST, SESSION).header("content-type", "application/json");
    let answer = Answer::of(no_utf_8.body(b"{\"email\":\"\xe9\",\"password\":\"x\"}".to_vec())).await;
    assert_eq!(answer.failure(), "400 invalid_request", "what is no JSON at all is still refused");
}
