//! Each call against the real service.

use futures_util::TryStreamExt;
use instagram_connect_client::shared::{ConnectionStatus, CreateHostLink, ErrorCode, EventKind};
use instagram_connect_client::{ConnectionsFilter, EventsPage, HistoryPage, Login};
use instagram_simulator::accounts;

use super::canned::{Canned, refusal};
use super::service::Running;

#[tokio::test]
async fn a_link_is_made_for_a_user() {
    let running = Running::start();
    let wanted = CreateHostLink {
        user_id: "user-1".to_owned(),
        name: Some("Ada".to_owned()),
        return_to: Some("/integrations".to_owned()),
    };
    let link = running.client.create_host_link(&wanted).await.unwrap();
    assert!(link.url.expose().contains("/auth/host?token="));
    assert!(!format!("{link:?}").contains("token="), "{link:?}");
}

#[tokio::test]
async fn a_user_is_signed_out_everywhere() {
    let running = Running::start();
    let wanted = CreateHostLink { user_id: "a/b user".to_owned(), name: None, return_to: None };
    let link = running.client.create_host_link(&wanted).await.unwrap();
    // Installed once a process; that another test was first is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = reqwest::Client::new();
    let page = |url: String| async { browser.get(url).send().await.unwrap().status().as_u16() };
    let url = running.at_its_address(link.url.expose());
    assert_eq!(page(url.clone()).await, 200);
    assert_eq!(running.client.end_sessions("another", false).await.unwrap(), []);
    assert_eq!(page(url.clone()).await, 200, "another user's");
    assert_eq!(running.client.end_sessions("a/b user", true).await.unwrap(), []);
    assert_eq!(page(url).await, 400, "the link is none any more");
    let nobody = running.client.end_sessions("me", false).await.unwrap_err();
    assert_eq!(nobody.code(), Some(ErrorCode::Forbidden));
}

#[tokio::test]
async fn a_user_is_connected_read_and_disconnected() {
    let running = Running::start();
    let client = &running.client;
    assert_eq!(client.connection("user-1").await.unwrap(), None);

    let saved = running.connect("user-1", accounts::RECORD_SHOP).await;
    assert_eq!((saved.username.as_str(), saved.followers), ("wreckshoprecords", Some(15_420)));
    let connection = client.connection("user-1").await.unwrap().unwrap();
    assert_eq!((&connection.id, connection.status), (&saved.id, ConnectionStatus::Active));

    client.disconnect("user-1").await.unwrap();
    assert_eq!(client.connection("user-1").await.unwrap(), None);
    client.disconnect("user-1").await.unwrap();
}

/// As a program sees them that reads the whole address.
#[tokio::test]
async fn the_end_of_instagrams_address_is_no_part_of_a_code_or_a_state() {
    let canned = Canned::answers(&[&refusal(400, "invalid_state", None)]);
    for end in ["#_", "%23_"] {
        let exchanged = canned.client.exchange("user-1", &format!("AQ_x{end}"), &format!("s_{end}")).await;
        assert_eq!(exchanged.unwrap_err().code(), Some(ErrorCode::InvalidState));
    }
    let asked = canned.requests();
    assert!(asked.iter().all(|request| request.contains("&code=AQ_x&state=s_ HTTP/1.1")), "{asked:?}");
}

#[tokio::test]
async fn several_accounts_of_one_user_are_listed_and_ended_one_by_one() {
    let running = Running::start();
    let client = &running.client;
    assert_eq!(client.connections_of("user-1").await.unwrap(), []);
    let first = running.connect("user-1", accounts::RECORD_SHOP).await;
    let second = running.connect("user-1", accounts::CREATOR).await;
    let ids = async || {
        let listed = client.connections_of("user-1").await.unwrap();
        listed.into_iter().map(|listed| listed.connection.id).collect::<Vec<_>>()
    };
    let (first, second) = (first.id, second.id);
    assert_eq!(ids().await, [&*second, &*first]);
    let again = Login { connection_id: Some(first.clone()), ..Login::default() };
    assert!(client.login_url("user-1", &again).await.unwrap().auth_url.contains("force_reauth=true"));
    client.disconnect_one("user-1", &first).await.unwrap();
    assert_eq!(ids().await, [&*second]);
    let gone = client.disconnect_one("user-1", &first).await.unwrap_err();
    assert_eq!(gone.code(), Some(ErrorCode::NotFound));
    assert_eq!(client.login_url("user-1", &again).await.unwrap_err().code(), Some(ErrorCode::NotFound));
    for odd in ["", "..", "a/b"] {
        client.disconnect_one("user-1", odd).await.unwrap_err();
        assert_eq!(ids().await, [&*second], "{odd:?}");
    }
}

#[tokio::test]
async fn a_login_can_be_for_another_account() {
    let running = Running::start();
    let login = Login { return_to: Some("/settings".to_owned()), force_reauth: true, ..Login::default() };
    let answer = running.client.login_url("user-1", &login).await.unwrap();
    assert!(answer.auth_url.contains("force_reauth=true"), "{}", answer.auth_url);
    let wrong = Login { return_to: Some("https://evil.example".to_owned()), ..Login::default() };
    let error = running.client.login_url("user-1", &wrong).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::ValidationFailed));
}

#[tokio::test]
async fn a_handle_is_saved_once() {
    let running = Running::start();
    let granted = running.granted("user-1", accounts::RECORD_SHOP).await;
    running.client.save("user-1", granted.clone()).await.unwrap();
    let error = running.client.save("user-1", granted).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::ValidationFailed), "a call of its own, with a name of its own");
}

#[tokio::test]
async fn all_connections_are_read_over_many_pages() {
    const USERS: usize = 53;
    let running = Running::start();
    for number in 0..USERS {
        let account = format!("shop.{number}");
        running.instagram.add_account(&account);
        running.connect(&format!("user-{number}"), &account).await;
    }
    let of = |status| running.client.connections(ConnectionsFilter { status }).try_collect::<Vec<_>>();
    let all = of(None).await.unwrap();
    let users: std::collections::HashSet<_> = all.iter().map(|listed| &listed.user_id).collect();
    assert_eq!((all.len(), users.len()), (USERS, USERS));
    assert_eq!(of(Some(ConnectionStatus::Active)).await.unwrap().len(), USERS);
    assert_eq!(of(Some(ConnectionStatus::Expiring)).await.unwrap(), []);
}

#[tokio::test]
async fn a_connection_is_synced_and_too_young_to_be_refreshed() {
    let running = Running::start();
    running.connect("user-1", accounts::RECORD_SHOP).await;
    let before = running.client.connection("user-1").await.unwrap().unwrap();
    let synced = running.client.sync("user-1").await.unwrap();
    assert!(synced.last_sync > before.last_sync);

    let error = running.client.refresh("user-1").await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::RateLimited));
    assert!(error.retry_after().unwrap().as_secs() > 80_000, "{error:?}");
}

#[tokio::test]
async fn a_life_is_read_back() {
    let running = Running::start();
    running.connect("user-1", accounts::RECORD_SHOP).await;
    running.client.sync("user-1").await.unwrap();

    let first = HistoryPage { limit: Some(1), ..HistoryPage::default() };
    let page = running.client.history("user-1", &first).await.unwrap();
    assert_eq!(page.points[0].followers, Some(15_420));
    let rest = HistoryPage { cursor: page.next_cursor, ..first };
    assert_eq!(running.client.history("user-1", &rest).await.unwrap().points.len(), 1);
    let later = HistoryPage { from: Some("2999-01-01T00:00:00Z".to_owned()), ..HistoryPage::default() };
    assert_eq!(running.client.history("user-1", &later).await.unwrap().points, []);

    let first = EventsPage { limit: Some(1), cursor: None };
    let page = running.client.events("user-1", &first).await.unwrap();
    assert_eq!(page.events[0].kind, EventKind::Synced);
    let rest = EventsPage { cursor: page.next_cursor, ..first };
    assert_eq!(running.client.events("user-1", &rest).await.unwrap().events[0].kind, EventKind::Connected);
}

#[tokio::test]
async fn the_token_is_instagrams_and_does_not_print() {
    let running = Running::start();
    running.connect("user-1", accounts::RECORD_SHOP).await;
    let token = running.client.token("user-1").await.unwrap();
    assert!(token.access_token.expose().starts_with("IGAA"));
    assert!(!format!("{token:?}").contains("IGAA"), "{token:?}");
    let events = running.client.events("user-1", &EventsPage::default()).await.unwrap().events;
    assert_eq!(events[0].kind, EventKind::TokenRead);
}

#[tokio::test]
async fn instagram_answers_through_the_service() {
    let running = Running::start();
    running.connect("user-1", accounts::RECORD_SHOP).await;
    let parameters = [("fields", "id,caption"), ("limit", "2")];
    let media = running.client.graph_get("user-1", "me/media", &parameters).await.unwrap();
    assert_eq!(media["data"].as_array().unwrap().len(), 2, "{media}");
    assert!(media["data"][0]["caption"].is_string(), "{media}");
    let error = running.client.graph_get("user-1", "oauth/access_token", &[]).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
}
