//! How a connection with Spotify ends: on Spotify's word, twice; six months after the consent; never by anything else.

use std::time::Duration;

use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use spotify_simulator::{Endpoint, Fault, Options, RefreshOutcome, Times, accounts};

use crate::support::{
    Answer, Both, DAY, HOUR, MINUTE, OFTEN, PASSWORD, Person, SELDOM_SYNCED, time_of, token_error, until,
};

const REFUSED_ONCE: &str =
    "Spotify refused the access when we last renewed it. We ask again before we believe it.";
const REFUSED: &str = "Spotify no longer accepts our access to this account.";
const SIX_MONTHS: &str =
    "Spotify asks again every six months, and these are over. Connect again: it takes a click.";

async fn connection_once(person: &Person, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut connection = Value::Null;
    until("a connection as wanted", async || {
        connection = person.spotify().shown().await;
        wanted(&connection)
    })
    .await;
    connection
}

#[actix_web::test]
async fn the_word_that_a_token_is_dead_is_believed_the_second_time_an_hour_later() {
    for description in
        [Some("Refresh token revoked"), Some("Refresh token expired"), Some("Invalid refresh token"), None]
    {
        let (both, ada) = Both::connected().await;
        both.spotify.fault(Endpoint::Refresh, token_error("invalid_grant", description), Times::Forever);
        let is_alive = async |answer: Answer| {
            assert_eq!(answer.failure(), "502 upstream_error", "{description:?}");
            let connection = ada.spotify().shown().await;
            assert_eq!(connection["status"], "active", "{description:?}");
            assert_eq!(connection["lastError"], REFUSED_ONCE, "{description:?}");
        };
        is_alive(ada.spotify().refresh().await).await;
        is_alive(ada.spotify().refresh().await).await;
        assert_eq!(both.refreshes(), 2, "its owner asks again at once");
        both.pass(59 * MINUTE);
        is_alive(ada.spotify().refresh().await).await;
        both.pass(2 * MINUTE);
        let answer = ada.spotify().refresh().await;
        assert_eq!(answer.failure(), "409 needs_reauthorization", "{description:?}");
        let connection = ada.spotify().shown().await;
        assert_eq!(connection["status"], "needs_reauthorization");
        assert_eq!(connection["lastError"], REFUSED);
        let asked = both.spotify.requests(Endpoint::Any);
        for answer in
            [ada.spotify().refresh().await, ada.spotify().sync().await, ada.spotify().proxy("me").await]
        {
            assert_eq!(answer.failure(), "409 needs_reauthorization");
        }
        assert_eq!(both.spotify.requests(Endpoint::Any), asked, "Spotify says: do not ask again");
        let told = ["connected", "refresh_failed", "needs_reauthorization"];
        assert_eq!(ada.spotify().event_types().await, told);

        both.spotify.clear_faults();
        let again = both.connect_spotify(&ada, accounts::LISTENER).await;
        assert_eq!(again.body["connection"]["id"], connection["id"], "{again}");
        let healed = ada.spotify().shown().await;
        assert_eq!((&healed["status"], &healed["lastError"]), (&json!("active"), &Value::Null));
    }
}

#[actix_web::test]
async fn what_was_refused_is_not_asked_about_by_each_call_that_wants_it() {
    let (both, ada) = Both::connected().await;
    both.pass(2 * 60 * MINUTE);
    both.spotify.fault(Endpoint::Refresh, token_error("invalid_grant", None), Times::Forever);
    for _ in 0..3 {
        assert_eq!(ada.spotify().proxy("me").await.failure(), "502 upstream_error");
        assert_eq!(ada.spotify().sync().await.failure(), "502 upstream_error");
    }
    assert_eq!(both.refreshes(), 1);
    assert_eq!(ada.spotify().refresh().await.failure(), "502 upstream_error");
    assert_eq!(both.refreshes(), 2, "its owner asks again at once");
    both.spotify.clear_faults();
    assert_eq!(ada.spotify().refresh().await.status, 200);
    assert_eq!(ada.spotify().proxy("me").await.status, 200);
}

#[actix_web::test]
async fn a_refusal_that_was_taken_back_counts_no_more() {
    let (both, ada) = Both::connected().await;
    for _ in 0..3 {
        both.spotify.fault(Endpoint::Refresh, Fault::invalid_grant(), Times::ONCE);
        assert_eq!(ada.spotify().refresh().await.failure(), "502 upstream_error");
        let healed = ada.spotify().refresh().await;
        assert_eq!((healed.status, &healed.body["connection"]["lastError"]), (200, &Value::Null), "{healed}");
        both.pass(2 * DAY);
        ada.session().await;
    }
    assert_eq!(ada.spotify().shown().await["status"], "active");
}

#[actix_web::test]
async fn the_job_learns_of_a_revocation_and_asks_once_more() {
    let (both, ada) = Both::connected_with(&[OFTEN, SELDOM_SYNCED]).await;
    both.spotify.revoke(accounts::LISTENER);
    both.pass(DAY + MINUTE);
    let refused = connection_once(&ada, |connection| connection["lastError"].is_string()).await;
    assert_eq!((&refused["status"], &refused["lastError"]), (&json!("active"), &json!(REFUSED_ONCE)));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(both.refreshes(), 1, "not before an hour has passed");
    both.pass(HOUR + MINUTE);
    let dead = connection_once(&ada, |connection| connection["status"] == "needs_reauthorization").await;
    assert_eq!(dead["lastError"], REFUSED);
    both.pass(3 * DAY);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(both.refreshes(), 2, "and not tried again");
    let outcomes: Vec<_> = both.spotify.refreshes().iter().map(|refresh| refresh.outcome).collect();
    assert_eq!(outcomes, [RefreshOutcome::Revoked; 2]);
}

#[actix_web::test]
async fn the_operators_trouble_kills_no_connection() {
    let (both, ada) = Both::connected_with(&[OFTEN, SELDOM_SYNCED]).await;
    both.spotify.fault(Endpoint::Refresh, token_error("invalid_client", None), Times::Forever);
    for _ in 0..3 {
        both.pass(DAY);
        ada.session().await;
        let failed = connection_once(&ada, |connection| connection["lastError"].is_string()).await;
        assert_eq!(failed["status"], "active");
        assert_eq!(failed["lastError"], "Spotify does not accept this server's app at the moment.");
    }
    both.spotify.clear_faults();
    both.pass(7 * HOUR);
    connection_once(&ada, |connection| connection["lastError"].is_null()).await;
    // Without Premium tokens are made, and nothing can be read with them.
    both.spotify.set_options(Options { owner_premium: false, ..Options::default() });
    assert_eq!(ada.spotify().sync().await.failure(), "502 app_access");
    assert_eq!(ada.spotify().proxy("me").await.failure(), "502 app_access");
    assert_eq!(ada.spotify().shown().await["status"], "active");
    both.spotify.set_options(Options::default());
    assert_eq!(ada.spotify().sync().await.status, 200);
}

#[actix_web::test]
async fn a_connection_ends_six_calendar_months_after_the_consent_whatever_is_refreshed() {
    let (both, ada) = Both::connected().await;
    let program = both.program_of(&ada).await;
    let first = program.spotify().shown().await;
    let (begun, end) = (time_of(&first, "connectedAt"), time_of(&first, "expiresAt"));
    let six_months = begun.to_zoned(TimeZone::UTC).checked_add(6.months()).unwrap().timestamp();
    assert!(six_months.duration_since(end).abs().as_secs() <= 5, "{end} is not about {six_months}");
    let life = Duration::try_from(end.duration_since(begun)).unwrap();
    // The clock counts whole seconds.
    both.pass(life - 14 * DAY - HOUR);
    let refresh = async || {
        let answer = program.spotify().refresh().await;
        assert_eq!((answer.status, time_of(&answer.body["connection"], "expiresAt")), (200, end), "{answer}");
        answer.body["connection"].clone()
    };
    let near = refresh().await;
    assert_eq!((&near["status"], &near["needsRefresh"]), (&json!("active"), &json!(false)));
    both.pass(HOUR + MINUTE);
    let expiring = refresh().await;
    assert_eq!((&expiring["status"], &expiring["needsRefresh"]), (&json!("expiring"), &json!(true)));
    both.pass(14 * DAY - 2 * MINUTE);
    refresh().await;
    both.pass(2 * MINUTE);
    assert_eq!(program.spotify().shown().await["status"], "expiring", "Spotify has not said so yet");
    // At that time its word is expected, and need not be heard twice.
    assert_eq!(program.spotify().refresh().await.failure(), "409 needs_reauthorization");
    let dead = program.spotify().shown().await;
    assert_eq!((&dead["status"], &dead["lastError"]), (&json!("needs_reauthorization"), &json!(SIX_MONTHS)));

    assert_eq!(ada.sign_in("ada@example.com", PASSWORD).await.status, 200);
    let again = both.connect_spotify(&ada, accounts::LISTENER).await;
    assert_eq!(again.body["connection"]["id"], first["id"], "{again}");
    let renewed = program.spotify().shown().await;
    assert_eq!(renewed["status"], "active");
    assert!(time_of(&renewed, "expiresAt").duration_since(end).as_hours() > 180 * 24, "another six months");
}

/// The words do not tell an end from a revocation; the time does.
#[actix_web::test]
async fn the_job_hears_of_the_end_in_either_word() {
    for expired_says_revoked in [false, true] {
        let (both, ada) = Both::connected_with(&[OFTEN, SELDOM_SYNCED]).await;
        let program = both.program_of(&ada).await;
        both.spotify.set_options(Options { expired_says_revoked, ..Options::default() });
        both.pass(185 * DAY);
        let dead =
            connection_once(&program, |connection| connection["status"] == "needs_reauthorization").await;
        assert_eq!(dead["lastError"], SIX_MONTHS, "{expired_says_revoked}");
        assert_eq!(both.refreshes(), 1);
    }
}

/// The end is an estimate, and this machine's clock may be wrong.
#[actix_web::test]
async fn a_connection_that_spotify_still_serves_has_not_ended() {
    let (both, ada) = Both::connected().await;
    let program = both.program_of(&ada).await;
    both.clock.advance(200 * DAY);
    assert_eq!(program.spotify().sync().await.status, 200);
    let connection = program.spotify().shown().await;
    assert_eq!((&connection["status"], &connection["lastError"]), (&json!("expiring"), &Value::Null));
}
