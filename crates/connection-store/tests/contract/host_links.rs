//! One-time links.

use std::sync::Arc;

use connection_store::{HostLink, NewSession, Store, StoreError};
use futures_util::future::{join, join_all};
use jiff::Timestamp;

use crate::{contract, hash, now, seconds};

contract! {
    a_link_is_found_as_it_was_given_and_opens_one_session,
    a_link_may_say_nothing_but_who,
    a_link_ends,
    of_50_sessions_with_one_link_one_is_opened,
    a_session_that_cannot_be_stored_leaves_its_link,
    a_user_who_is_signed_out_everywhere_has_no_session_and_no_link,
    a_sign_in_by_link_and_a_sign_out_everywhere_at_once_leave_no_session,
    ended_links_do_not_get_in_the_way,
}

fn link(number: u32, now: Timestamp) -> HostLink {
    HostLink {
        token_hash: hash(number),
        user_id: "host:user-123".to_owned(),
        name: Some("$Ann 'O'".to_owned()),
        return_to: Some("/integrations?x=$1".to_owned()),
        created_at: now,
        expires_at: now + seconds(600),
    }
}

/// A session that is opened with the link of this number.
fn session(number: u32, link: u32, now: Timestamp) -> NewSession {
    NewSession {
        token_hash: hash(number),
        id: format!("ses-{number}"),
        user_id: "host:user-123".to_owned(),
        name: None,
        user_agent: None,
        created_at: now,
        expires_at: now + seconds(600),
        password_hash: None,
        host_link: Some(hash(link)),
    }
}

/// Opens a session of the link's own number; answers whether there is one then.
async fn open(store: &Arc<dyn Store>, link: u32, now: Timestamp) -> bool {
    let opened = store.create_session(session(link, link, now)).await.unwrap();
    assert_eq!(store.find_session(&hash(link), now).await.unwrap().is_some(), opened, "{link}");
    opened
}

async fn a_link_is_found_as_it_was_given_and_opens_one_session(store: Arc<dyn Store>) {
    let now = now();
    store.insert_host_link(link(1, now)).await.unwrap();
    store.insert_host_link(link(2, now)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            store.find_host_link(&hash(1), now).await.unwrap(),
            Some(link(1, now)),
            "a look is no use"
        );
    }
    assert!(open(&store, 1, now).await);
    assert_eq!(store.find_host_link(&hash(1), now).await.unwrap(), None);
    assert!(!store.create_session(session(9, 1, now)).await.unwrap(), "it is used up");
    assert_eq!(store.find_session(&hash(9), now).await.unwrap(), None);
    assert!(!open(&store, 3, now).await, "there is no such link");
    assert!(open(&store, 2, now).await);
}

async fn a_link_may_say_nothing_but_who(store: Arc<dyn Store>) {
    let bare = HostLink { name: None, return_to: None, ..link(1, now()) };
    store.insert_host_link(bare.clone()).await.unwrap();
    assert_eq!(store.find_host_link(&hash(1), now()).await.unwrap(), Some(bare));
}

async fn a_link_ends(store: Arc<dyn Store>) {
    let now = now();
    store.insert_host_link(link(1, now)).await.unwrap();
    assert_eq!(store.find_host_link(&hash(1), now + seconds(600)).await.unwrap(), None);
    assert!(!open(&store, 1, now + seconds(600)).await);
    assert!(open(&store, 1, now + seconds(599)).await);
}

async fn of_50_sessions_with_one_link_one_is_opened(store: Arc<dyn Store>) {
    let now = now();
    for round in 0..5 {
        store.insert_host_link(link(round, now)).await.unwrap();
        let numbers = 100 * (round + 1)..100 * (round + 1) + 50;
        let tasks = numbers.clone().map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.create_session(session(number, round, now)).await.unwrap() })
        });
        let opened: Vec<bool> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(opened.iter().filter(|opened| **opened).count(), 1, "round {round}");
        for (number, opened) in numbers.zip(opened) {
            assert_eq!(store.find_session(&hash(number), now).await.unwrap().is_some(), opened, "{number}");
        }
    }
}

async fn a_session_that_cannot_be_stored_leaves_its_link(store: Arc<dyn Store>) {
    let now = now();
    store.insert_host_link(link(1, now)).await.unwrap();
    store.insert_host_link(link(2, now)).await.unwrap();
    assert!(open(&store, 1, now).await);
    let same_name = NewSession { id: "ses-1".to_owned(), ..session(2, 2, now) };
    assert!(matches!(store.create_session(same_name).await, Err(StoreError::Failed(_))));
    assert!(open(&store, 2, now).await);
}

async fn a_user_who_is_signed_out_everywhere_has_no_session_and_no_link(store: Arc<dyn Store>) {
    let now = now();
    for number in 1..=4 {
        store.insert_host_link(link(number, now)).await.unwrap();
    }
    let of_other = HostLink { user_id: "user-124".to_owned(), ..link(5, now) };
    store.insert_host_link(of_other.clone()).await.unwrap();
    let of_other_session =
        NewSession { user_id: "user-124".to_owned(), host_link: None, ..session(6, 0, now) };
    store.create_session(of_other_session).await.unwrap();
    assert!(open(&store, 1, now).await && open(&store, 2, now).await);
    store.sign_out_everywhere("host:user-123", false).await.unwrap();
    store.sign_out_everywhere("host:user-123", false).await.unwrap();
    assert_eq!(store.sessions("host:user-123", now).await.unwrap(), []);
    assert!(!open(&store, 3, now).await && !open(&store, 4, now).await);
    assert_eq!(store.find_host_link(&hash(5), now).await.unwrap(), Some(of_other), "another's is left alone");
    assert_eq!(store.sessions("user-124", now).await.unwrap().len(), 1);
}

async fn a_sign_in_by_link_and_a_sign_out_everywhere_at_once_leave_no_session(store: Arc<dyn Store>) {
    let now = now();
    for round in 0..20 {
        let numbers = 10 * round..10 * round + 10;
        for number in numbers.clone() {
            store.insert_host_link(link(number, now)).await.unwrap();
        }
        let sign_ins = numbers.clone().map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.create_session(session(number, number, now)).await.unwrap() })
        });
        let (_, ended) = join(join_all(sign_ins), store.sign_out_everywhere("host:user-123", false)).await;
        ended.unwrap();
        for number in numbers {
            assert_eq!(store.find_session(&hash(number), now).await.unwrap(), None, "{number}");
        }
    }
}

async fn ended_links_do_not_get_in_the_way(store: Arc<dyn Store>) {
    let now = now();
    for number in 0..30 {
        store.insert_host_link(link(number, now)).await.unwrap();
    }
    let later = now + seconds(700);
    for number in 30..35 {
        store.insert_host_link(link(number, later)).await.unwrap();
    }
    for number in 0..35 {
        assert_eq!(open(&store, number, later).await, number >= 30, "{number}");
    }
}
