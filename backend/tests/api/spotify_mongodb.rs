//! A listener's connection on MongoDB, and its document (`providers.md` §4).

use connection_store::test_support::MongoServer;
use mongodb::bson::{Bson, Document, doc};
use serde_json::json;
use spotify_simulator::{AccountChange, Options, Rotation, accounts};

use crate::support::{Both, HOUR};

#[actix_web::test]
async fn a_listeners_life_on_mongodb_and_its_document() {
    let server = MongoServer::shared();
    let url = server.fresh_database_url();
    let both = Both::start_with(&[("DATABASE_URL", &url), ("REFRESH_POLL_SECONDS", "3600")]);
    let ada = both.with_user("ada").await;
    let saved = both.connect_spotify(&ada, accounts::WITHOUT_ACCOUNT_ID).await;
    assert_eq!(saved.status, 200, "{saved}");
    let database = mongodb::Client::with_uri_str(&url).await.unwrap().default_database().unwrap();
    let stored = async || {
        let all = database.collection::<Document>("spotify_connections");
        assert_eq!(all.count_documents(doc! {}).await.unwrap(), 1);
        all.find_one(doc! {}).await.unwrap().unwrap()
    };
    let first = stored().await;
    assert_eq!(first.get("spotifyUserId"), Some(&Bson::from(accounts::WITHOUT_ACCOUNT_ID)));
    assert_eq!(first.get("userId"), Some(&Bson::from(ada.id.as_str())));
    for sealed in ["accessToken", "refreshToken"] {
        assert!(first.get_str(sealed).unwrap().starts_with("v1.test."), "{sealed}");
    }
    for date in ["tokenExpiresAt", "authorizedAt", "connectedAt", "lastSyncedAt", "updatedAt", "createdAt"] {
        assert!(matches!(first.get(date), Some(Bson::DateTime(_))), "{date} of {first}");
    }
    assert_eq!(first.get("isActive"), Some(&Bson::from(true)));
    let profile = first.get_document("profile").unwrap();
    assert_eq!(profile.get("username"), Some(&Bson::from(accounts::WITHOUT_ACCOUNT_ID)));
    for field in ["name", "profilePictureUrl", "profileUrl", "followersCount", "product"] {
        assert!(profile.contains_key(field), "{field} of {profile}");
    }

    let lasting =
        AccountChange { account_id: Some(Some("Late00001xQ".to_owned())), ..AccountChange::default() };
    both.spotify.change_account(accounts::WITHOUT_ACCOUNT_ID, lasting);
    both.spotify.set_options(Options { rotation: Rotation::OnOldDies, ..Options::default() });
    assert_eq!(ada.spotify().sync().await.status, 200);
    let moved = stored().await;
    assert_eq!(moved.get("_id"), first.get("_id"), "no new document");
    assert_eq!(moved.get("spotifyUserId"), Some(&Bson::from("Late00001xQ")));
    assert_eq!(moved.get("spotifyId"), Some(&Bson::from(accounts::WITHOUT_ACCOUNT_ID)));
    for _ in 0..2 {
        both.pass(2 * HOUR);
        assert_eq!(ada.spotify().proxy("me").await.status, 200);
    }
    let refreshed = stored().await;
    for sealed in ["accessToken", "refreshToken"] {
        assert_ne!(refreshed.get(sealed), moved.get(sealed), "{sealed}");
    }
    both.spotify.revoke(accounts::WITHOUT_ACCOUNT_ID);
    assert_eq!(ada.spotify().refresh().await.failure(), "502 upstream_error");
    both.pass(2 * HOUR);
    assert_eq!(ada.spotify().refresh().await.failure(), "409 needs_reauthorization");
    let bob = both.with_user("bob").await;
    assert_eq!(
        both.connect_spotify(&bob, accounts::WITHOUT_ACCOUNT_ID).await.failure(),
        "409 account_in_use"
    );
    let left = ada.spotify().disconnect().await;
    assert_eq!(left.body["revokeUrl"], json!("https://www.spotify.com/account/apps/"));
    assert_eq!(both.connect_spotify(&bob, accounts::WITHOUT_ACCOUNT_ID).await.status, 200);
}
