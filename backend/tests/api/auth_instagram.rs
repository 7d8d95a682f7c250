//! `/auth/instagram/…`.

use std::time::Duration;

use instagram_simulator::{Consent, Endpoint, Fault, Times, accounts};
use reqwest::{Method, Url};
use shared::permission;

use crate::support::callers::CALLBACK;
use crate::support::{Answer, TestApp, parameter};

#[actix_web::test]
async fn the_login_link_is_what_instagram_documents() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let first = ada.begin_login("").await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body.as_object().unwrap().len(), 2, "exactly as its older clients know it: {first}");
    assert_eq!(first.body["authUrl"], first.body["redirectTo"]);
    assert_eq!(first.header("cache-control"), "no-store");
    let url = first.body["authUrl"].as_str().unwrap();
    assert!(url.starts_with(&app.instagram.authorize_url()));
    assert_eq!(parameter(url, "scope").unwrap(), permission::ALL.join(","));
    assert_eq!(parameter(url, "response_type").unwrap(), "code");
    assert_eq!(parameter(url, "redirect_uri").unwrap(), "http://localhost:4002/auth/instagram/callback");
    assert_eq!(parameter(url, "force_reauth"), None);
    let state = parameter(url, "state").unwrap();
    assert!(state.len() >= 43, "256 bits: {state}");
    let second = ada.begin_login("forceReauth=true").await;
    let url = second.body["authUrl"].as_str().unwrap();
    assert_ne!(parameter(url, "state").unwrap(), state);
    assert_eq!(parameter(url, "force_reauth").as_deref(), Some("true"));
}

#[actix_web::test]
async fn the_login_needs_a_caller_and_an_app() {
    let app = TestApp::start_with(&[("INSTAGRAM_APP_SECRET", ""), ("INSTAGRAM_REDIRECT_URI", "")]);
    assert_eq!(app.anonymous().begin_login("").await.failure(), "401 unauthenticated");
    let answer = app.with_user("ada").await.begin_login("").await;
    assert_eq!(answer.failure(), "503 not_configured");
    assert_eq!(answer.body["missing"], serde_json::json!(["INSTAGRAM_APP_SECRET", "INSTAGRAM_REDIRECT_URI"]));
    assert!(answer.body["error"].as_str().unwrap().contains("INSTAGRAM_APP_SECRET"));
}

#[actix_web::test]
async fn the_way_back_stays_on_our_own_site() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for evil in [
        "//evil.example",
        "https:evil",
        "/\\evil",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "",
        "/%0d%0aevil",
    ] {
        let answer = ada.begin_login(&format!("returnTo={evil}")).await;
        assert_eq!(answer.failure(), "422 validation_failed", "{evil}");
        assert!(answer.body["fields"]["returnTo"].is_string());
    }
    let twice = ada.begin_login("returnTo=/a&returnTo=/b").await;
    assert_eq!(twice.failure(), "400 invalid_request");

    let login = ada.begin_login("returnTo=/integrations").await;
    let redirect =
        app.instagram.consent(login.body["authUrl"].as_str().unwrap(), Consent::allow(accounts::RECORD_SHOP));
    let query = Url::parse(&redirect).unwrap().query().unwrap().to_owned();
    assert_eq!(ada.callback(&query).await.body["returnTo"], "/integrations");
}

#[actix_web::test]
async fn a_code_becomes_a_sealed_handle() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let answer = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.body["access_token"].as_str().unwrap().starts_with("sealed."));
    insta::assert_json_snapshot!(answer.body, {
        ".access_token" => "[sealed]", ".user.profile_picture_url" => "[url]",
    }, @r#"
    {
      "access_token": "[sealed]",
      "expires_in": 5183944,
      "ok": true,
      "user": {
        "biography": "Vinyl Records & Digital Beats",
        "followers_count": 15420,
        "follows_count": 823,
        "id": "17841400000000000",
        "media_count": 456,
        "name": "Wreck Shop Records",
        "profile_picture_url": "[url]",
        "username": "wreckshoprecords",
        "website": "wreckshop.com"
      },
      "user_id": "17841400000000000"
    }
    "#);
    for endpoint in [Endpoint::CodeExchange, Endpoint::LongLived, Endpoint::Profile] {
        assert_eq!(app.instagram.requests(endpoint), 1, "{endpoint:?}");
    }
}

#[actix_web::test]
async fn connecting_costs_two_round_trips_since_neither_of_two_calls_waits_for_the_other() {
    for (slow, other) in [(Endpoint::LongLived, Endpoint::Profile), (Endpoint::Profile, Endpoint::LongLived)]
    {
        let app = TestApp::start();
        let ada = app.with_user("ada").await;
        // Longer than the service waits: whatever is asked after this call is never asked.
        app.instagram.fault(slow, Fault::Delay { ms: 3000 }, Times::ONCE);
        let answer = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
        assert_eq!(answer.failure(), "504 upstream_timeout");
        assert_eq!(app.instagram.requests(other), 1, "{other:?} waits for {slow:?}");
    }
}

#[actix_web::test]
async fn a_state_works_once_however_the_fetches_race() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let path = format!("{CALLBACK}?{}", app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await);
    let answers = futures_util::future::join_all((0..12).map(|_| ada.get(&path))).await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    let used = answers.iter().filter(|answer| answer.failure() == "400 invalid_state").count();
    assert_eq!((good, used), (1, 11));
    assert_eq!(app.instagram.requests(Endpoint::CodeExchange), 1, "Instagram never sees a code twice");
}

#[actix_web::test]
async fn a_state_ends_after_ten_minutes() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let late = app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    app.clock.advance(Duration::from_secs(599));
    let in_time = app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(ada.callback(&late).await.failure(), "400 invalid_state");
    assert_eq!(ada.callback(&in_time).await.status, 200);
}

#[actix_web::test]
async fn a_state_belongs_to_its_user() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    let path = format!("{CALLBACK}?{}", app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await);
    assert_eq!(app.anonymous().get(&path).await.failure(), "401 unauthenticated");
    assert_eq!(bob.get(&path).await.failure(), "400 invalid_state");
    assert_eq!(ada.get(&path).await.status, 200, "a stranger's try does not use it up");
}

#[actix_web::test]
async fn a_callback_without_its_parts_is_refused() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for query in
        ["", "code=x", "state=y", "code=&state=y", "code=x&state=", "code=a&code=b&state=c", "%ff=%00&&=&"]
    {
        let answer = ada.callback(query).await;
        assert_eq!(answer.failure(), "400 invalid_request", "{query}");
    }
    for query in ["code=x&state=unknown", &format!("code=x&state={}", "s".repeat(43)), "code=x&state=%00"] {
        let answer = ada.callback(query).await;
        assert_eq!(answer.failure(), "400 invalid_state", "{query}");
    }
    assert_eq!(app.instagram.requests(Endpoint::Any), 0);
}

#[actix_web::test]
async fn refusing_is_not_an_accident() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let query = app.consent(&ada, Consent::refuse()).await;
    assert_eq!(ada.callback(&query).await.failure(), "400 access_denied");
    let without_state = ada.callback("error=access_denied&error_reason=user_denied").await;
    assert_eq!(without_state.failure(), "400 access_denied");
    let personal = app.exchange(&ada, Consent::allow(accounts::PERSONAL)).await;
    assert_eq!(personal.failure(), "400 access_denied");
    assert_eq!(personal.body["reason"], "personal_account");
    assert_eq!(ada.connection().await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn a_wrong_code_is_instagrams_word() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let login = ada.begin_login("").await;
    let state = parameter(login.body["authUrl"].as_str().unwrap(), "state").unwrap();
    let answer = ada.callback(&format!("code=made-up&state={state}")).await;
    assert_eq!(answer.failure(), "400 invalid_code");
}

#[actix_web::test]
async fn a_code_is_good_with_the_fragment_glued_to_it() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let query = app.consent(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
    let (code, rest) = query.split_once('&').unwrap();
    assert!(code.starts_with("code="), "{code}");
    assert_eq!(ada.callback(&format!("{code}%23_&{rest}")).await.status, 200);
}

#[actix_web::test]
async fn each_failure_of_instagram_has_its_code() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let graph = |code, subcode: Option<i64>| Fault::graph_error(code, subcode);
    let cases = [
        (Endpoint::CodeExchange, Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (Endpoint::CodeExchange, Fault::Html, "502 upstream_error"),
        (Endpoint::CodeExchange, Fault::Reset, "502 upstream_error"),
        (Endpoint::CodeExchange, Fault::RateLimited400, "429 rate_limited"),
        (Endpoint::LongLived, Fault::Truncated, "502 upstream_error"),
        (Endpoint::LongLived, Fault::Empty, "502 upstream_error"),
        (Endpoint::LongLived, Fault::WrongJson, "502 upstream_error"),
        (Endpoint::Profile, Fault::RateLimited, "429 rate_limited"),
        (Endpoint::Profile, Fault::ServerError { status: 503 }, "502 upstream_error"),
        (Endpoint::Profile, graph(190, Some(463)), "502 upstream_error"),
        (Endpoint::Profile, graph(2, None), "502 upstream_error"),
    ];
    for (endpoint, fault, expected) in cases {
        // Not once: of the two calls at the same time, one is given up when the other fails, and may still arrive later.
        app.instagram.fault(endpoint, fault.clone(), Times::Forever);
        let answer = app.exchange(&ada, Consent::allow(accounts::RECORD_SHOP)).await;
        assert_eq!(answer.failure(), expected, "{endpoint:?} {fault:?}");
        if answer.status == 429 {
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
            assert_eq!(answer.body["retryAfter"].to_string(), answer.header("retry-after"));
        }
        app.instagram.clear_faults();
    }
    assert_eq!(ada.connection().await.failure(), "404 not_connected");
    assert_eq!(app.connect(&ada, accounts::RECORD_SHOP).await.status, 200, "and then it works");
}

#[actix_web::test]
async fn an_app_without_access_is_told_so() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let answer = app.exchange(&ada, Consent::allow(accounts::WITHOUT_ACCESS)).await;
    assert_eq!(answer.failure(), "502 app_access");
    assert!(answer.body["error"].as_str().unwrap().contains("tester"));
}

#[actix_web::test]
async fn a_browser_is_passed_on_to_the_web_app_with_its_query() {
    let app = TestApp::start();
    let request = app
        .anonymous()
        .request(Method::GET, &format!("{CALLBACK}?code=a%2Bb&state=c"))
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    // The second `accept` of the request is the client's own; both are read.
    let request = request.build().map(|mut built| {
        built.headers_mut().insert("accept", "text/html,*/*;q=0.8".parse().unwrap());
        built
    });
    let response = crate::support::client().execute(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(
        response.headers()["location"],
        "http://localhost:5176/auth/instagram/callback?code=a%2Bb&state=c"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert!(Answer::of(app.anonymous().request(Method::GET, CALLBACK)).await.failure().starts_with("401"));
}
