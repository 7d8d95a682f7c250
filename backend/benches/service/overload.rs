//! As many clients as are no overload, and more requests than a server can answer: what is refused, and how late the rest is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::load::{self, Demand};
use crate::server::Server;

/// Time that each load lasts.
const CLOSED_TIME: Duration = Duration::from_secs(5);
const OPEN_TIME: Duration = Duration::from_secs(60);

/// Rates of open load, as multiples of the capacity, and the part of the capacity that is to be answered. Under the last, the server
/// has to stay alive and to recover, and no more.
const OPEN_LOADS: [(f64, Option<f64>); 3] = [(1.5, Some(0.8)), (2.0, Some(0.6)), (4.0, None)];

/// Sets the least part of 16 clients' throughput that more clients must get: all of it, but for what two measurements of the same differ by.
const LEAST_OF_16: f64 = 0.9;

/// Longest times in milliseconds: of 99 of 100 answers, and of those to `/healthz`, and until all is normal after a load.
const ANSWERED_WITHIN: f64 = 500.0;
const HEALTHY_WITHIN: f64 = 50.0;
const NORMAL_WITHIN: f64 = 2000.0;

/// By how many megabytes the server may grow under load.
const GROWS_BY: f64 = 128.0;

/// Connections over which open load comes, as a proxy keeps them.
const SOCKETS: usize = 1024;

/// Separates two questions to `/healthz` under load.
const HEALTH_EVERY: Duration = Duration::from_millis(20);

/// Clients that ask one after the other: prints how many were refused, and how much is done compared with 16 of them. Returns
/// the goals that were missed.
pub(crate) async fn closed(name: &str, server: &Server, cookie: &str) -> Vec<String> {
    println!("\n| clients that wait for their answers, {name} | requests/s | of 16 clients' | refused |");
    println!("| ---: | ---: | ---: | ---: |");
    let (mut of_16, mut missed) = (None, Vec::new());
    for connections in [16, 64, 128, 256, 512] {
        let load = load::run(server, cookie, connections, CLOSED_TIME).await;
        let per_second = load.requests_per_second;
        let ratio = per_second / *of_16.get_or_insert(per_second);
        println!("| {connections} | {per_second:.0} | {ratio:.2} | {:.1} % |", load.refused * 100.0);
        let goals = [("refused", load.refused <= 0.0), ("requests/s of 16 clients'", ratio >= LEAST_OF_16)];
        missed.extend(not_met(&format!("{connections} clients, {name}"), &goals));
    }
    missed
}

/// Asks at a steady rate, whether or not the answers keep up, and prints what came of it. The rates are multiples of what 64
/// clients are answered that wait for their answers. Returns the goals that were missed.
pub(crate) async fn open(name: &str, server: &Server, cookie: &str) -> Vec<String> {
    println!(
        "\n| open load, {name} | asked/s | served, of what can be | refused | lost | CPU µs of a refusal, of an answer | p50, ms | p99, ms | p99 of refusals, ms | /healthz p99 and longest, ms | normal after, ms | MB before | peak MB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut missed = Vec::new();
    for (times, least_served) in OPEN_LOADS {
        let closed = load::run(server, cookie, 64, CLOSED_TIME).await;
        let capacity = closed.requests_per_second;
        let (before, cpu_before) = (server.resident_megabytes(), server.cpu_seconds());
        let health = Health::watch(server);
        let demand = Demand { connections: SOCKETS, per_second: Some(capacity * times), time: OPEN_TIME };
        let mut outcome = load::offer(server, cookie, demand).await;
        let cpu = (server.cpu_seconds() - cpu_before) * 1e6;
        // What is not for the answers is for the refusals.
        let of_answers = outcome.served.len() as f64 * closed.cpu_microseconds;
        let of_a_refusal = (cpu - of_answers) / outcome.refused.len().max(1) as f64;
        let mut health = health.times();
        let normal_after = milliseconds(recovery(server, cookie));
        let asked = (outcome.served.len() + outcome.refused.len()) as u64 + outcome.lost;
        let part = |of: usize| 100.0 * of as f64 / asked.max(1) as f64;
        let served = outcome.served.len() as f64 / OPEN_TIME.as_secs_f64() / capacity;
        let (late, unhealthy) = (at(&mut outcome.served, 0.99), at(&mut health, 0.99));
        let peak = server.peak_megabytes();
        println!(
            "| {times} times | {:.0} | {served:.2} | {:.0} % | {} | {of_a_refusal:.0}, {:.0} | {:.0} | {late:.0} | {:.0} | {unhealthy:.0}, {:.0} | {normal_after:.0} | {before:.0} | {peak:.0} |",
            asked as f64 / OPEN_TIME.as_secs_f64(),
            part(outcome.refused.len()),
            outcome.lost,
            closed.cpu_microseconds,
            at(&mut outcome.served, 0.5),
            at(&mut outcome.refused, 0.99),
            at(&mut health, 1.0),
        );
        let goals = [
            ("served", served > 0.0 && least_served.is_none_or(|least| served >= least)),
            ("p99", least_served.is_none() || late < ANSWERED_WITHIN),
            ("/healthz p99", least_served.is_none() || unhealthy <= HEALTHY_WITHIN),
            ("normal after", normal_after <= NORMAL_WITHIN),
            ("peak MB", peak - before <= GROWS_BY),
        ];
        missed.extend(not_met(&format!("{times} times the capacity, {name}"), &goals));
    }
    missed
}

/// The goals of a load that were not met, by the names of their columns.
fn not_met(load: &str, goals: &[(&str, bool)]) -> Vec<String> {
    goals.iter().filter(|(_, is_met)| !is_met).map(|(column, _)| format!("{load}: {column}")).collect()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The time that this part of all times does not exceed, in milliseconds.
fn at(times: &mut [Duration], part: f64) -> f64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * part) as usize).copied().map_or(0.0, milliseconds)
}

/// Returns the time from the end of a load to the last answer that was none or late.
fn recovery(server: &Server, cookie: &str) -> Duration {
    let address = server.address();
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    let (ended, mut normal_after) = (Instant::now(), Duration::ZERO);
    while ended.elapsed() < Duration::from_secs(3) {
        let asked = Instant::now();
        let status = load::ask_once(&mut stream, address, cookie);
        if status != Some(200) || asked.elapsed() > Duration::from_millis(50) {
            normal_after = ended.elapsed();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    normal_after
}

/// Asks for `/healthz` from a thread of its own, so that it is not this process that is late.
struct Health {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Health {
    fn watch(server: &Server) -> Self {
        let address = server.address().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(&address).expect("the server accepts");
            let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
            let mut buffer = [0_u8; 4096];
            let mut times = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                stream.write_all(request.as_bytes()).expect("it is sent");
                let length = stream.read(&mut buffer).expect("it is answered");
                assert!(buffer[..length].starts_with(b"HTTP/1.1 200"));
                times.push(asked.elapsed());
                std::thread::sleep(HEALTH_EVERY);
            }
            times
        });
        Self { stop, thread }
    }

    fn times(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it does not panic")
    }
}
