//! How a listener's data goes: disconnected, deleted with its user, or erased by the operator.

use instagram_simulator::accounts as shops;
use reqwest::Method;
use serde_json::{Value, json};
use spotify_simulator::accounts;

use crate::support::callers::ACCOUNT;
use crate::support::{Answer, Both, OFTEN, PASSWORD};

#[actix_web::test]
async fn leaving_erases_the_tokens_and_says_where_to_remove_the_app() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let id = both.connect_with(&ada, "spotify", accounts::LISTENER).await;
    both.connect_with(&ada, "instagram", shops::RECORD_SHOP).await;
    let left = ada.spotify().disconnect().await;
    assert_eq!(left.body, json!({"ok": true, "revokeUrl": "https://www.spotify.com/account/apps/"}));
    assert_eq!(ada.instagram().disconnect().await.body, json!({"ok": true}));
    let again = ada.spotify().disconnect().await;
    assert_eq!(again.failure(), "404 not_connected");
    assert_eq!(again.body["error"], "No active Spotify connection found");
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let kept = "SELECT access_token, refresh_token, is_active FROM spotify_connections";
    let kept = database.query_row(kept, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(kept, (String::new(), None::<String>, 0), "the document stays, without them");
    let one = both.connect_with(&ada, "spotify", accounts::LISTENER).await;
    assert_eq!(one, id);
    let path = ada.spotify().path(&format!("/connections/{id}"));
    assert_eq!(ada.delete(&path).await.body["revokeUrl"], "https://www.spotify.com/account/apps/");
}

#[actix_web::test]
async fn a_deleted_user_leaves_nothing_of_either_provider() {
    let both = Both::start_with(&[OFTEN]);
    let ada = both.with_user("ada").await;
    both.connect_with(&ada, "spotify", accounts::LISTENER).await;
    both.connect_with(&ada, "spotify", accounts::UNNAMED).await;
    both.connect_with(&ada, "instagram", shops::RECORD_SHOP).await;
    assert_eq!(ada.spotify().sync().await.status, 200);
    ada.spotify().disconnect().await;
    let answer = Answer::of(ada.request(Method::DELETE, ACCOUNT).json(&json!({"password": PASSWORD}))).await;
    assert_eq!(answer.status, 200, "{answer}");
    for table in ["spotify_connections", "instagram_connections", "connection_events"] {
        assert_eq!(both.rows(table), 0, "{table}");
    }
    let bob = both.with_user("bob").await;
    both.connect_with(&bob, "spotify", accounts::LISTENER).await;
}

#[actix_web::test]
async fn an_operator_erases_a_listener_by_either_id() {
    for account in ["aB3dE5fG7h", accounts::LISTENER] {
        let (both, ada) = Both::connected().await;
        both.connect_with(&ada, "instagram", shops::RECORD_SHOP).await;
        let done = both.operate(&["connections", "erase", account, "--yes", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&done).unwrap()["erased"], 1, "{account}: {done}");
        assert_eq!(ada.spotify().read().await.failure(), "404 not_connected", "{account}");
        assert_eq!((both.rows("spotify_connections"), both.rows("instagram_connections")), (0, 1));
    }
}

#[actix_web::test]
async fn an_operator_sees_and_ends_a_listeners_connection() {
    let (both, ada) = Both::connected().await;
    let id = ada.spotify().shown().await["id"].as_str().unwrap().to_owned();
    let list: Value = serde_json::from_str(&both.operate(&["connections", "list", "--json"])).unwrap();
    let one = &list["connections"][0];
    assert_eq!(
        (&one["provider"], &one["spotifyUserId"]),
        (&json!("spotify"), &json!("aB3dE5fG7h")),
        "{list}"
    );
    assert!(both.operate(&["connections", "show", &id]).contains("Spotify"));
    both.operate(&["connections", "disconnect", &id, "--yes"]);
    assert_eq!(ada.spotify().read().await.failure(), "404 not_connected");
    assert_eq!(both.refreshes(), 0);
}
