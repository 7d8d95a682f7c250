//! The log of refreshes.

use std::time::Duration;

use reqwest::StatusCode;
use spotify_simulator::{Endpoint, Fault, Options, RefreshOutcome, RefreshRecord, Rotation, Times, accounts};

use super::{Config, Spotify, text};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn every_refresh_that_names_a_token_is_on_record() {
    let spotify = Spotify::start();
    let simulator = &spotify.simulator;
    let token = simulator.issue_tokens(accounts::LISTENER).refresh_token;
    spotify.refresh("AQunknown").await;
    assert_eq!(simulator.refreshes(), [], "no token, no record");

    simulator.advance(DAY);
    spotify.refresh(&token).await;
    simulator.fault(Endpoint::Refresh, Fault::invalid_grant(), Times::ONCE);
    spotify.refresh(&token).await;
    simulator.set_options(Options { rotation: Rotation::OnOldDies, ..Options::default() });
    let next = text(&spotify.refresh(&token).await.1, "refresh_token");
    spotify.refresh(&token).await;
    simulator.advance(190 * DAY);
    spotify.refresh(&next).await;

    let log = simulator.refreshes();
    let days = |seconds: u64| seconds / DAY.as_secs();
    let seen: Vec<_> = log
        .iter()
        .map(|record| {
            let RefreshRecord { token, age_seconds, outcome, access_token, rotated_into, .. } = record;
            (*token, days(*age_seconds), *outcome, *access_token, *rotated_into)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (1, 1, RefreshOutcome::Refreshed, Some(3), None),
            (1, 1, RefreshOutcome::Failed, None, None),
            (1, 1, RefreshOutcome::Refreshed, Some(4), Some(5)),
            (1, 1, RefreshOutcome::Revoked, None, None),
            (5, 190, RefreshOutcome::Expired, None, None),
        ]
    );
    assert!(log.iter().all(|record| record.delivered_whole && record.account == accounts::LISTENER));
    assert!(log.is_sorted_by_key(|record| record.at));
    let shown = format!("{log:?}");
    assert!(!shown.contains(&token) && !shown.contains(&next), "a token is on record");
    simulator.clear_refreshes();
    assert_eq!(simulator.refreshes(), []);
}

#[tokio::test]
async fn a_client_that_asks_twice_at_once_is_seen() {
    let spotify = Spotify::start();
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    spotify.simulator.advance(2 * DAY);
    let (first, second) = tokio::join!(spotify.refresh(&token), spotify.refresh(&token));
    assert_eq!((first.0, second.0), (StatusCode::OK, StatusCode::OK));
    spotify.simulator.advance(Duration::from_secs(3_400));
    spotify.refresh(&token).await;
    let left: Vec<_> =
        spotify.simulator.refreshes().iter().map(|record| record.access_seconds_left).collect();
    assert_eq!(left[0], 0);
    assert!((3_500..=3_600).contains(&left[1]), "{left:?}");
    assert!((100..=200).contains(&left[2]), "{left:?}");
}

#[tokio::test]
async fn a_lost_answer_is_on_record_as_one_and_has_rotated_the_token() {
    let spotify = Spotify::start();
    spotify.simulator.set_options(Options { rotation: Rotation::On, ..Options::default() });
    let token = spotify.simulator.issue_tokens(accounts::LISTENER).refresh_token;
    spotify.simulator.advance(DAY);
    for fault in [Fault::Truncated, Fault::Delay { ms: 600_000 }, Fault::Reset] {
        spotify.simulator.fault(Endpoint::Refresh, fault.clone(), Times::ONCE);
        let form = [("grant_type", "refresh_token"), ("refresh_token", &token)];
        let request = spotify.http.post(spotify.simulator.token_url()).form(&form);
        let request = request.basic_auth(Config::CLIENT_ID, Some(Config::CLIENT_SECRET));
        let answer = request.timeout(Duration::from_millis(300)).send().await;
        assert!(answer.is_err() || answer.unwrap().bytes().await.is_err(), "{fault:?}");
    }
    spotify.refresh(&token).await;
    let log = spotify.simulator.refreshes();
    let seen: Vec<_> = log
        .iter()
        .map(|record| (record.outcome, record.rotated_into.is_some(), record.delivered_whole))
        .collect();
    assert_eq!(
        seen,
        [
            (RefreshOutcome::Refreshed, true, false),
            (RefreshOutcome::Refreshed, true, false),
            (RefreshOutcome::Failed, false, false),
            (RefreshOutcome::Refreshed, true, true),
        ]
    );
    // What may not have arrived is no access token that the client has.
    assert!(log.iter().all(|record| record.access_seconds_left == 0));
}
