//! Files that earlier versions wrote, as `fixtures/` keeps them: each is opened by this one, and goes on.

use connection_store::Connections;
use jiff::Timestamp;
use rusqlite::Connection;

use crate::{open, seconds};

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
        let stored = store.latest_connection(user).await.unwrap().unwrap();
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
        let claimed = store.claim_due_for_refresh(now + seconds(60), 10, now).await.unwrap();
        claimed
            .into_iter()
            .map(|connection| (connection.user_id, connection.refresh_failures))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(29).await, [("usr_short".to_owned(), 1)]);
    assert_eq!(due(30).await, [("usr_old".to_owned(), 1), ("usr_short".to_owned(), 2)]);
    let waited = due(40).await;
    assert!(waited.contains(&("usr_waits".to_owned(), 4)), "its wait is kept: {waited:?}");
    assert_eq!(store.latest_connection("usr_left").await.unwrap(), None);
}
