//! `/api/connections`.

use std::collections::BTreeSet;

use connection_store::test_support::MongoServer;
use instagram_simulator::accounts;
use serde_json::{Value, json};

use crate::support::callers::{CONNECTIONS, instagram};
use crate::support::{Answer, DAY, Person, TestApp};

/// Connects a new account of this name for a user of the host, by key alone.
async fn connect(app: &TestApp, host: &mut Person, user_id: &str, account: &str) {
    let ids = app.instagram.add_account(account);
    let token = app.instagram.issue_token(account);
    let body = json!({
        "userId": user_id, "access_token": token, "user_id": ids.professional, "expires_in": 5_183_944,
    });
    let saved = host.save_connection(body).await;
    assert_eq!(saved.status, 200, "{saved}");
}

fn host(app: &TestApp) -> Person {
    app.with_key(&app.service_key(&["connections:read", "connections:write"]))
}

fn user_ids(answer: &Answer) -> Vec<String> {
    let listed = answer.body["connections"].as_array().unwrap_or_else(|| panic!("{answer}"));
    listed.iter().map(|one| one["userId"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_host_lists_its_users_connections_as_each_is_read() {
    let app = TestApp::start();
    let mut host = host(&app);
    let empty = host.connections("").await;
    assert_eq!(empty.body, json!({"ok": true, "connections": [], "nextCursor": null}));
    let ada = app.with_connection().await;
    // The host has a user of a local account's id: it is shown as the host knows it.
    let twin = ada.id.clone();
    connect(&app, &mut host, "user-1", "shop.1").await;
    connect(&app, &mut host, &twin, "shop.2").await;
    connect(&app, &mut host, "user-3", "shop.3").await;
    assert_eq!(host.instagram_of("user-3").disconnect().await.status, 200);

    let listed = host.connections("status=&cursor=").await;
    assert_eq!((listed.status, listed.header("cache-control")), (200, "no-store"));
    assert_eq!(user_ids(&listed).into_iter().collect::<BTreeSet<_>>(), ["user-1".to_owned(), twin].into());
    assert!(!listed.text.contains(accounts::RECORD_SHOP), "a local account's is nobody else's");
    for mut one in listed.body["connections"].as_array().unwrap().clone() {
        let user_id = one.as_object_mut().unwrap().remove("userId").unwrap();
        let path = instagram(user_id.as_str().unwrap());
        assert_eq!(host.get(&path).await.body["connection"], one);
    }
}

async fn pages_stay_in_order_while_rows_come_and_go(app: TestApp) {
    let mut host = host(&app);
    for number in 0..7 {
        connect(&app, &mut host, &format!("user-{number}"), &format!("shop.{number}")).await;
    }
    let whole = user_ids(&host.connections("").await);
    assert_eq!(whole.len(), 7);
    let first = host.connections("limit=3").await;
    assert_eq!(user_ids(&first), whole[..3]);
    // The last one of the page goes, and so does one that is still to come; a new one appears.
    for gone in [&whole[2], &whole[4]] {
        assert_eq!(host.instagram_of(gone).disconnect().await.status, 200);
    }
    connect(&app, &mut host, "user-new", "shop.new").await;
    let mut cursor = first.body["nextCursor"].clone();
    let mut rest = Vec::new();
    while let Value::String(next) = &cursor {
        let page = host.connections(&format!("limit=2&cursor={next}")).await;
        rest.extend(user_ids(&page));
        cursor = page.body["nextCursor"].clone();
    }
    let old: Vec<_> = rest.iter().filter(|id| *id != "user-new").cloned().collect();
    assert_eq!(old, [&whole[3], &whole[5], &whole[6]].map(Clone::clone), "each once, none left out");
}

#[actix_web::test]
async fn a_cursor_leads_on_while_rows_come_and_go() {
    pages_stay_in_order_while_rows_come_and_go(TestApp::start()).await;
}

#[actix_web::test]
async fn a_cursor_leads_on_while_rows_come_and_go_on_mongodb() {
    let server = MongoServer::shared();
    let url = server.fresh_database_url();
    let key = "igc_live_000000000000000000000000000000000000000000039CYk9";
    let app = TestApp::start_with(&[("DATABASE_URL", &url), ("BOOTSTRAP_SERVICE_KEY", key)]);
    let mut host = app.with_key(key);
    connect(&app, &mut host, "user-1", "shop.1").await;
    assert_eq!(user_ids(&host.connections("status=active").await), ["user-1"]);
    assert_eq!(host.instagram_of("user-1").disconnect().await.status, 200);
    let mut seen = Vec::new();
    for number in 0..5 {
        connect(&app, &mut host, &format!("many-{number}"), &format!("many.{number}")).await;
    }
    let mut path = format!("{CONNECTIONS}?limit=2");
    loop {
        let page = host.get(&path).await;
        seen.extend(user_ids(&page));
        let Value::String(next) = &page.body["nextCursor"] else { break };
        path = format!("{CONNECTIONS}?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), 5);
}

#[actix_web::test]
async fn a_list_can_be_of_one_status() {
    let app = TestApp::start_with(&[("REFRESH_POLL_SECONDS", "3600")]);
    let mut host = host(&app);
    connect(&app, &mut host, "old", "shop.old").await;
    app.clock.advance(52 * DAY);
    app.instagram.advance(52 * DAY);
    connect(&app, &mut host, "new", "shop.new").await;
    connect(&app, &mut host, "dead", "shop.dead").await;
    app.instagram.revoke("shop.dead", 458);
    assert_eq!(host.instagram_of("dead").sync().await.failure(), "409 needs_reauthorization");
    for (status, expected) in [("active", "new"), ("expiring", "old"), ("needs_reauthorization", "dead")] {
        let listed = host.connections(&format!("status={status}")).await;
        assert_eq!(user_ids(&listed), [expected], "{status}");
        assert_eq!(listed.body["connections"][0]["status"], status);
    }
    // A token that this server cannot open is dead.
    let app =
        app.restart_with(&[("TOKEN_ENCRYPTION_KEYS", "other:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh4=")]);
    let host = self::host(&app);
    assert_eq!(user_ids(&host.connections("status=active").await), [""; 0]);
    assert_eq!(user_ids(&host.connections("status=needs_reauthorization").await).len(), 3);
    assert_eq!(user_ids(&host.connections("").await).len(), 3);
}

#[actix_web::test]
async fn wrong_queries_are_refused_in_words() {
    let app = TestApp::start();
    let host = host(&app);
    for (query, expected) in [
        ("limit=0", "422 validation_failed"),
        ("limit=101", "422 validation_failed"),
        ("limit=many", "400 invalid_request"),
        ("limit=-1", "400 invalid_request"),
        ("status=dead", "422 validation_failed"),
        ("status=Active", "422 validation_failed"),
        ("cursor=!", "400 invalid_request"),
        ("cursor=AAAA", "400 invalid_request"),
        ("cursor=6a6ecf14d35d3c1b0f4ab1f0", "400 invalid_request"),
    ] {
        assert_eq!(host.connections(query).await.failure(), expected, "{query}");
    }
    assert!(host.connections("status=x").await.body["fields"]["status"].is_string());
}
