//! `/api/integrations/instagram/{userId}/refresh` and `…/sync`.

use std::time::Duration;

use instagram_simulator::{Endpoint, Fault, Times, accounts};
use serde_json::json;

use crate::support::TestApp;

const DAY: Duration = Duration::from_secs(86_400);

#[actix_web::test]
async fn a_token_is_renewed_once_it_is_a_day_old() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let refresh = || ada.post("/api/integrations/instagram/me/refresh", json!({}));
    assert_eq!(refresh().await.failure(), "404 not_connected");
    app.connect(&ada, accounts::RECORD_SHOP).await;
    let before = ada.connection().await.body["connection"].clone();
    let too_early = refresh().await;
    assert_eq!(too_early.failure(), "429 rate_limited");
    let wait: u64 = too_early.header("retry-after").parse().unwrap();
    assert!((86_390..=86_400).contains(&wait), "{wait}");
    assert_eq!(app.instagram.requests(Endpoint::Refresh), 0, "Instagram is not asked in vain");

    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    let renewed = refresh().await;
    assert_eq!(renewed.status, 200, "{renewed}");
    let after = &renewed.body["connection"];
    assert!(after["expiresAt"].as_str() > before["expiresAt"].as_str());
    assert_eq!((&after["id"], &after["connectedAt"]), (&before["id"], &before["connectedAt"]));
    assert_eq!(ada.connection().await.body["connection"], *after);
    assert_eq!(refresh().await.failure(), "429 rate_limited", "the new one is young again");
}

#[actix_web::test]
async fn a_failed_renewal_never_costs_the_token() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    let before = ada.connection().await.body;
    let cases = [
        (Fault::Html, "502 upstream_error"),
        (Fault::Empty, "502 upstream_error"),
        (Fault::Truncated, "502 upstream_error"),
        (Fault::Reset, "502 upstream_error"),
        (Fault::WrongJson, "502 upstream_error"),
        (Fault::ServerError { status: 500 }, "502 upstream_error"),
        (Fault::RateLimited400, "429 rate_limited"),
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (Fault::graph_error(10, None), "400 access_denied"),
        (Fault::graph_error(2, None), "502 upstream_error"),
    ];
    for (fault, expected) in cases {
        app.instagram.fault(Endpoint::Refresh, fault.clone(), Times::ONCE);
        let answer = ada.post("/api/integrations/instagram/me/refresh", json!({})).await;
        assert_eq!(answer.failure(), expected, "{fault:?}");
        assert_eq!(ada.connection().await.body, before, "{fault:?}");
        app.instagram.clear_faults();
    }
    assert_eq!(ada.post("/api/integrations/instagram/me/refresh", json!({})).await.status, 200);
}

#[actix_web::test]
async fn a_sync_reads_the_profile_anew() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.instagram.set_followers(accounts::RECORD_SHOP, 15_421);
    app.clock.advance(Duration::from_secs(60));
    let synced = ada.post("/api/integrations/instagram/me/sync", json!({})).await;
    assert_eq!(synced.body["connection"]["followers"], 15_421, "{synced}");
    assert_eq!(ada.connection().await.body["connection"], synced.body["connection"]);
    for action in ["sync", "refresh"] {
        let path = format!("/api/integrations/instagram/{}/{action}", ada.id);
        assert_eq!(bob.post(&path, json!({})).await.failure(), "403 forbidden");
        assert_eq!(app.anonymous().post(&path, json!({})).await.failure(), "401 unauthenticated");
    }
    assert_eq!(
        bob.post("/api/integrations/instagram/me/sync", json!({})).await.failure(),
        "404 not_connected"
    );
}

#[actix_web::test]
async fn a_revoked_token_is_noticed_and_healed_by_reconnecting() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.instagram.revoke(accounts::RECORD_SHOP, 460);
    let sync = || ada.post("/api/integrations/instagram/me/sync", json!({}));
    assert_eq!(sync().await.failure(), "409 needs_reauthorization");
    let connection = ada.connection().await.body["connection"].clone();
    assert_eq!(connection["status"], "needs_reauthorization");
    assert_eq!(connection["lastError"], "The Instagram password was changed.");
    assert!(connection["needsReauthorizationSince"].is_string());
    let asked = app.instagram.requests(Endpoint::Any);
    assert_eq!(sync().await.failure(), "409 needs_reauthorization");
    let refresh = ada.post("/api/integrations/instagram/me/refresh", json!({})).await;
    assert_eq!(refresh.failure(), "409 needs_reauthorization");
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "a dead token is not tried again");
    app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(sync().await.body["connection"]["status"], "active");
}
