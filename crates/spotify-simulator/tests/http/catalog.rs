//! The music that a client can read.

use reqwest::StatusCode;
use serde_json::{Value, json};
use spotify_simulator::{Options, accounts};

use super::{Spotify, message, read};

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_path_of_the_proxy_answers() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    let get = async |path: &str| {
        let (status, body) = spotify.get(path, &token).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    };
    let artists = get("me/top/artists?time_range=short_term").await;
    let artist = ids(&artists)[0];
    assert_eq!(get(&format!("artists/{artist}")).await, artists["items"][0]);
    let tracks = get("me/top/tracks?limit=50").await;
    let track = &tracks["items"][0];
    assert_eq!(&get(&format!("tracks/{}", ids(&tracks)[0])).await, track);
    let album = get(&format!("albums/{}", track["album"]["id"].as_str().unwrap())).await;
    assert_eq!((&album["name"], &album["tracks"]["items"][0]["id"]), (&track["album"]["name"], &track["id"]));
    assert_eq!(album["release_date_precision"], "day");

    let playlists = get("me/playlists").await;
    assert_eq!(playlists["total"], 3);
    for id in ids(&playlists) {
        let playlist = get(&format!("playlists/{id}")).await;
        assert_eq!(playlist["owner"]["display_name"], "JM Wizzler");
        let items = get(&format!("playlists/{id}/items?limit=2")).await;
        assert_eq!(items["items"][0]["item"]["type"], "track");
        assert_eq!(
            (&playlist["items"]["total"], &items["items"][1]),
            (&items["total"], &playlist["items"]["items"][1])
        );
    }
    assert!(get("me/following?type=artist").await["artists"]["items"][0]["genres"].is_array());
    let found = get("search?q=SN%C3%96&type=album,track,show").await;
    assert_eq!((&found["albums"]["items"][0]["name"], &found["tracks"]["total"]), (&json!("Snö"), &json!(1)));
    assert_eq!(found["shows"]["total"], 0);
    let cover = spotify.http.get(album["images"][0]["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(cover.headers()["content-type"], "image/svg+xml");
}

#[tokio::test]
async fn lists_are_paged_and_their_links_lead_on() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    let all = spotify.get("me/top/tracks?limit=50", &token).await.1;
    let mut page = spotify.get("me/top/tracks?limit=5&time_range=long_term", &token).await.1;
    assert_eq!(page["previous"], Value::Null);
    let mut seen = ids(&page).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    while let Some(next) = page["next"].as_str() {
        assert!(next.contains("time_range=long_term") && !next.contains(&token), "{next}");
        page = read(spotify.http.get(next).bearer_auth(&token).send().await.unwrap()).await.1;
        seen.extend(ids(&page).iter().map(|id| (*id).to_owned()));
    }
    assert_eq!(seen, ids(&all));
    assert!(page["previous"].is_string());

    let first = spotify.get("me/following?type=artist&limit=3", &token).await.1;
    assert_eq!(first["artists"]["cursors"]["after"], ids(&first["artists"])[2]);
    let next = first["artists"]["next"].as_str().unwrap();
    let last = read(spotify.http.get(next).bearer_auth(&token).send().await.unwrap()).await.1;
    assert_eq!((ids(&last["artists"]).len(), &last["artists"]["next"]), (1, &Value::Null));
}

#[tokio::test]
async fn what_was_not_granted_is_refused_or_left_out() {
    let spotify = Spotify::start();
    let token = spotify.access_token(accounts::LISTENER, "").await;
    for path in ["me/top/artists", "me/following?type=artist"] {
        assert_eq!(message(&spotify.get(path, &token).await), (403, "Insufficient client scope"), "{path}");
    }
    let public = spotify.get("me/playlists", &token).await.1;
    assert_eq!((public["total"].as_u64(), public["items"][0]["public"].as_bool()), (Some(1), Some(true)));
    let private = spotify.access_token(accounts::LISTENER, "playlist-read-private").await;
    let two = spotify.get("me/playlists", &private).await.1;
    assert_eq!(two["total"], 2);
    let hidden = format!("playlists/{}/items", ids(&two)[1]);
    assert_eq!(spotify.get(&hidden, &private).await.0, StatusCode::OK);
    assert_eq!(message(&spotify.get(&hidden, &token).await), (403, "Insufficient client scope"));
    let stranger = spotify.simulator.issue_tokens(accounts::NOT_ASCII).access_token;
    assert_eq!(message(&spotify.get(&hidden, &stranger).await), (404, "Resource not found"));
    let open = format!("playlists/{}", ids(&public)[0]);
    assert_eq!(spotify.get(&open, &stranger).await.1["owner"]["id"], "wizzler");
}

#[tokio::test]
async fn a_wrong_call_is_told_so() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    for (path, status, expected) in [
        ("me/top/tracks?limit=51", 400, "Invalid limit"),
        ("me/top/tracks?limit=x", 400, "Invalid limit"),
        ("me/playlists?offset=-1", 400, "Invalid offset"),
        ("me/top/tracks?time_range=ever", 400, "Invalid time range"),
        ("me/following", 400, "Missing parameter type"),
        ("search?type=track", 400, "No search query"),
        ("search?q=a", 400, "Missing parameter type"),
        ("search?q=a&type=smell", 400, "Bad search type field smell"),
        ("search?q=a&type=track&market=CN", 400, "Unlaunched market"),
        ("tracks/1?market=sweden", 400, "Invalid market code"),
        ("artists/not-an-id", 400, "Invalid base62 id"),
        ("artists/0000000000000000000000", 404, "Resource not found"),
        ("me/top/albums", 404, "Service not found"),
        ("me/nothing", 404, "Service not found"),
    ] {
        assert_eq!(message(&spotify.get(path, &token).await), (status, expected), "{path}");
    }
    let outside = spotify.http.get(spotify.simulator.url() + "/v2/me").send().await.unwrap();
    assert_eq!(message(&read(outside).await), (404, "Service not found"));
}

#[tokio::test]
async fn development_mode_has_fewer_endpoints_and_fields() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).access_token;
    let gone = [
        "users/wizzler",
        "users/wizzler/playlists",
        "artists?ids=a,b",
        "browse/new-releases",
        "markets",
        "artists/a/top-tracks",
        "playlists/a/tracks",
    ];
    for path in gone {
        assert_eq!(message(&spotify.get(path, &token).await).0, 404, "{path}");
    }
    let artist = spotify.get("me/top/artists", &token).await.1["items"][0].clone();
    assert!(artist["followers"]["total"].is_u64() && artist["popularity"].is_u64());
    assert_eq!(spotify.get("search?q=a&type=track&limit=50", &token).await.0, StatusCode::OK);

    spotify.simulator.set_options(Options { development_mode: true, ..Options::default() });
    for path in gone {
        assert_eq!(message(&spotify.get(path, &token).await), (403, "Forbidden"), "{path}");
    }
    let path = format!("artists/{}", artist["id"].as_str().unwrap());
    let artist = spotify.get(&path, &token).await.1;
    assert!(
        artist.get("followers").is_none() && artist.get("popularity").is_none() && artist["name"].is_string()
    );
    assert_eq!(message(&spotify.get("search?q=a&type=track&limit=11", &token).await), (400, "Invalid limit"));
}
