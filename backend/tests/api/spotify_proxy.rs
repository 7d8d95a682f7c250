//! `/api/integrations/spotify/{userId}/proxy/{path}`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use spotify_simulator::{Consent, Endpoint, ErrorBody, Fault, NotRegistered, Options, Times, accounts};

use crate::support::{Answer, Both};

fn api_error(status: u16, message: &str) -> Fault {
    Fault::ApiError { status, message: message.to_owned(), reason: None }
}

/// The id of the first item of a list.
fn first_id(answer: &Answer) -> &str {
    answer.body["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[actix_web::test]
async fn the_listed_paths_are_passed_on_without_the_token() {
    let both =
        Both::start_with(&[("SPOTIFY_SCOPES", "user-top-read playlist-read-private user-follow-read")]);
    let ada = both.with_user("ada").await;
    both.connect_spotify(&ada, accounts::LISTENER).await;
    let program = both.with_key(&ada.personal_key(&["connections:read"]).await);
    let ask = async |path: &str| {
        let answer = program.spotify().proxy(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer
    };
    let me = ask("me").await;
    assert_eq!((&me.body["id"], &me.body["account_id"]), (&json!("wizzler"), &json!("aB3dE5fG7h")));
    let artists = ask("me/top/artists?limit=1&time_range=short_term").await;
    assert_eq!(artists.body["limit"], 1, "the query goes along: {artists}");
    let tracks = ask("me/top/tracks").await;
    let track = ask(&format!("tracks/{}", first_id(&tracks))).await;
    let playlists = ask("me/playlists").await;
    let playlist = first_id(&playlists);
    ask("me/following?type=artist").await;
    ask(&format!("artists/{}", first_id(&artists))).await;
    ask(&format!("albums/{}", track.body["album"]["id"].as_str().unwrap())).await;
    ask(&format!("playlists/{playlist}")).await;
    ask(&format!("playlists/{playlist}/items?limit=1&offset=1")).await;
    ask("search?q=home%20again&type=track&limit=1").await;
}

#[actix_web::test]
async fn only_listed_paths_are_forwarded_and_only_to_read() {
    let (both, ada) = Both::connected().await;
    for path in [
        "",
        "me/",
        "ME",
        "me/player",
        "me/tracks",
        "me/top",
        "me/top/genres",
        "v1/me",
        "users/wizzler",
        "playlists",
        "playlists/37i9dQZF1DXcBWIGoYBM5M/tracks",
        "playlists/37i9dQZF1DXcBWIGoYBM5M/items/1",
        "playlists/a-b",
        "artists/..%2Fme",
        "artists/%2e%2e",
        "albums/a%00",
        "tracks/a.b",
        "tracks/",
        "search/",
        "api/token",
        "authorize",
        "me/media",
    ] {
        assert_eq!(ada.spotify().proxy(path).await.failure(), "404 not_found", "{path}");
    }
    let too_long = "a".repeat(65);
    assert_eq!(ada.spotify().proxy(&format!("tracks/{too_long}")).await.failure(), "404 not_found");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        for path in ["me", "me/playlists", "playlists/37i9dQZF1DXcBWIGoYBM5M/items"] {
            let path = ada.spotify().path(&format!("/proxy/{path}"));
            let refused = Answer::of(ada.request(method.clone(), &path).json(&json!({}))).await;
            assert_eq!(refused.failure(), "405 method_not_allowed", "{method} {path}");
            assert!(refused.header("allow").starts_with("GET"), "{method}: {}", refused.header("allow"));
        }
    }
    assert_eq!(both.spotify.requests(Endpoint::Any), 0, "Spotify hears of none of them");
}

#[actix_web::test]
async fn what_is_not_a_programs_to_give_is_refused() {
    let (both, ada) = Both::connected().await;
    for query in
        ["access_token=x", "client_secret=x", "Authorization[token]=x", "callback=x", "code=x", "a.b=c"]
    {
        let refused = ada.spotify().proxy(&format!("me?{query}")).await;
        assert_eq!(refused.failure(), "400 invalid_request", "{query}");
    }
    for scope in ["connections:write", "content:publish", "messages:manage", "tokens:read"] {
        let program = both.with_key(&ada.personal_key(&[scope]).await);
        assert_eq!(program.spotify().proxy("me").await.failure(), "403 forbidden", "{scope}");
    }
    assert_eq!(both.anonymous().spotify().proxy("me").await.failure(), "401 unauthenticated");
    let bob = both.with_user("bob").await;
    assert_eq!(bob.integration_of("spotify", &ada.id).proxy("me").await.failure(), "403 forbidden");
    assert_eq!(bob.spotify().proxy("me").await.failure(), "404 not_connected");
    assert_eq!(both.spotify.requests(Endpoint::Any), 0);
}

#[actix_web::test]
async fn an_access_token_that_is_refused_is_made_anew_once_and_the_call_repeated() {
    let (both, ada) = Both::connected().await;
    for message in ["The access token expired", "Invalid access token"] {
        both.spotify.reset_requests();
        both.spotify.fault(Endpoint::Api, api_error(401, message), Times::ONCE);
        let answer = ada.spotify().proxy("me/playlists").await;
        assert_eq!(answer.status, 200, "{message}: {answer}");
        assert_eq!((both.refreshes(), both.spotify.requests(Endpoint::Api)), (1, 2), "{message}");
    }
    // A call that is always refused says nothing about the connection.
    both.spotify.reset_requests();
    both.spotify.fault(Endpoint::Api, api_error(401, "The access token expired"), Times::Forever);
    let refused = ada.spotify().proxy("me/playlists").await;
    assert_eq!(refused.failure(), "502 upstream_error");
    assert!(refused.body["error"].as_str().unwrap().starts_with("Spotify refused the access"), "{refused}");
    assert_eq!((both.refreshes(), both.spotify.requests(Endpoint::Api)), (1, 2));
    let connection = ada.spotify().shown().await;
    assert_eq!((&connection["status"], &connection["lastError"]), (&json!("active"), &Value::Null));
}

#[actix_web::test]
async fn only_the_token_endpoint_kills_a_connection() {
    let (both, ada) = Both::connected().await;
    both.spotify.revoke(accounts::LISTENER);
    let ask = async || ada.spotify().proxy("me/playlists").await.failure();
    assert_eq!(ask().await, "502 upstream_error");
    assert_eq!(ada.spotify().shown().await["status"], "active", "its word was heard once");
    both.pass(Duration::from_secs(3660));
    assert_eq!(ask().await, "409 needs_reauthorization");
    assert_eq!(ada.spotify().shown().await["status"], "needs_reauthorization");
}

/// The rows of `spotify-api.md` §6.
#[actix_web::test]
async fn each_failure_of_the_web_api_has_its_code() {
    let (both, ada) = Both::connected().await;
    let plain = |text: &str| Fault::PlainError { status: 403, text: text.to_owned() };
    let cases = [
        (api_error(400, "Only valid bearer authentication supported"), "400 invalid_request"),
        (api_error(401, "No token provided"), "400 invalid_request"),
        (plain("User not registered in the Developer Dashboard"), "502 app_access"),
        (plain("User not approved for app"), "502 app_access"),
        (plain("Active premium subscription required for the owner of the app."), "502 app_access"),
        (api_error(403, "Insufficient client scope"), "400 access_denied"),
        (api_error(403, "Forbidden"), "502 app_access"),
        (plain(""), "502 app_access"),
        (api_error(400, "Unlaunched market"), "400 invalid_request"),
        (api_error(400, "Unlaunched country"), "400 invalid_request"),
        (api_error(404, "Resource not found"), "400 invalid_request"),
        (Fault::ServerError { status: 500 }, "502 upstream_error"),
        (Fault::ServerError { status: 503 }, "502 upstream_error"),
        (Fault::Html, "502 upstream_error"),
        (Fault::Empty, "502 upstream_error"),
        (Fault::Truncated, "502 upstream_error"),
        (Fault::Reset, "502 upstream_error"),
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
    ];
    for (fault, expected) in cases {
        both.spotify.fault(Endpoint::Api, fault.clone(), Times::ONCE);
        let answer = ada.spotify().proxy("me/playlists").await;
        assert_eq!(answer.failure(), expected, "{fault:?}: {answer}");
        assert!(!answer.text.contains("Instagram"), "{answer}");
        let connection = ada.spotify().shown().await;
        assert_eq!((&connection["status"], &connection["lastError"]), (&json!("active"), &Value::Null));
    }
    assert_eq!(both.refreshes(), 0, "none of them is about the access token");
    let words = ada.spotify().proxy("tracks/nosuchtrack").await;
    let said = words.body["error"].as_str().unwrap();
    assert!(said.starts_with("Spotify refused this: "), "whoever made the call up needs its words: {said}");
}

#[actix_web::test]
async fn a_missing_scope_is_told_with_what_to_do() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let fewer = Consent::allow_only(accounts::LISTENER, &["user-read-private"]);
    let exchanged = both.exchange_spotify(&ada, fewer).await;
    ada.spotify().save(&exchanged.body).await;
    let refused = ada.spotify().proxy("me/top/artists").await;
    assert_eq!(refused.failure(), "400 access_denied");
    assert!(refused.body["error"].as_str().unwrap().contains("Connect the account again"), "{refused}");
}

#[actix_web::test]
async fn development_mode_and_a_lost_place_on_the_list_are_the_apps() {
    let (both, ada) = Both::connected().await;
    for error_body in [ErrorBody::Text, ErrorBody::Json] {
        for not_registered in [NotRegistered::CheckSettings, NotRegistered::ThisApplication] {
            both.spotify.set_options(Options { error_body, not_registered, ..Options::default() });
            let unlisted = spotify_simulator::AccountChange { registered: Some(false), ..Default::default() };
            both.spotify.change_account(accounts::LISTENER, unlisted);
            for answer in [ada.spotify().proxy("me").await, ada.spotify().sync().await] {
                assert_eq!(answer.failure(), "502 app_access", "{not_registered:?} {error_body:?}");
            }
        }
    }
    assert_eq!(ada.spotify().shown().await["status"], "active");
    let listed = spotify_simulator::AccountChange { registered: Some(true), ..Default::default() };
    both.spotify.change_account(accounts::LISTENER, listed);
    assert_eq!(ada.spotify().sync().await.status, 200);
}
