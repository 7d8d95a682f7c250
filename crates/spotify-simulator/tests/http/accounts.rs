//! Accounts beyond the named ones, and changes of any.

use std::collections::HashSet;

use reqwest::StatusCode;
use spotify_simulator::{AccountChange, accounts};

use super::Spotify;

#[tokio::test]
async fn any_number_of_accounts_can_be_added_each_with_ids_of_its_own() {
    let spotify = Spotify::start();
    let mut ids: HashSet<_> = (0..1_000)
        .flat_map(|number| {
            let added = spotify.simulator.add_account(&format!("listener.{number}"));
            [added.account_id.unwrap(), added.id]
        })
        .collect();
    for name in [accounts::LISTENER, accounts::UNNAMED, accounts::NOT_ASCII, accounts::DEVELOPMENT] {
        let named = spotify.simulator.account_ids(name);
        ids.extend([named.account_id.unwrap(), named.id]);
    }
    assert_eq!(ids.len(), 2 * 1_004, "an id was given twice");

    let tokens = spotify.simulator.issue_tokens("listener.617");
    assert_eq!(format!("{tokens:?}"), "Tokens { .. }");
    let (status, profile) = spotify.get("me", &tokens.access_token).await;
    assert_eq!((status, profile["id"].as_str()), (StatusCode::OK, Some("listener.617")));
    assert_eq!(profile["account_id"], spotify.simulator.account_ids("listener.617").account_id.unwrap());
    for field in ["display_name", "images", "country", "email", "product", "followers"] {
        assert!(!profile[field].is_null(), "{field}");
    }
    let picture = spotify.http.get(profile["images"][0]["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/svg+xml");
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::WITHOUT_ACCOUNT_ID).access_token;
    let before = spotify.get("me", &token).await.1;
    assert!(before.get("account_id").is_none());
    let change = AccountChange {
        id: Some("new.timer".to_owned()),
        account_id: Some(Some("zZ9".to_owned())),
        ..AccountChange::default()
    };
    spotify.simulator.change_account(accounts::WITHOUT_ACCOUNT_ID, change);
    let after = spotify.get("me", &token).await.1;
    assert_eq!((after["id"].as_str(), after["account_id"].as_str()), (Some("new.timer"), Some("zZ9")));
    assert_eq!(after["uri"], "spotify:user:new.timer");
    for field in ["display_name", "images", "email", "followers"] {
        assert_eq!(after[field], before[field]);
    }
}

#[tokio::test]
async fn an_account_is_revoked_until_it_is_issued_tokens_again() {
    let spotify = Spotify::start();
    let first = spotify.simulator.issue_tokens(accounts::LISTENER);
    let other = spotify.simulator.issue_tokens(accounts::NOT_ASCII);
    spotify.simulator.revoke(accounts::LISTENER);
    assert!(spotify.simulator.is_revoked(accounts::LISTENER));
    assert!(!spotify.simulator.is_revoked(accounts::NOT_ASCII));
    let next = spotify.simulator.issue_tokens(accounts::LISTENER);
    assert!(!spotify.simulator.is_revoked(accounts::LISTENER));
    assert_eq!(spotify.refresh(&first.refresh_token).await.0, StatusCode::BAD_REQUEST, "came back to life");
    for alive in [next, other] {
        assert_eq!(spotify.refresh(&alive.refresh_token).await.0, StatusCode::OK);
    }
}

#[test]
#[should_panic(expected = "there is an account of this name")]
fn a_name_is_given_once() {
    Spotify::start().simulator.add_account(accounts::LISTENER);
}

#[test]
#[should_panic(expected = "the simulator has no account \"nobody\"")]
fn an_account_that_does_not_exist_is_the_tests_mistake() {
    Spotify::start().simulator.issue_tokens("nobody");
}
