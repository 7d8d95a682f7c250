//! `/auth/spotify/…` and the save: the way to Spotify and back.

use reqwest::Method;
use serde_json::{Value, json};
use spotify_simulator::{Consent, Options, ScopeShape, accounts};

use crate::support::callers::INTEGRATIONS;
use crate::support::{Both, Process, TestApp, parameter, query_of};

const ASKED: &str = "user-read-private user-top-read playlist-read-private";

#[actix_web::test]
async fn the_login_link_is_what_spotify_documents() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let first = ada.spotify().begin_login("returnTo=/integrations").await;
    assert_eq!((first.status, first.header("cache-control")), (200, "no-store"));
    assert_eq!(first.body.as_object().unwrap().len(), 2, "the verifier stays here: {first}");
    assert_eq!(first.body["authUrl"], first.body["redirectTo"]);
    let url = first.body["authUrl"].as_str().unwrap();
    assert!(url.starts_with(&both.spotify.authorize_url()));
    for (name, expected) in [
        ("scope", ASKED),
        ("response_type", "code"),
        ("client_id", spotify_simulator::Config::CLIENT_ID),
        ("redirect_uri", spotify_simulator::Config::REDIRECT_URIS[0]),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(url, name).as_deref(), Some(expected), "{name}");
    }
    let challenge = parameter(url, "code_challenge").unwrap();
    assert_eq!(challenge.len(), 43, "base64url of a SHA-256, without padding: {challenge}");
    assert_eq!((parameter(url, "show_dialog"), parameter(url, "code_verifier")), (None, None));
    let again = ada.spotify().auth_url("").await;
    for changes in ["state", "code_challenge"] {
        assert_ne!(parameter(&again, changes), parameter(url, changes), "{changes}");
    }
}

#[actix_web::test]
async fn the_consent_page_is_shown_for_another_account_and_for_each_reconnect() {
    let (both, ada) = Both::connected().await;
    let id = ada.spotify().shown().await["id"].as_str().unwrap().to_owned();
    for query in ["forceReauth=true", "reconnect=true", &format!("connectionId={id}")] {
        let url = ada.spotify().auth_url(query).await;
        assert_eq!(parameter(&url, "show_dialog").as_deref(), Some("true"), "{query}");
        assert_eq!(both.spotify.pass_silently(&url, accounts::LISTENER), None, "{query}");
    }
    let plain = ada.spotify().auth_url("").await;
    assert!(both.spotify.pass_silently(&plain, accounts::LISTENER).is_some(), "they agreed before");
}

#[actix_web::test]
async fn a_reconnect_with_another_account_is_told() {
    let (both, ada) = Both::connected().await;
    let again = async |account: &str| {
        let back =
            both.spotify.consent(&ada.spotify().auth_url("reconnect=true").await, Consent::allow(account));
        ada.spotify().callback(&query_of(&back)).await
    };
    assert_eq!(again(accounts::UNNAMED).await.body["expectedUsername"], accounts::LISTENER);
    assert_eq!(again(accounts::LISTENER).await.body.get("expectedUsername"), None);
}

#[actix_web::test]
async fn what_is_missing_of_the_app_is_named() {
    let both = Both::start_with(&[("SPOTIFY_CLIENT_SECRET", ""), ("SPOTIFY_REDIRECT_URI", "")]);
    let ada = both.with_user("ada").await;
    let answer = ada.spotify().begin_login("").await;
    assert_eq!(answer.failure(), "503 not_configured");
    assert_eq!(answer.body["missing"], json!(["SPOTIFY_CLIENT_SECRET", "SPOTIFY_REDIRECT_URI"]));
    assert_eq!(
        answer.body["error"],
        "This server has no Spotify app set up yet: SPOTIFY_CLIENT_SECRET, SPOTIFY_REDIRECT_URI are missing."
    );
    assert_eq!(ada.instagram().begin_login("").await.status, 200, "Instagram is set up");
    assert_eq!(both.anonymous().spotify().begin_login("").await.failure(), "401 unauthenticated");
}

#[actix_web::test]
async fn another_word_is_no_provider() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    for word in ["Spotify", "spotify2", "tidal", "%73potify%00"] {
        assert_eq!(ada.integration(word).begin_login("").await.failure(), "404 not_found", "{word}");
        assert_eq!(ada.integration(word).read().await.failure(), "404 not_found", "{word}");
    }
}

#[actix_web::test]
async fn localhost_stops_the_start_with_its_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let start = |redirect_uri| {
        let output = Process::command(&folder, &[("SPOTIFY_REDIRECT_URI", redirect_uri)]).output().unwrap();
        assert!(!output.status.success(), "{redirect_uri}");
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
    };
    let said = start("http://localhost:4002/auth/spotify/callback");
    for part in [
        "SPOTIFY_REDIRECT_URI",
        "Spotify refuses",
        "localhost",
        "http://127.0.0.1:4002/auth/spotify/callback",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    for refused in ["http://192.168.1.20/auth/spotify/callback", "http://shop.example/back", "nonsense"] {
        assert!(start(refused).contains("SPOTIFY_REDIRECT_URI: expected "), "{refused}");
    }
}

#[actix_web::test]
async fn a_browser_is_passed_on_to_the_web_app() {
    let both = Both::start();
    let response = both.anonymous().navigate("/auth/spotify/callback?code=a%2Bb&state=c").await;
    let location = response.headers()["location"].to_str().unwrap();
    let expected = "http://localhost:5176/auth/spotify/callback?code=a%2Bb&state=c";
    assert_eq!((response.status().as_u16(), location), (303, expected));
}

#[actix_web::test]
async fn a_listener_is_connected_as_spotify_shows_them() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let exchanged = both.exchange_spotify(&ada, Consent::allow(accounts::LISTENER)).await;
    assert_eq!(exchanged.header("cache-control"), "no-store");
    insta::assert_json_snapshot!(exchanged.body, {
        ".access_token" => "[sealed]", ".user.profile_picture_url" => "[url]",
    }, @r#"
    {
      "access_token": "[sealed]",
      "expires_in": 3600,
      "ok": true,
      "user": {
        "followers_count": 3829,
        "id": "aB3dE5fG7h",
        "name": "JM Wizzler",
        "profile_picture_url": "[url]",
        "username": "wizzler"
      },
      "user_id": "aB3dE5fG7h"
    }
    "#);
    assert!(exchanged.body["access_token"].as_str().unwrap().starts_with("sealed."));
    let saved = ada.spotify().save(&exchanged.body).await;
    assert_eq!(saved.status, 200, "{saved}");
    let connection = ada.spotify().shown().await;
    for field in ["id", "username", "followers", "connectedAt", "expiresAt"] {
        assert_eq!(saved.body["connection"][field], connection[field], "{field}");
    }
    insta::assert_json_snapshot!(connection, {
        ".id" => "[id]", ".profilePictureUrl" => "[url]", ".connectedAt" => "[time]", ".lastSync" => "[time]",
        ".expiresAt" => "[time]",
    }, @r#"
    {
      "connectedAt": "[time]",
      "expiresAt": "[time]",
      "followers": 3829,
      "id": "[id]",
      "lastError": null,
      "lastSync": "[time]",
      "missingScopes": [],
      "name": "JM Wizzler",
      "needsRefresh": false,
      "product": "premium",
      "profilePictureUrl": "[url]",
      "profileUrl": "https://open.spotify.com/user/wizzler",
      "provider": "spotify",
      "scopes": [
        "user-read-private",
        "user-top-read",
        "playlist-read-private"
      ],
      "status": "active",
      "username": "wizzler"
    }
    "#);
    let picture = connection["profilePictureUrl"].as_str().unwrap();
    assert!(picture.ends_with("size=300"), "the larger of two: {picture}");
}

#[actix_web::test]
async fn what_spotify_does_not_tell_is_null() {
    let both = Both::start();
    for (name, account) in [("ada", accounts::DEVELOPMENT), ("bob", accounts::UNNAMED)] {
        let person = both.with_user(name).await;
        let saved = both.connect_spotify(&person, account).await;
        assert_eq!(saved.status, 200, "{saved}");
        let connection = person.spotify().shown().await;
        let untold = match account {
            accounts::DEVELOPMENT => ["followers", "product"],
            _ => ["name", "profilePictureUrl"],
        };
        for field in untold {
            assert_eq!(connection.get(field), Some(&Value::Null), "{field} of {connection}");
        }
        assert_eq!(connection["username"], account);
    }
}

#[actix_web::test]
async fn scopes_that_are_not_told_are_those_that_were_asked_for() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    for scope in [ScopeShape::Absent, ScopeShape::Empty] {
        both.spotify.set_options(Options { scope, ..Options::default() });
        both.connect_spotify(&ada, accounts::LISTENER).await;
        let connection = ada.spotify().shown().await;
        assert_eq!(connection["scopes"], json!(ASKED.split(' ').collect::<Vec<_>>()), "{scope:?}");
        assert_eq!(connection["missingScopes"], json!([]), "{scope:?}");
    }
    both.spotify.set_options(Options::default());
    let fewer = Consent::allow_only(accounts::LISTENER, &["user-read-private"]);
    let exchanged = both.exchange_spotify(&ada, fewer).await;
    ada.spotify().save(&exchanged.body).await;
    let missing = ada.spotify().shown().await["missingScopes"].clone();
    assert_eq!(missing, json!(["user-top-read", "playlist-read-private"]));
}

#[actix_web::test]
async fn the_operator_chooses_the_scopes() {
    let (both, ada) = Both::connected_with(&[("SPOTIFY_SCOPES", "user-read-email")]).await;
    assert_eq!(parameter(&ada.spotify().auth_url("").await, "scope").as_deref(), Some("user-read-email"));
    let connection = ada.spotify().shown().await;
    assert_eq!((&connection["scopes"], &connection["product"]), (&json!(["user-read-email"]), &Value::Null));
    drop(both);
}

#[actix_web::test]
async fn a_host_connects_for_its_users_by_key() {
    let both = Both::start();
    let mut host = both.with_key(&both.service_key(&["connections:read", "connections:write"]));
    host.id = "user-123".to_owned();
    let url = host.spotify().auth_url("userId=user-123").await;
    let back = both.spotify.consent(&url, Consent::allow(accounts::LISTENER));
    let exchanged = host.spotify().callback(&format!("{}&userId=user-123", query_of(&back))).await;
    assert_eq!(host.spotify().save(&exchanged.body).await.status, 200, "{exchanged}");
    let read = host.integration_of("spotify", "user-123").read().await;
    assert_eq!(read.body["connection"]["username"], accounts::LISTENER);
    let listed = host.connections("").await;
    assert_eq!(listed.body["connections"][0]["provider"], "spotify");
    let all = host.get("/api/users/user-123/integrations").await;
    assert_eq!(all.body["integrations"][1]["connections"][0], read.body["connection"]);
    assert_eq!(host.get(INTEGRATIONS).await.failure(), "403 forbidden", "a service key is nobody itself");
    let stranger = both.with_user("ada").await;
    let refused = stranger.request(Method::GET, "/api/users/user-123/integrations");
    assert_eq!(crate::support::Answer::of(refused).await.failure(), "403 forbidden");
}
