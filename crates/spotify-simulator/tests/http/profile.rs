//! The profile, and who may not read it.

use reqwest::StatusCode;
use serde_json::{Value, json};
use spotify_simulator::{ErrorBody, NotRegistered, Options, accounts};

use super::{Spotify, message};

#[tokio::test]
async fn the_profile_has_what_the_scopes_allow() {
    let spotify = Spotify::start();
    let all = spotify.access_token(accounts::LISTENER, "user-read-private user-read-email").await;
    let (status, profile) = spotify.get("me", &all).await;
    assert_eq!(status, StatusCode::OK);
    let origin = spotify.simulator.url();
    let picture = |size: u16| json!({"url": format!("{origin}/pictures/wizzler.svg?size={size}"), "height": size, "width": size});
    let full = json!({
        "account_id": "aB3dE5fG7h", "id": "wizzler", "display_name": "JM Wizzler", "type": "user",
        "uri": "spotify:user:wizzler", "href": format!("{origin}/v1/users/wizzler"),
        "external_urls": {"spotify": "https://open.spotify.com/user/wizzler"},
        "images": [picture(64), picture(300)],
        "country": "SE", "email": "email@example.com", "product": "premium",
        "explicit_content": {"filter_enabled": false, "filter_locked": false},
        "followers": {"href": null, "total": 3829},
    });
    assert_eq!(profile, full);

    let names = |profile: &Value| profile.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let open =
        ["account_id", "display_name", "external_urls", "followers", "href", "id", "images", "type", "uri"];
    let none = spotify.access_token(accounts::LISTENER, "").await;
    assert_eq!(names(&spotify.get("me", &none).await.1), open);

    spotify.simulator.set_options(Options {
        account_id: false,
        development_mode: true,
        ..Options::default()
    });
    let bare = ["display_name", "external_urls", "href", "id", "images", "type", "uri"];
    assert_eq!(names(&spotify.get("me", &all).await.1), bare);
}

#[tokio::test]
async fn each_named_account_has_its_shape() {
    let spotify = Spotify::start();
    let profile = async |account| {
        let token = spotify.simulator.issue_tokens(account).access_token;
        spotify.get("me", &token).await.1
    };
    let unnamed = profile(accounts::UNNAMED).await;
    assert_eq!((&unnamed["display_name"], &unnamed["images"]), (&Value::Null, &json!([])));
    let name = profile(accounts::NOT_ASCII).await;
    assert_eq!(
        (name["display_name"].as_str(), name["product"].as_str()),
        (Some("Zoë Nguyễn 🎧"), Some("open"))
    );
    let development = profile(accounts::DEVELOPMENT).await;
    for field in ["product", "followers", "country", "email", "explicit_content"] {
        assert!(development.get(field).is_none(), "{field}");
    }
    assert_eq!(development["id"], "indie.sam");
    assert!(profile(accounts::WITHOUT_ACCOUNT_ID).await.get("account_id").is_none());
}

#[tokio::test]
async fn a_person_who_is_not_on_the_list_is_let_in_and_then_refused() {
    let spotify = Spotify::start();
    let (status, body) = spotify.redeem(&spotify.code(accounts::UNREGISTERED), &[]).await;
    assert_eq!(status, StatusCode::OK, "consent and tokens succeed");
    let token = body["access_token"].as_str().unwrap();
    for (text, expected) in [
        (
            NotRegistered::CheckSettings,
            "Check settings on developer.spotify.com/dashboard, the user may not be registered.",
        ),
        (NotRegistered::Dashboard, "User not registered in the Developer Dashboard"),
        (NotRegistered::ThisApplication, "The user is not registered for this application."),
        (NotRegistered::NotApproved, "User not approved for app"),
    ] {
        spotify.simulator.set_options(Options { not_registered: text, ..Options::default() });
        let response = spotify.raw("me", token).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        let body = response.text().await.unwrap();
        assert!(body.starts_with(expected), "{body}");
    }
    spotify.simulator.set_options(Options { error_body: ErrorBody::Json, ..Options::default() });
    assert_eq!(message(&spotify.get("me/playlists", token).await).0, 403);
    spotify.simulator.set_options(Options { error_body: ErrorBody::Empty, ..Options::default() });
    let empty = spotify.raw("me", token).await;
    assert_eq!((empty.status(), empty.text().await.unwrap().as_str()), (StatusCode::FORBIDDEN, ""));
}

#[tokio::test]
async fn without_the_owners_premium_the_whole_app_is_down_and_tokens_are_not() {
    let spotify = Spotify::start();
    let tokens = spotify.simulator.issue_tokens(accounts::LISTENER);
    spotify.simulator.set_options(Options { owner_premium: false, ..Options::default() });
    for path in ["me", "search?q=a&type=track"] {
        let response = spotify.raw(path, &tokens.access_token).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body = response.text().await.unwrap();
        assert!(body.starts_with("Active premium subscription required for the owner of the app."), "{body}");
    }
    assert_eq!(spotify.refresh(&tokens.refresh_token).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_call_needs_a_bearer_token_that_lives() {
    let spotify = Spotify::start();
    let url = spotify.simulator.api_url() + "/v1/me";
    let none = super::read(spotify.http.get(&url).send().await.unwrap()).await;
    assert_eq!(message(&none), (401, "No token provided"));
    let basic = super::read(spotify.http.get(&url).basic_auth("a", Some("b")).send().await.unwrap()).await;
    assert_eq!(message(&basic), (400, "Only valid bearer authentication supported"));
    assert_eq!(message(&spotify.get("me", "BQunknown").await), (401, "Invalid access token"));
    let refresh_token = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    assert_eq!(message(&spotify.get("me", &refresh_token).await), (401, "Invalid access token"));
}
