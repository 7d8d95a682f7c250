//! Four times what a server can answer: what is refused, and how late the rest is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::load::{BUFFER, connect, exchange, request};
use crate::server::Server;

/// How long each load lasts.
const TIME: Duration = Duration::from_secs(60);

/// Sockets that take turns in asking.
const SOCKETS: u32 = 256;

/// What came of a load.
struct Outcome {
    served: u64,
    refused: u64,
    /// Asked, and not answered within a second.
    lost: u64,
    /// Of those that were served, from when they were to be asked until they were answered.
    p50: Duration,
    p99: Duration,
}

/// Asks for the same thing at a steady rate, whether or not the answers keep up, first at a tenth of what the server does at
/// most, then at four times that, and prints both.
pub(crate) async fn measure(name: &str, server: &Server, cookie: &str, most_per_second: f64) {
    let unloaded = offer(server, cookie, most_per_second / 10.0, TIME / 6).await;
    let before = server.resident_megabytes();
    let loaded = offer(server, cookie, most_per_second * 4.0, TIME).await;
    let ratio = loaded.p99.as_secs_f64() / unloaded.p99.as_secs_f64();
    let asked = (loaded.served + loaded.refused + loaded.lost).max(1);
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} % | {} | {:.1} | {:.1} | {:.1} | {ratio:.1} | {before:.0} | {:.0} |",
        asked as f64 / TIME.as_secs_f64(),
        loaded.served as f64 / TIME.as_secs_f64(),
        100.0 * loaded.refused as f64 / asked as f64,
        loaded.lost,
        milliseconds(unloaded.p99),
        milliseconds(loaded.p50),
        milliseconds(loaded.p99),
        server.peak_megabytes(),
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[derive(Default)]
struct Counts {
    refused: AtomicU64,
    lost: AtomicU64,
}

async fn offer(server: &Server, cookie: &str, per_second: f64, time: Duration) -> Outcome {
    let address = server.url.trim_start_matches("http://").to_owned();
    let request = request(&address, cookie);
    let counts = Arc::new(Counts::default());
    let pause = Duration::from_secs_f64(f64::from(SOCKETS) / per_second);
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..SOCKETS)
        .map(|index| {
            // Spread over one pause.
            let first = pause.mul_f64(f64::from(index) / f64::from(SOCKETS));
            tokio::spawn(ask(address.clone(), request.clone(), first, pause, end, Arc::clone(&counts)))
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("no task panics"));
    }
    times.sort_unstable();
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default();
    Outcome {
        served: times.len() as u64,
        refused: counts.refused.load(Ordering::Relaxed),
        lost: counts.lost.load(Ordering::Relaxed),
        p50: at(0.5),
        p99: at(0.99),
    }
}

/// One socket that asks every `pause`. One that is late asks at once, and does not make up for what it missed.
async fn ask(
    address: String,
    request: String,
    first: Duration,
    pause: Duration,
    end: Instant,
    counts: Arc<Counts>,
) -> Vec<Duration> {
    let mut stream = connect(&address).await;
    let mut turns = tokio::time::interval_at(tokio::time::Instant::now() + first, pause);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times = Vec::new();
    let mut buffer = vec![0_u8; BUFFER];
    while Instant::now() < end {
        turns.tick().await;
        let asked = Instant::now();
        let answer =
            tokio::time::timeout(Duration::from_secs(1), exchange(&mut stream, &request, &mut buffer));
        match answer.await {
            Ok(Some(200)) => times.push(asked.elapsed()),
            Ok(Some(429 | 503)) => _ = counts.refused.fetch_add(1, Ordering::Relaxed),
            Ok(Some(status)) => panic!("it answered {status}"),
            Ok(None) | Err(_) => {
                counts.lost.fetch_add(1, Ordering::Relaxed);
                stream = connect(&address).await;
            }
        }
    }
    times
}
