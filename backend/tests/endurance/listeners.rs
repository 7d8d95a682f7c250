//! The people of the simulated year who connect Spotify: their consents end after six months, whatever is refreshed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use reqwest::Method;
use spotify_simulator::{
    Endpoint, Fault, Options, RandomFailures, RefreshOutcome, RefreshRecord, Rotation, Times,
};

use crate::leases::LeaseWatch;
use crate::service::{Person, Service, World};
use crate::year::{HOUR, REVOKED, lost_answers, refreshed_although_replaced};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A connection is told to be expiring so long before its end.
const TOLD_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Life that an access token may have left when it is refreshed, in seconds. Two that ask at once leave an hour.
const MARGIN: u64 = 300;

/// Difference between the time that a test takes and the one that a service takes.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// Everybody who connects Spotify, by the account's name.
pub(crate) struct Listeners {
    /// One person holds all of them.
    owner: Person,
    all: BTreeMap<String, Listener>,
    /// Consents that were given anew in time.
    reconnected: usize,
    /// Time in which Spotify called every token invalid.
    outage: Range<Timestamp>,
}

/// Holds the facts of one account.
struct Listener {
    /// Six months after the last consent.
    end: Timestamp,
    /// Life that was left when the connection was first said to be expiring.
    told: Option<SignedDuration>,
    /// The person connects again when told.
    reconnects: bool,
}

impl Listeners {
    /// Connects accounts in fair weather. `reconnecting`: every other person connects again when told.
    pub(crate) async fn connect(world: &World, service: &Service, count: usize, reconnecting: bool) -> Self {
        let owner = service.person("listeners").await.program().await;
        let mut all = BTreeMap::new();
        for number in 0..count {
            let username = format!("listener.{number:03}");
            world.spotify.add_account(&username);
            let listener = Listener {
                end: six_months_after(world.now()),
                told: None,
                reconnects: reconnecting && number % 2 == 1,
            };
            owner.connect_spotify(&world.spotify, &username).await;
            all.insert(username, listener);
        }
        let never = world.now()..world.now();
        Self { owner, all, reconnected: 0, outage: never }
    }

    /// Makes Spotify rotate refresh tokens, and fail one call in five.
    pub(crate) fn meet_weather(world: &World, delay_ms: u64) {
        world.spotify.set_options(Options { rotation: Rotation::On, ..Options::default() });
        let failures = RandomFailures { rate: 0.2, seed: 7, delay_ms, ..RandomFailures::default() };
        world.spotify.set_random_failures(failures);
    }

    /// Reads the connections as their owner does. Each is active until 14 days before its end, expiring until its end, and asks for
    /// a new consent after it, or where the person has removed the app. Some consent anew when they are told.
    pub(crate) async fn look(&mut self, world: &World, service: &Service) {
        let owner = self.owner.at(service);
        let (status, answer) = owner.call(Method::GET, "/api/integrations", None).await;
        assert_eq!(status, 200, "{answer}");
        let of_spotify = &answer["integrations"][1];
        assert_eq!(of_spotify["provider"], "spotify");
        let connections = of_spotify["connections"].as_array().unwrap();
        assert_eq!(connections.len(), self.all.len());
        for connection in connections {
            let username = connection["username"].as_str().unwrap();
            let listener = self.all.get_mut(username).unwrap();
            let expires_at: Timestamp = connection["expiresAt"].as_str().unwrap().parse().unwrap();
            assert!(expires_at.duration_since(listener.end).abs() < SLACK, "{}: {connection}", listener.end);
            let left = listener.end.duration_since(world.now());
            match connection["status"].as_str().unwrap() {
                "active" => assert!(left > TOLD_BEFORE - SLACK, "{left:?} are left: {connection}"),
                "expiring" => {
                    assert!(left < TOLD_BEFORE + SLACK, "{left:?} are left: {connection}");
                    listener.told.get_or_insert(left);
                    if listener.reconnects {
                        (listener.end, listener.told) = (six_months_after(world.now()), None);
                        owner.connect_spotify(&world.spotify, username).await;
                        self.reconnected += 1;
                    }
                }
                "needs_reauthorization" => {
                    assert!(left < SLACK || world.spotify.is_revoked(username), "{left:?}: {connection}");
                }
                other => panic!("{other}: {connection}"),
            }
        }
    }

    /// Plays half an hour in which Spotify calls every refresh token invalid. A day passes before it, so that all are due.
    pub(crate) async fn meet_outage(&mut self, world: &World, leases: &mut LeaseWatch) {
        let before = world.spotify.refreshes().len();
        world.spotify.fault(Endpoint::Refresh, Fault::invalid_grant(), Times::Forever);
        world.advance(24 * HOUR);
        self.outage.start = world.now();
        leases.rest(world).await;
        world.advance(HOUR / 2);
        self.outage.end = world.now();
        world.spotify.clear_faults();
        let refused = world.spotify.refreshes().split_off(before);
        assert!(refused.iter().all(|record| record.outcome == RefreshOutcome::Failed), "{refused:?}");
        let refused: BTreeSet<_> = refused.into_iter().map(|record| record.account).collect();
        assert!(refused.iter().eq(self.all.keys()), "each was refused: {refused:?}");
    }

    /// Removes the app at Spotify, for one person in so many. Nobody is told.
    pub(crate) fn revoke(&self, world: &World) {
        for username in self.all.keys().step_by(REVOKED) {
            world.spotify.revoke(username);
        }
    }

    /// Tells whether a connection has a reason to be dead.
    pub(crate) fn is_over(&self, world: &World, username: &str) -> bool {
        world.spotify.is_revoked(username) || self.all[username].end <= world.now()
    }

    /// Checks what the owner saw, and the simulator's log of what was done to each token. `cut_off`: answers that kills explain;
    /// `stop`: time between two looks at what is due.
    pub(crate) fn judge(&self, world: &World, cut_off: usize, stop: Duration) -> String {
        let log = world.spotify.refreshes();
        let stop = SignedDuration::try_from(stop).unwrap();
        let early = asked_early(&log);
        assert!(early.is_empty(), "refreshed twice at once, or too early: {early:?}");
        let (mut revoked, mut ended, mut lost) = (0, 0, 0);
        for (username, listener) in &self.all {
            let own: Vec<_> = log.iter().filter(|record| record.account == *username).collect();
            let at =
                |outcome| own.iter().filter(move |record| record.outcome == outcome).map(|record| record.at);
            let refreshed: Vec<_> = at(RefreshOutcome::Refreshed).collect();
            let lived = refreshed.last().unwrap().duration_since(refreshed[0]);
            let least = usize::try_from(lived.as_secs() / (4 * stop.as_secs())).unwrap();
            assert!(refreshed.len() > least, "{username}: refreshed {} times in {lived:?}", refreshed.len());
            let is_refusal = |record: &RefreshRecord| {
                record.outcome == RefreshOutcome::Revoked || self.outage.contains(&record.at)
            };
            if world.spotify.is_revoked(username) {
                revoked += 1;
                // Each refresh that was stored left another token.
                let last = own.last().unwrap();
                let mut heard = own.iter().filter(|record| record.token == last.token && is_refusal(record));
                let between = last.at.duration_since(heard.next().unwrap().at);
                // At the end of a consent the word is expected.
                let is_expected = last.at >= listener.end;
                assert!(
                    is_expected || between >= SignedDuration::from_hours(1),
                    "{username} was believed dead after {between:?}"
                );
            } else {
                assert_eq!(at(RefreshOutcome::Revoked).next(), None, "{username}: nobody removed the app");
                if listener.end <= world.now() {
                    ended += 1;
                    let told = listener.told.unwrap_or_else(|| panic!("{username} was not told"));
                    assert!(told > TOLD_BEFORE - stop - DAY, "{username} was told {told:?} before");
                    assert!(
                        at(RefreshOutcome::Expired).next().is_some(),
                        "{username}: Spotify has to say so"
                    );
                }
            }
            let refreshes: Vec<_> = own
                .iter()
                .filter(|record| record.outcome == RefreshOutcome::Refreshed)
                .map(|record| (record.token, record.rotated_into, record.delivered_whole))
                .collect();
            let twice = refreshed_although_replaced(&refreshes);
            let with_same =
                own.iter().filter(|record| twice.iter().any(|&(token, ..)| token == record.token));
            let with_same: Vec<_> = with_same.collect();
            assert!(
                with_same.is_empty(),
                "{username}: refreshed while the successor was stored: {with_same:#?}"
            );
            lost += lost_answers(&refreshes);
        }
        let explained = cut_off + self.reconnected;
        assert!(
            lost <= explained,
            "{lost} answers were not stored; kills and reconnects explain {explained}"
        );
        format!(
            "Spotify: {} connections, {revoked} revoked, {ended} ended after six months and told 14 days before, {} connected \
             again in time, 0 lost, 0 asked twice at once; {} refresh calls, {lost} answers lost ({explained} explained)",
            self.all.len(),
            self.reconnected,
            log.len(),
        )
    }
}

/// Returns the refreshes of an access token that was still good.
fn asked_early(log: &[RefreshRecord]) -> Vec<&RefreshRecord> {
    log.iter().filter(|record| record.access_seconds_left > MARGIN).collect()
}

fn six_months_after(time: Timestamp) -> Timestamp {
    time.to_zoned(TimeZone::UTC).checked_add(6.months()).unwrap().timestamp()
}

#[test]
fn an_access_token_that_two_asked_for_at_once_is_found() {
    let record = |access_seconds_left| RefreshRecord {
        at: Timestamp::UNIX_EPOCH,
        account: "listener".to_owned(),
        token: 1,
        age_seconds: 0,
        access_seconds_left,
        outcome: RefreshOutcome::Refreshed,
        access_token: Some(2),
        rotated_into: Some(3),
        delivered_whole: true,
    };
    let log = [record(0), record(3_600), record(MARGIN)];
    assert_eq!(asked_early(&log), [&log[1]]);
}
