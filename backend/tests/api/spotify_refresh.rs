//! Spotify's access tokens: made for an hour, refreshed when they are needed, by one backend at a time.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use spotify_simulator::{Consent, Endpoint, ErrorBody, Fault, Options, Rotation, Times, accounts};

use crate::support::{
    Answer, Both, DAY, HOUR, MINUTE, OFTEN, Person, SELDOM_SYNCED, client, time_of, token_error, until,
};

/// The access token alone, and its end.
async fn token(program: &Person) -> (String, Timestamp) {
    let answer = program.spotify().token().await;
    assert_eq!(answer.status, 200, "{answer}");
    (answer.body["accessToken"].as_str().unwrap().to_owned(), time_of(&answer.body, "expiresAt"))
}

#[actix_web::test]
async fn an_owner_has_a_new_access_token_at_any_time() {
    let (both, ada) = Both::connected().await;
    let program = both.program_of(&ada).await;
    let (before, (first, _)) = (ada.spotify().shown().await, token(&program).await);
    let answer = ada.spotify().refresh().await;
    assert_eq!(answer.status, 200, "no rule of 24 hours: {answer}");
    let after = &answer.body["connection"];
    assert_eq!((&after["expiresAt"], &after["status"]), (&before["expiresAt"], &"active".into()));
    assert_ne!(token(&program).await.0, first);
    assert_eq!(both.refreshes(), 1);
    assert_eq!(ada.spotify().refresh().await.status, 200, "and again");
}

#[actix_web::test]
async fn an_access_token_is_made_when_one_is_needed_minutes_before_its_end() {
    let (both, ada) = Both::connected().await;
    let program = both.program_of(&ada).await;
    let needs = async |what: &str| match what {
        "sync" => program.spotify().sync().await,
        "token" => program.spotify().token().await,
        _ => program.spotify().proxy("me/playlists").await,
    };
    for (count, what) in ["proxy", "sync", "token"].into_iter().enumerate() {
        let count = count as u64;
        both.pass(54 * MINUTE);
        assert_eq!(needs(what).await.status, 200, "{what}");
        assert_eq!(both.refreshes(), count, "{what}: there are six minutes left");
        both.pass(2 * MINUTE);
        for _ in 0..2 {
            assert_eq!(needs(what).await.status, 200, "{what}");
            assert_eq!(both.refreshes(), count + 1, "{what}: once");
        }
    }
    assert!(both.spotify.refreshes().iter().all(|refresh| (1..=300).contains(&refresh.access_seconds_left)));
}

#[actix_web::test]
async fn a_program_is_given_the_access_token_and_never_the_refresh_token() {
    let (both, ada) = Both::connected().await;
    let program = both.program_of(&ada).await;
    let answer = program.spotify().token().await;
    let connection = ada.spotify().shown().await;
    let text = answer.body["accessToken"].as_str().unwrap();
    assert_eq!(
        answer.body,
        json!({
            "ok": true, "accessToken": text, "tokenType": "bearer", "expiresAt": answer.body["expiresAt"],
            "spotifyUserId": "aB3dE5fG7h", "scopes": connection["scopes"],
        })
    );
    let left = time_of(&answer.body, "expiresAt").duration_since(time_of(&connection, "connectedAt"));
    assert!((3590..=3600).contains(&left.as_secs()), "the access token's own end: {left}");
    let me =
        client().get(format!("{}/v1/me", both.spotify.api_url())).bearer_auth(text).send().await.unwrap();
    assert_eq!(me.status(), 200, "Spotify takes it");
    assert_eq!(ada.spotify().token().await.failure(), "403 forbidden", "a session never is");
    // An expired one is given to nobody.
    both.pass(2 * HOUR);
    both.spotify.fault(Endpoint::Refresh, Fault::ServerError { status: 503 }, Times::ONCE);
    assert_eq!(program.spotify().token().await.failure(), "502 upstream_error");
    let (next, until) = token(&program).await;
    assert!(next != text && until > time_of(&answer.body, "expiresAt"));
}

#[actix_web::test]
async fn an_idle_connection_is_asked_about_once_a_day() {
    let (both, ada) = Both::connected_with(&[OFTEN, SELDOM_SYNCED]).await;
    both.pass(23 * HOUR);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(both.refreshes(), 0, "nobody needs a token");
    for day in 1..=3 {
        both.pass(if day == 1 { HOUR } else { DAY });
        until("a refresh", async || both.refreshes() == day).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(both.refreshes(), day, "once a day");
    }
    assert_eq!(ada.spotify().event_types().await, ["connected"], "nothing to tell of");
}

/// Serial numbers of the refresh tokens that Spotify was shown.
fn shown_tokens(both: &Both) -> Vec<u64> {
    both.spotify.refreshes().iter().map(|refresh| refresh.token).collect()
}

#[actix_web::test]
async fn an_answer_without_a_refresh_token_keeps_the_stored_one() {
    for rotation in [Rotation::Off, Rotation::Null, Rotation::Empty] {
        let (both, ada) = Both::connected().await;
        both.spotify.set_options(Options { rotation, ..Options::default() });
        for _ in 0..3 {
            assert_eq!(ada.spotify().refresh().await.status, 200, "{rotation:?}");
        }
        let shown = shown_tokens(&both);
        assert!(shown.len() == 3 && shown.iter().all(|token| *token == shown[0]), "{rotation:?}: {shown:?}");
    }
}

#[actix_web::test]
async fn a_new_refresh_token_takes_the_place_of_the_old_one() {
    for rotation in [Rotation::On, Rotation::OnOldDies] {
        let (both, ada) = Both::connected().await;
        both.spotify.set_options(Options { rotation, ..Options::default() });
        for _ in 0..3 {
            assert_eq!(ada.spotify().refresh().await.status, 200, "{rotation:?}");
        }
        let refreshes = both.spotify.refreshes();
        for pair in refreshes.windows(2) {
            assert_eq!(pair[0].rotated_into, Some(pair[1].token), "{rotation:?}");
        }
        both.spotify.set_options(Options::default());
        assert_eq!(ada.spotify().refresh().await.status, 200, "{rotation:?}: the last one is kept again");
        assert_eq!(both.spotify.refreshes()[3].token, refreshes[2].rotated_into.unwrap());
    }
}

#[actix_web::test]
async fn two_backends_that_need_an_access_token_ask_once() {
    let (both, ada) = Both::connected().await;
    let beside = both.another();
    let key = ada.personal_key(&["connections:read", "tokens:read"]).await;
    both.spotify.set_options(Options { rotation: Rotation::OnOldDies, ..Options::default() });
    for round in 1..=3 {
        both.pass(2 * HOUR);
        both.spotify.fault(Endpoint::Refresh, Fault::Delay { ms: 400 }, Times::ONCE);
        let calls = ["proxy/me/playlists", "token", "proxy/me", "proxy/me/top/artists"].into_iter().flat_map(
            |what| {
                [&both.url, &beside.url].map(|url| {
                    let address = format!("{url}/api/integrations/spotify/me/{what}");
                    Answer::of(
                        client()
                            .request(Method::GET, address)
                            .bearer_auth(&key)
                            .header("accept", "application/json"),
                    )
                })
            },
        );
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(answer.status, 200, "{answer}");
        }
        assert_eq!(both.refreshes(), round, "one request to Spotify");
    }
}

/// Every failure of `spotify-api.md` §3 but a token's death.
#[actix_web::test]
async fn a_failed_refresh_never_costs_the_connection() {
    let (both, ada) = Both::connected().await;
    let before = ada.spotify().shown().await;
    let cases = [
        (Fault::ServerError { status: 503 }, "502 upstream_error"),
        (Fault::ServerError { status: 502 }, "502 upstream_error"),
        (Fault::Html, "502 upstream_error"),
        (Fault::Empty, "502 upstream_error"),
        (Fault::Truncated, "502 upstream_error"),
        (Fault::Reset, "502 upstream_error"),
        (Fault::WrongJson, "502 upstream_error"),
        (Fault::Delay { ms: 3000 }, "504 upstream_timeout"),
        (token_error("invalid_request", Some("code_verifier required")), "502 upstream_error"),
        (token_error("invalid_client", None), "502 app_access"),
        (token_error("invalid_client", Some("Invalid client")), "502 app_access"),
        (Fault::PlainError { status: 401, text: "Invalid client secret".to_owned() }, "502 upstream_error"),
        (Fault::PlainError { status: 400, text: "invalid_grant".to_owned() }, "502 upstream_error"),
    ];
    for (fault, expected) in cases {
        both.spotify.fault(Endpoint::Refresh, fault.clone(), Times::ONCE);
        let answer = ada.spotify().refresh().await;
        assert_eq!(answer.failure(), expected, "{fault:?}");
        let after = ada.spotify().shown().await;
        assert_eq!((&after["status"], &after["expiresAt"]), (&before["status"], &before["expiresAt"]));
    }
    let healed = ada.spotify().refresh().await;
    assert_eq!((healed.status, &healed.body["connection"]["lastError"]), (200, &Value::Null), "{healed}");
}

#[actix_web::test]
async fn a_rate_limit_pauses_the_app_for_as_long_as_spotify_says() {
    let cases = [
        (Fault::RateLimited { retry_after: Some(7) }, 7),
        (Fault::RateLimited { retry_after: Some(0) }, 30),
        (Fault::RateLimited { retry_after: None }, 30),
        (Fault::quota_exceeded(), 48_925),
    ];
    let (both, ada) = Both::connected().await;
    let bob = both.with_user("bob").await;
    both.connect_spotify(&bob, accounts::UNNAMED).await;
    for endpoint in [Endpoint::Refresh, Endpoint::Profile, Endpoint::Api] {
        for error_body in [ErrorBody::Text, ErrorBody::Empty] {
            both.spotify.set_options(Options { error_body, ..Options::default() });
            for (fault, wait) in &cases {
                both.spotify.fault(endpoint, fault.clone(), Times::ONCE);
                let limited = match endpoint {
                    Endpoint::Refresh => ada.spotify().refresh().await,
                    Endpoint::Profile => ada.spotify().sync().await,
                    _ => ada.spotify().proxy("me/playlists").await,
                };
                assert_eq!(limited.failure(), "429 rate_limited", "{endpoint:?} {fault:?}");
                assert_eq!(limited.header("retry-after"), wait.to_string(), "{endpoint:?} {fault:?}");
                let asked = both.spotify.requests(Endpoint::Any);
                for answer in [
                    bob.spotify().refresh().await,
                    bob.spotify().sync().await,
                    bob.spotify().proxy("me").await,
                    ada.spotify().proxy("me").await,
                ] {
                    assert_eq!(answer.failure(), "429 rate_limited", "{endpoint:?} {fault:?}");
                    let left: u64 = answer.header("retry-after").parse().unwrap();
                    assert!((1..=*wait).contains(&left), "{left} of {wait}");
                }
                assert_eq!(both.spotify.requests(Endpoint::Any), asked, "going on would lengthen it");
                both.pass(Duration::from_secs(*wait));
                assert_eq!(bob.spotify().sync().await.status, 200, "{endpoint:?} {fault:?}");
            }
        }
    }
    assert_eq!(ada.spotify().shown().await["status"], "active");
}

#[actix_web::test]
async fn spotifys_pause_is_none_of_instagrams() {
    let (both, ada) = Both::connected().await;
    both.connect(&ada, instagram_simulator::accounts::RECORD_SHOP).await;
    both.spotify.fault(Endpoint::Profile, Fault::quota_exceeded(), Times::ONCE);
    assert_eq!(ada.spotify().sync().await.failure(), "429 rate_limited");
    assert_eq!(ada.instagram().sync().await.status, 200);
}

#[actix_web::test]
async fn a_reconnect_amid_a_refresh_is_what_stays() {
    let (both, ada) = Both::connected().await;
    let before = ada.spotify().shown().await;
    both.spotify.set_options(Options { rotation: Rotation::OnOldDies, ..Options::default() });
    both.spotify.fault(Endpoint::Refresh, Fault::Delay { ms: 1500 }, Times::ONCE);
    let meanwhile = async {
        until("a refresh", async || both.refreshes() == 1).await;
        both.connect_spotify(&ada, accounts::LISTENER).await
    };
    let (refreshed, saved) = tokio::join!(ada.spotify().refresh(), meanwhile);
    assert_eq!((refreshed.status, saved.status), (200, 200), "{refreshed} {saved}");
    let late = both.spotify.refreshes()[0].rotated_into;
    assert_eq!(ada.spotify().refresh().await.status, 200);
    assert_ne!(
        Some(both.spotify.refreshes()[1].token),
        late,
        "the new consent's token is the one that is kept"
    );
    assert_eq!(ada.spotify().shown().await["id"], before["id"]);
}

#[actix_web::test]
async fn a_disconnect_amid_a_refresh_stays_one() {
    let (both, ada) = Both::connected().await;
    both.spotify.fault(Endpoint::Refresh, Fault::Delay { ms: 1500 }, Times::ONCE);
    let meanwhile = async {
        until("a refresh", async || both.refreshes() == 1).await;
        ada.spotify().disconnect().await
    };
    let (refreshed, ended) = tokio::join!(ada.spotify().refresh(), meanwhile);
    assert_eq!(ended.status, 200, "{ended}");
    assert_eq!(refreshed.status, 404, "{refreshed}");
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let left =
        "SELECT count(*) FROM spotify_connections WHERE access_token <> '' OR refresh_token IS NOT NULL";
    assert_eq!(database.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "no token comes back");
}

#[actix_web::test]
async fn a_permission_that_is_gone_is_told_once() {
    let both = Both::start();
    let ada = both.with_user("ada").await;
    let fewer = Consent::allow_only(accounts::LISTENER, &["user-read-private"]);
    let exchanged = both.exchange_spotify(&ada, fewer).await;
    ada.spotify().save(&exchanged.body).await;
    // As if another had been granted before.
    let database = rusqlite::Connection::open(both.database_file()).unwrap();
    let before = "UPDATE spotify_connections SET scopes = '[\"user-read-private\",\"user-top-read\"]'";
    assert_eq!(database.execute(before, []).unwrap(), 1);
    for _ in 0..2 {
        assert_eq!(ada.spotify().refresh().await.status, 200);
    }
    let connection = ada.spotify().shown().await;
    assert_eq!(connection["scopes"], json!(["user-read-private"]));
    let events = ada.spotify().events("").await;
    let lost: Vec<_> = events.body["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "permission_lost")
        .collect();
    assert_eq!(lost.len(), 1, "{events}");
    assert_eq!(lost[0]["message"], "Spotify no longer lets us read the favourite artists and tracks.");
}
