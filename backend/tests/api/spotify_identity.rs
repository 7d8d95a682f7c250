//! Which account a connection is of: by the id that never changes, as soon as Spotify tells it.

use std::time::Duration;

use serde_json::json;
use spotify_simulator::{AccountChange, Consent, Options, accounts};

use crate::support::{Both, Person, query_of};

fn change(both: &Both, account: &str, change: AccountChange) {
    both.spotify.change_account(account, change);
}

/// The id by which the account is stored, as programs see it, and the number of documents.
async fn stored_as(both: &Both, person: &Person) -> (String, i64) {
    let program = both.with_key(&person.personal_key(&["tokens:read"]).await);
    let answer = program.spotify().token().await;
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let count = database.query_row("SELECT count(*) FROM spotify_connections", [], |row| row.get(0)).unwrap();
    (answer.body["spotifyUserId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(), count)
}

#[actix_web::test]
async fn a_new_name_is_the_same_account() {
    let (both, ada) = Both::connected().await;
    let before = ada.spotify().shown().await;
    change(
        &both,
        accounts::LISTENER,
        AccountChange { id: Some("renamed".to_owned()), ..AccountChange::default() },
    );
    let synced = ada.spotify().sync().await;
    assert_eq!(synced.status, 200, "{synced}");
    let after = &synced.body["connection"];
    assert_eq!((&after["id"], &after["username"]), (&before["id"], &json!("renamed")));
    assert_eq!(after["profileUrl"], "https://open.spotify.com/user/renamed");
    assert_eq!(both.connect_with(&ada, "spotify", accounts::LISTENER).await, before["id"]);
    assert_eq!(stored_as(&both, &ada).await, ("aB3dE5fG7h".to_owned(), 1));
}

#[actix_web::test]
async fn an_account_moves_to_the_id_that_never_changes_without_a_new_document() {
    for by in ["sync", "reconnect"] {
        let both = Both::start();
        let ada = both.with_user("ada").await;
        let id = both.connect_with(&ada, "spotify", accounts::WITHOUT_ACCOUNT_ID).await;
        assert_eq!(stored_as(&both, &ada).await, (accounts::WITHOUT_ACCOUNT_ID.to_owned(), 1));
        assert_eq!(ada.spotify().sync().await.status, 200, "{by}");
        let lasting =
            AccountChange { account_id: Some(Some("Late00001xQ".to_owned())), ..AccountChange::default() };
        change(&both, accounts::WITHOUT_ACCOUNT_ID, lasting);
        if by == "sync" {
            let synced = ada.spotify().sync().await;
            assert_eq!((synced.status, &synced.body["connection"]["id"]), (200, &json!(id)), "{synced}");
        } else {
            assert_eq!(both.connect_with(&ada, "spotify", accounts::WITHOUT_ACCOUNT_ID).await, id);
        }
        assert_eq!(stored_as(&both, &ada).await, ("Late00001xQ".to_owned(), 1), "{by}");
        // The tokens are sealed for the new id.
        both.pass(Duration::from_secs(7200));
        assert_eq!(ada.spotify().refresh().await.status, 200, "{by}");
        assert_eq!(ada.spotify().proxy("me/playlists").await.status, 200, "{by}");
        // Now the other may change.
        let renamed = AccountChange { id: Some("newer.name".to_owned()), ..AccountChange::default() };
        change(&both, accounts::WITHOUT_ACCOUNT_ID, renamed);
        assert_eq!(ada.spotify().sync().await.body["connection"]["username"], "newer.name", "{by}");
        assert_eq!(stored_as(&both, &ada).await, ("Late00001xQ".to_owned(), 1), "{by}");
    }
}

#[actix_web::test]
async fn a_reconnect_under_the_lasting_id_is_no_other_account() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    both.connect_with(&ada, "spotify", accounts::WITHOUT_ACCOUNT_ID).await;
    let lasting =
        AccountChange { account_id: Some(Some("Late00001xQ".to_owned())), ..AccountChange::default() };
    change(&both, accounts::WITHOUT_ACCOUNT_ID, lasting);
    let auth_url = ada.spotify().auth_url("reconnect=true").await;
    let back = both.spotify.consent(&auth_url, Consent::allow(accounts::WITHOUT_ACCOUNT_ID));
    let exchanged = ada.spotify().callback(&query_of(&back)).await;
    assert_eq!(exchanged.status, 200, "{exchanged}");
    assert!(exchanged.body.get("expectedUsername").is_none(), "{exchanged}");
}

#[actix_web::test]
async fn an_account_known_by_its_old_id_is_nobody_elses() {
    let both = Both::start();
    let (ada, bob) = (both.with_user("ada").await, both.with_user("bob").await);
    let id = both.connect_with(&ada, "spotify", accounts::WITHOUT_ACCOUNT_ID).await;
    let lasting =
        AccountChange { account_id: Some(Some("Late00001xQ".to_owned())), ..AccountChange::default() };
    change(&both, accounts::WITHOUT_ACCOUNT_ID, lasting);
    let refused = both.connect_spotify(&bob, accounts::WITHOUT_ACCOUNT_ID).await;
    assert_eq!(refused.failure(), "409 account_in_use");
    assert_eq!(ada.spotify().sync().await.body["connection"]["id"], *id);
}

#[actix_web::test]
async fn a_profile_of_another_account_is_not_stored() {
    let (both, ada) = Both::connected().await;
    let before = ada.spotify().shown().await;
    let other = AccountChange {
        id: Some("somebody.else".to_owned()),
        account_id: Some(Some("Other00001".to_owned())),
        ..AccountChange::default()
    };
    change(&both, accounts::LISTENER, other);
    assert_eq!(ada.spotify().sync().await.failure(), "502 upstream_error");
    assert_eq!(ada.spotify().shown().await, before);
}

/// Fields of a profile come and go (`spotify-api.md` §5).
#[actix_web::test]
async fn an_answer_without_the_lasting_id_is_still_of_the_same_account() {
    let (both, ada) = Both::connected().await;
    let before = ada.spotify().shown().await;
    both.spotify.set_options(Options { account_id: false, ..Options::default() });
    let synced = ada.spotify().sync().await;
    assert_eq!((synced.status, &synced.body["connection"]["id"]), (200, &before["id"]), "{synced}");
    assert_eq!(stored_as(&both, &ada).await, ("aB3dE5fG7h".to_owned(), 1));
    let auth_url = ada.spotify().auth_url("reconnect=true").await;
    let back = both.spotify.consent(&auth_url, Consent::allow(accounts::LISTENER));
    let again = ada.spotify().callback(&query_of(&back)).await;
    assert_eq!(again.body.get("expectedUsername"), None, "{again}");
    assert_eq!(ada.spotify().save(&again.body).await.body["connection"]["id"], before["id"]);
    let bob = both.with_user("bob").await;
    assert_eq!(both.connect_spotify(&bob, accounts::LISTENER).await.failure(), "409 account_in_use");
    both.spotify.set_options(Options::default());
    assert_eq!(ada.spotify().sync().await.status, 200);
    assert_eq!(stored_as(&both, &ada).await, ("aB3dE5fG7h".to_owned(), 1));
}

/// The refresh token moves with the connection, whoever asks and whatever has become of the access token.
#[actix_web::test]
async fn a_move_to_the_lasting_id_loses_no_refresh_token() {
    let both = Both::start();
    let (ada, bob) = (both.with_user("ada").await, both.with_user("bob").await);
    both.connect_with(&ada, "spotify", accounts::WITHOUT_ACCOUNT_ID).await;
    let lasting =
        AccountChange { account_id: Some(Some("Late00001xQ".to_owned())), ..AccountChange::default() };
    change(&both, accounts::WITHOUT_ACCOUNT_ID, lasting);
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    database.execute("UPDATE spotify_connections SET access_token = 'v1.gone.AAAA'", []).unwrap();
    let refused = both.connect_spotify(&bob, accounts::WITHOUT_ACCOUNT_ID).await;
    assert_eq!(refused.failure(), "409 account_in_use");
    assert_eq!(ada.spotify().refresh().await.status, 200);
    assert_eq!(stored_as(&both, &ada).await, ("Late00001xQ".to_owned(), 1));
}
