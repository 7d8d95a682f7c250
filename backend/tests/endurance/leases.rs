//! Looks for workers' leases and due tokens in the database itself: time must not jump while a worker is
//! busy, nor before a worker has begun on due work. A jump of hours over a lease of a minute would hand one
//! piece of work to two workers, as no real clock does.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use jiff::Timestamp;
use mongodb::IndexModel;
use mongodb::bson::{DateTime, Document, doc};
use shared::Provider;

use crate::service::World;

/// With no lease for so long, and no token due, there is nothing to do.
const QUIET: Duration = Duration::from_millis(300);

/// Leases that have been the same for so long are held by the dead: a call to a provider is given up sooner, and so is one to
/// the database.
const STALLED: Duration = Duration::from_secs(6);

/// Longer than any work takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Time between two looks at the database.
const LOOK: Duration = Duration::from_millis(30);

/// Time between two looks for due tokens, which cost more.
const LOOK_FOR_DUE: Duration = Duration::from_millis(300);

/// In MongoDB's documents.
const LEASE_FIELDS: [&str; 2] = ["refreshLeaseUntil", "syncLeaseUntil"];

/// The table or collection of a provider's connections.
fn connections(provider: Provider) -> String {
    format!("{}_connections", provider.as_str())
}

/// A connection's id, what is being done with it, and until when, in milliseconds since 1970.
type Lease = (String, &'static str, i64);

/// Sees the leases of a world.
pub(crate) struct LeaseWatch {
    database: Leases,
    /// Milliseconds between two syncs of a profile.
    sync_interval: i64,
    /// Milliseconds between two times at which a token of Spotify's is waited for.
    spotify_stop: i64,
    /// Leases that were left by services that died. Time may go on over them: only so do they expire.
    abandoned: BTreeSet<Lease>,
    /// Counts the leases that were left.
    pub(crate) left: usize,
}

enum Leases {
    Sqlite(rusqlite::Connection),
    MongoDb(mongodb::Database),
}

impl LeaseWatch {
    pub(crate) async fn on(world: &World, sync_days: i64, spotify_stop: Duration) -> Self {
        let database = match world.mongodb {
            None => Leases::Sqlite(rusqlite::Connection::open(world.database_file()).unwrap()),
            Some(_) => {
                let client = mongodb::Client::with_uri_str(&world.database_url).await.unwrap();
                let database = client.default_database().unwrap();
                // The service never asks for all leases, so it has no index of them. The many looks from here are to cost
                // the server nothing.
                let index = |field| IndexModel::builder().keys(doc! { field: 1 }).build();
                for provider in Provider::ALL {
                    let connections = database.collection::<Document>(&connections(provider));
                    connections.create_indexes(LEASE_FIELDS.map(index)).await.unwrap();
                }
                Leases::MongoDb(database)
            }
        };
        Self {
            database,
            sync_interval: sync_days * 86_400_000,
            spotify_stop: i64::try_from(spotify_stop.as_millis()).unwrap(),
            abandoned: BTreeSet::new(),
            left: 0,
        }
    }

    /// Waits until somebody is at work. `false`: nobody is, since nothing is due.
    pub(crate) async fn work_begins(&mut self, world: &World) -> bool {
        let began = Instant::now();
        let mut next_look = began + QUIET;
        loop {
            if !self.at_work(world).await.is_empty() {
                return true;
            }
            if Instant::now() >= next_look {
                if !self.is_due(world.now()).await {
                    // Nothing was due, or a worker claimed it since the last look.
                    return !self.at_work(world).await.is_empty();
                }
                next_look = Instant::now() + LOOK_FOR_DUE;
            }
            assert!(began.elapsed() < PATIENCE, "what is due is not begun");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until nobody is at work.
    pub(crate) async fn rest(&mut self, world: &World) {
        let began = Instant::now();
        let (mut last, mut since) = (BTreeSet::new(), Instant::now());
        loop {
            let at_work = self.at_work(world).await;
            if at_work != last {
                (last, since) = (at_work, Instant::now());
            }
            if last.is_empty() && since.elapsed() >= QUIET {
                // In this order: a worker that claims between the two looks is seen at the second.
                if !self.is_due(world.now()).await && self.at_work(world).await.is_empty() {
                    return;
                }
                since = Instant::now();
            }
            if since.elapsed() >= STALLED {
                self.left += last.len();
                self.abandoned.append(&mut last);
                since = Instant::now();
            }
            assert!(began.elapsed() < PATIENCE, "the work does not end: {last:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns after how many steps of time a token is due that is not now; 0 when one is.
    pub(crate) async fn steps_until_due(&self, world: &World, step: Duration) -> u64 {
        let now = world.now().as_millisecond();
        let step = i64::try_from(step.as_millis()).unwrap();
        let mut next = i64::MAX;
        for provider in Provider::ALL {
            let due = self.database.dues(provider).await.into_iter().min();
            next = next.min(due.map_or(i64::MAX, |due| match provider {
                Provider::Instagram => due,
                Provider::Spotify => -(-due.max(now)).div_euclid(self.spotify_stop) * self.spotify_stop,
            }));
        }
        u64::try_from(-(now - next).div_euclid(step)).unwrap_or(0)
    }

    /// Tells whether any worker could refresh a token at this moment.
    async fn is_due(&self, now: Timestamp) -> bool {
        let now = now.as_millisecond();
        for provider in Provider::ALL {
            let synced_by = match provider {
                // A sync uses the token that is there, and may meet a jump: none is waited for.
                Provider::Instagram => 0,
                // A sync refreshes the access token first.
                Provider::Spotify => now - self.sync_interval,
            };
            let is_due = match &self.database {
                Leases::Sqlite(database) => is_due_on_sqlite(database, provider, now, synced_by),
                Leases::MongoDb(database) => is_due_on_mongodb(database, provider, now, synced_by).await,
            };
            if is_due {
                return true;
            }
        }
        false
    }

    async fn at_work(&mut self, world: &World) -> BTreeSet<Lease> {
        let held = self.database.held(world.now()).await;
        self.abandoned.retain(|lease| held.contains(lease));
        held.difference(&self.abandoned).cloned().collect()
    }
}

impl Leases {
    /// Returns those that end after `now`. A token that was found to be dead keeps its lease, and nobody works at it.
    async fn held(&self, now: Timestamp) -> BTreeSet<Lease> {
        let (mut held, now) = (BTreeSet::new(), now.as_millisecond());
        for provider in Provider::ALL {
            held.append(&mut match self {
                Self::Sqlite(database) => held_on_sqlite(database, provider, now),
                Self::MongoDb(database) => held_on_mongodb(database, provider, now).await,
            });
        }
        held
    }

    /// Returns the time at which each token is due, in milliseconds since 1970.
    async fn dues(&self, provider: Provider) -> Vec<i64> {
        match self {
            Self::Sqlite(database) => {
                let query = format!(
                    "SELECT max(refresh_at, coalesce(refresh_not_before, 0), coalesce(refresh_lease_until, 0))
                    FROM {} WHERE is_active = 1 AND needs_reauthorization_since IS NULL",
                    connections(provider)
                );
                let mut query = database.prepare_cached(&query).unwrap();
                let rows = query.query_map([], |row| row.get(0));
                rows.unwrap().map(Result::unwrap).collect()
            }
            Self::MongoDb(database) => {
                let filter = doc! { "isActive": true, "needsReauthorizationSince": null };
                let connections = database.collection::<Document>(&connections(provider));
                let found: Vec<Document> =
                    connections.find(filter).await.unwrap().try_collect().await.unwrap();
                let times = ["refreshAt", "refreshNotBefore", "refreshLeaseUntil"];
                let due = |connection: &Document| {
                    let time =
                        |field| connection.get_datetime(field).ok().map(|time| time.timestamp_millis());
                    times.into_iter().filter_map(time).max()
                };
                found.iter().filter_map(due).collect()
            }
        }
    }
}

fn is_due_on_sqlite(database: &rusqlite::Connection, provider: Provider, now: i64, synced_by: i64) -> bool {
    let query = format!(
        "SELECT NOT EXISTS (SELECT 1 FROM pauses WHERE name = ?2 AND until > ?1) AND EXISTS (
            SELECT 1 FROM {} WHERE is_active = 1 AND needs_reauthorization_since IS NULL
                AND ((refresh_at <= ?1
                    AND (refresh_not_before IS NULL OR refresh_not_before <= ?1)
                    AND (refresh_lease_until IS NULL OR refresh_lease_until <= ?1))
                OR (last_synced_at <= ?3
                    AND (sync_not_before IS NULL OR sync_not_before <= ?1)
                    AND (sync_lease_until IS NULL OR sync_lease_until <= ?1))))",
        connections(provider)
    );
    let mut query = database.prepare_cached(&query).unwrap();
    query.query_row((now, provider.as_str(), synced_by), |row| row.get(0)).unwrap()
}

async fn is_due_on_mongodb(
    database: &mongodb::Database,
    provider: Provider,
    now: i64,
    synced_by: i64,
) -> bool {
    let date = DateTime::from_millis;
    let paused = doc! { "_id": provider.as_str(), "expiresAt": { "$gt": date(now) } };
    if database.collection::<Document>("pauses").find_one(paused).await.unwrap().is_some() {
        return false;
    }
    let over = || doc! { "$not": { "$gt": date(now) } };
    let due = |by, until, [not_before, lease]: [&str; 2]| {
        doc! {
            "isActive": true, "needsReauthorizationSince": null, by: { "$lte": date(until) },
            not_before: over(), lease: over(),
        }
    };
    let connections = database.collection::<Document>(&connections(provider));
    for due in [
        due("refreshAt", now, ["refreshNotBefore", "refreshLeaseUntil"]),
        due("lastSyncedAt", synced_by, ["syncNotBefore", "syncLeaseUntil"]),
    ] {
        if connections.find_one(due).await.unwrap().is_some() {
            return true;
        }
    }
    false
}

fn held_on_sqlite(database: &rusqlite::Connection, provider: Provider, now: i64) -> BTreeSet<Lease> {
    let query = format!(
        "SELECT id, refresh_lease_until, sync_lease_until FROM {}
        WHERE is_active = 1 AND needs_reauthorization_since IS NULL
            AND (refresh_lease_until > ?1 OR sync_lease_until > ?1)",
        connections(provider)
    );
    let mut query = database.prepare_cached(&query).unwrap();
    let rows = query
        .query_map([now], |row| Ok(leases(&row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, now)))
        .unwrap();
    rows.flat_map(Result::unwrap).collect()
}

async fn held_on_mongodb(database: &mongodb::Database, provider: Provider, now: i64) -> BTreeSet<Lease> {
    let connections = database.collection::<Document>(&connections(provider));
    let mut held = BTreeSet::new();
    for field in LEASE_FIELDS {
        let filter = doc! {
            field: { "$gt": DateTime::from_millis(now) },
            "isActive": true,
            "needsReauthorizationSince": null,
        };
        let fields = doc! { "refreshLeaseUntil": 1, "syncLeaseUntil": 1 };
        let found = connections.find(filter).projection(fields).await.unwrap();
        let found: Vec<Document> = found.try_collect().await.unwrap();
        held.extend(found.iter().flat_map(|connection| {
            let [refresh, sync] = LEASE_FIELDS
                .map(|field| connection.get_datetime(field).ok().map(|time| time.timestamp_millis()));
            leases(&connection.get_object_id("_id").unwrap().to_hex(), refresh, sync, now)
        }));
    }
    held
}

fn leases(id: &str, refresh: Option<i64>, sync: Option<i64>, now: i64) -> Vec<Lease> {
    let both = [("refresh", refresh), ("sync", sync)];
    let held = both.into_iter().filter_map(|(work, until)| Some((work, until.filter(|&until| until > now)?)));
    held.map(|(work, until)| (id.to_owned(), work, until)).collect()
}
