//! `/api/integrations/instagram/{userId}/refresh` and `…/sync`.

use std::time::Duration;

use backend::clock::Clock;
use instagram_simulator::{Endpoint, Fault, Options, Times, accounts};
use reqwest::Method;
use serde_json::{Value, json};
use shared::permission::BASIC;

use crate::support::callers::DEAUTHORIZE;
use crate::support::callers::MY_INSTAGRAM;
use crate::support::meta::{signed, tell};
use crate::support::{DAY, Person, TestApp, eventually, hang_up, pass};

#[actix_web::test]
async fn a_token_is_renewed_once_it_is_a_day_old() {
    let app = TestApp::start();
    let ada = app.with_user("ada").await;
    let refresh = || ada.instagram().refresh();
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
    let (app, ada) = TestApp::connected().await;
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
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (Fault::graph_error(2, None), "502 upstream_error"),
    ];
    for (fault, expected) in cases {
        app.instagram.fault(Endpoint::Refresh, fault.clone(), Times::ONCE);
        let answer = ada.instagram().refresh().await;
        assert_eq!(answer.failure(), expected, "{fault:?}");
        assert_eq!(ada.connection().await.body, before, "{fault:?}");
        app.instagram.clear_faults();
    }
    assert_eq!(ada.instagram().refresh().await.status, 200);
}

#[actix_web::test]
async fn a_sync_reads_the_profile_anew() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.instagram.set_followers(accounts::RECORD_SHOP, 15_421);
    app.clock.advance(Duration::from_secs(60));
    let synced = ada.instagram().sync().await;
    assert_eq!(synced.body["connection"]["followers"], 15_421, "{synced}");
    assert_eq!(ada.connection().await.body["connection"], synced.body["connection"]);
    for action in ["sync", "refresh"] {
        let nobody = app.anonymous();
        assert_eq!(bob.instagram_of(&ada.id).act(action).await.failure(), "403 forbidden");
        assert_eq!(nobody.instagram_of(&ada.id).act(action).await.failure(), "401 unauthenticated");
    }
    assert_eq!(bob.instagram().sync().await.failure(), "404 not_connected");
}

#[actix_web::test]
async fn a_revoked_token_is_noticed_and_healed_by_reconnecting() {
    let (app, ada) = TestApp::connected().await;
    app.instagram.revoke(accounts::RECORD_SHOP, 460);
    let sync = || ada.instagram().sync();
    assert_eq!(sync().await.failure(), "409 needs_reauthorization");
    let connection = ada.connection().await.body["connection"].clone();
    assert_eq!(connection["status"], "needs_reauthorization");
    assert_eq!(connection["lastError"], "The Instagram password was changed.");
    assert!(connection["needsReauthorizationSince"].is_string());
    let asked = app.instagram.requests(Endpoint::Any);
    assert_eq!(sync().await.failure(), "409 needs_reauthorization");
    let refresh = ada.instagram().refresh().await;
    assert_eq!(refresh.failure(), "409 needs_reauthorization");
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "a dead token is not tried again");
    app.connect(&ada, accounts::RECORD_SHOP).await;
    assert_eq!(sync().await.body["connection"]["status"], "active");
}

#[actix_web::test]
async fn a_renewal_that_meets_the_removal_of_the_app_hides_it_from_nobody() {
    let (app, ada) = TestApp::connected().await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    app.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 1500 }, Times::ONCE);
    let removal = async {
        while app.instagram.requests(Endpoint::Refresh) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let signed = signed(&app, app.clock.now());
        assert_eq!(tell(&app, DEAUTHORIZE, &signed).await.status, 200);
    };
    let refresh = ada.instagram().refresh();
    let (renewed, ()) = tokio::join!(refresh, removal);
    assert_eq!(renewed.failure(), "409 needs_reauthorization");
    assert_eq!(ada.connection().await.body["connection"]["status"], "needs_reauthorization");
    assert_eq!(ada.event_types().await, ["connected", "needs_reauthorization"]);
}

#[actix_web::test]
async fn a_rate_limit_holds_for_whoever_asks() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.connect(&bob, accounts::CREATOR).await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    app.instagram.fault(Endpoint::Refresh, Fault::RateLimited400, Times::ONCE);
    let refresh = async |person: &Person| person.instagram().refresh().await;
    let sync = async |person: &Person| person.instagram().sync().await;
    let limited = refresh(&ada).await;
    assert_eq!(limited.failure(), "429 rate_limited");
    let wait: u64 = limited.header("retry-after").parse().unwrap();
    let asked = app.instagram.requests(Endpoint::Any);
    for answer in [refresh(&ada).await, sync(&ada).await, refresh(&bob).await, sync(&bob).await] {
        assert_eq!(answer.failure(), "429 rate_limited");
        let left: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=wait).contains(&left), "{left} of {wait}: asking again does not lengthen it");
    }
    assert_eq!(app.instagram.requests(Endpoint::Any), asked, "going on would lengthen the block");
    app.clock.advance(Duration::from_secs(wait));
    for answer in [refresh(&ada).await, sync(&ada).await, refresh(&bob).await, sync(&bob).await] {
        assert_eq!(answer.status, 200, "{answer}");
    }
}

#[actix_web::test]
async fn a_failure_that_its_owner_sees_is_one_event_and_a_dead_token_no_failure() {
    let (app, ada) = TestApp::connected().await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    let refresh = || ada.instagram().refresh();
    app.instagram.fault(Endpoint::Refresh, Fault::Empty, Times::ONCE);
    assert_eq!(refresh().await.failure(), "502 upstream_error");
    assert_eq!(ada.event_types().await, ["connected", "refresh_failed"]);
    pass(&app, &[&ada], 31).await;
    app.instagram.revoke(accounts::RECORD_SHOP, 460);
    assert_eq!(refresh().await.failure(), "409 needs_reauthorization");
    assert_eq!(ada.event_types().await, ["connected", "needs_reauthorization"], "what passed is forgotten");
}

#[actix_web::test]
async fn a_missing_permission_that_a_sync_by_hand_meets_is_recorded() {
    let (app, ada) = TestApp::connected().await;
    app.instagram.fault(Endpoint::Profile, Fault::graph_error(10, None), Times::ONCE);
    let sync = || ada.instagram().sync();
    assert_eq!(sync().await.failure(), "400 access_denied");
    let connection = ada.connection().await.body["connection"].clone();
    assert_eq!((&connection["status"], &connection["missingScopes"][0]), (&"active".into(), &BASIC.into()));
    assert_eq!(ada.event_types().await, ["connected", "permission_lost"]);
    assert_eq!(sync().await.body["connection"]["missingScopes"], json!([]), "it is granted after all");
}

#[actix_web::test]
async fn a_missing_permission_that_a_renewal_meets_is_recorded_and_stops_none() {
    let (app, ada) = TestApp::connected().await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    app.instagram.fault(Endpoint::Refresh, Fault::graph_error(200, None), Times::Count(2));
    let refresh = || ada.instagram().refresh();
    for _ in 0..2 {
        assert_eq!(refresh().await.failure(), "400 access_denied");
    }
    let connection = ada.connection().await.body["connection"].clone();
    assert_eq!((&connection["status"], &connection["missingScopes"][0]), (&"active".into(), &BASIC.into()));
    assert_eq!(connection["lastError"], "Instagram says that a permission is missing.");
    assert_eq!(ada.event_types().await, ["connected", "permission_lost"], "told once");
    let renewed = refresh().await;
    assert_eq!((renewed.status, &renewed.body["connection"]["lastError"]), (200, &Value::Null), "{renewed}");
}

/// Whoever calls too often for one account is no reason to leave the others alone.
#[actix_web::test]
async fn one_accounts_rate_limit_keeps_no_other() {
    let app = TestApp::start();
    let (ada, bob) = (app.with_user("ada").await, app.with_user("bob").await);
    app.connect(&ada, accounts::RECORD_SHOP).await;
    app.connect(&bob, accounts::CREATOR).await;
    let sync = async |person: &Person| person.instagram().sync().await;
    for (code, of_bob) in [(80_002, "200 ?"), (4, "429 rate_limited")] {
        app.instagram.fault(Endpoint::Profile, Fault::graph_error(code, None), Times::ONCE);
        assert_eq!(sync(&ada).await.failure(), "429 rate_limited", "{code}");
        assert_eq!(sync(&bob).await.failure(), of_bob, "{code}");
    }
}

#[actix_web::test]
async fn a_later_end_tells_a_renewal() {
    // Time goes on while this runs, so that the same end is a few seconds later.
    for (minutes_later, expected) in [(60, 200), (-1, 502), (-60, 502)] {
        let (app, ada) = TestApp::connected().await;
        let before = ada.connection().await.body["connection"]["expiresAt"].clone();
        app.clock.advance(2 * DAY);
        app.instagram.advance(2 * DAY);
        let options = Options::default();
        let left = options.expires_in - 2 * DAY.as_secs();
        let expires_in = left.checked_add_signed(minutes_later * 60).unwrap();
        app.instagram.set_options(Options { expires_in, ..options });
        let answer = ada.instagram().refresh().await;
        assert_eq!(answer.status, expected, "{minutes_later}: {answer}");
        let after = ada.connection().await.body["connection"]["expiresAt"].clone();
        assert_eq!(after.as_str() > before.as_str(), expected == 200, "{before} {after}");
    }
}

#[actix_web::test]
async fn a_renewal_is_stored_even_if_its_client_hangs_up() {
    let (app, ada) = TestApp::connected().await;
    let before = ada.connection().await.body["connection"]["expiresAt"].clone();
    let key = ada.personal_key(&["connections:write"]).await;
    app.clock.advance(2 * DAY);
    app.instagram.advance(2 * DAY);
    app.instagram.fault(Endpoint::Refresh, Fault::Delay { ms: 500 }, Times::ONCE);
    let refresh = ada.request(Method::POST, &format!("{MY_INSTAGRAM}/refresh")).bearer_auth(key);
    hang_up(refresh, async {
        while app.instagram.requests(Endpoint::Refresh) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    eventually(&ada, |connection| connection["expiresAt"].as_str() > before.as_str()).await;
}
