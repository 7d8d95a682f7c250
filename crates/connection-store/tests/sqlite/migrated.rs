//! Files that earlier versions wrote, as `fixtures/` keeps them: each is opened by this one, and goes on.

use connection_store::{
    ConnectionFilter, DeletionOf, Deletions, Events, Health, OAuthStates, Store, Subject,
};
use jiff::Timestamp;
use rusqlite::Connection;

use shared::Provider::{Instagram, Spotify};

use crate::{event, new_connection, open, seconds};

const DAY: i64 = 86_400;

/// Version 9 found what is due by the end of a token, 30 days before it, and its age.
#[tokio::test]
async fn tokens_of_version_9_are_refreshed_when_they_would_have_been() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("version-9.db");
    Connection::open(&path).unwrap().execute_batch(include_str!("fixtures/version-9.sql")).unwrap();
    let store = open(&path).await;
    let connected = Timestamp::from_second(1_762_788_600).unwrap();
    let refresh_at = async |user: &str| {
        let stored = store.connections(Instagram).current_connection(user).await.unwrap().unwrap();
        stored.refresh_at.unwrap().duration_since(connected).as_secs() / DAY
    };
    assert_eq!(refresh_at("usr_old").await, 30);
    assert_eq!(
        refresh_at("usr_short").await,
        1,
        "it lives for 20 days, and is refreshed when it is a day old"
    );
    let due = async |day: i64| {
        let now = connected + seconds(day * DAY);
        let claimed =
            store.connections(Instagram).claim_due_for_refresh(now + seconds(60), 10, now).await.unwrap();
        claimed
            .into_iter()
            .map(|connection| (connection.user_id, connection.refresh_failures))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(29).await, [("usr_short".to_owned(), 1)]);
    assert_eq!(due(30).await, [("usr_old".to_owned(), 1), ("usr_short".to_owned(), 2)]);
    let waited = due(40).await;
    assert!(waited.contains(&("usr_waits".to_owned(), 4)), "its wait is kept: {waited:?}");
    assert_eq!(store.connections(Instagram).current_connection("usr_left").await.unwrap(), None);
}

/// Version 10 knew Instagram alone, and took the connection that was saved last for the one in use.
#[tokio::test]
async fn what_version_10_wrote_is_instagrams() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("version-10.db");
    Connection::open(&path).unwrap().execute_batch(include_str!("fixtures/version-10.sql")).unwrap();
    let store = open(&path).await;
    let (connections, connected) =
        (store.connections(Instagram), Timestamp::from_second(1_762_788_600).unwrap());
    let now = connected + seconds(5 * DAY);

    let accounts = async || {
        let found = connections.connections_of_user("ann", 9).await.unwrap();
        found.into_iter().map(|connection| connection.provider_account_id).collect::<Vec<_>>()
    };
    assert_eq!(accounts().await, ["17841400000000002", "17841400000000001"], "the third is disconnected");
    let first = connections.connections_of_account("7100200300400501").await.unwrap().remove(0);
    assert_eq!((first.provider, &*first.provider_account_id), (Instagram, "17841400000000001"));
    assert_eq!(first.expires_at, connected + seconds(60 * DAY));
    assert_eq!((first.expires_at, first.refresh_token.as_deref()), (first.token_expires_at, None));
    assert_eq!(first.profile.biography.as_deref(), Some("Vinyl"));
    let again = new_connection("ann", "17841400000000001");
    connections.save_connection(again, event("connected"), now).await.unwrap();
    assert_eq!(
        accounts().await[0],
        "17841400000000002",
        "connecting one again does not change the one in use"
    );

    let bobs = connections.current_connection("bob").await.unwrap().unwrap();
    assert_eq!((bobs.refresh_failures, bobs.last_error.is_some()), (3, true));
    let cleos = connections.current_connection("cleo").await.unwrap().unwrap();
    assert_eq!(cleos.needs_reauthorization_since, Some(connected + seconds(4 * DAY)));
    let dead = ConnectionFilter { health: Some(Health::DeadAt(now)), ..ConnectionFilter::default() };
    assert_eq!(connections.list_connections(dead, 9).await.unwrap(), [cleos]);
    assert_eq!(connections.key_use().await.unwrap()[0].tokens, 4);

    let deliveries = store.claim_deliveries(now + seconds(60), 9, now).await.unwrap();
    assert_eq!(deliveries.len(), 7);
    let of_first = deliveries.iter().find(|delivery| delivery.event_id == "evt_1").unwrap();
    assert_eq!(of_first.subject, Subject::Connection { provider: Instagram, id: first.id.clone() });
    assert_eq!(of_first.provider_account_id, "17841400000000001");
    assert_eq!(store.events(&of_first.subject, "ann", None, 9, now).await.unwrap().len(), 2);

    assert_eq!(store.consume_state(&[1; 32], Spotify, "ann", connected).await.unwrap(), None);
    let state = store.consume_state(&[1; 32], Instagram, "ann", connected).await.unwrap().unwrap();
    assert_eq!(state.expected_account.unwrap().provider_account_id, "17841400000000002");
    let unfinished = store.unfinished_deletions(seconds(0), 9, now).await.unwrap();
    let of: Vec<_> = unfinished.into_iter().map(|deletion| deletion.of).collect();
    let account = DeletionOf::Account(Instagram, "17841400000000009".to_owned());
    assert_eq!(of, [account, DeletionOf::User("usr_1".to_owned())]);
}
