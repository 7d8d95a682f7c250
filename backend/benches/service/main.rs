//! Measures the service as its users meet it, over real HTTP, and prints ratios against a bare actix-web JSON route that
//! runs in the same minute on the same machine.
//!
//! `cargo xtask bench` runs this and then measures the web app in a browser.

mod connect;
mod load;
mod overload;
mod refresh;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use connection_store::test_support::MongoServer;
use instagram_simulator::{Simulator, accounts};
use tempfile::TempDir;

use load::Load;
use server::Server;

/// Time that each load lasts. Long enough for the ratios to repeat within a few per cent.
const LOAD_TIME: Duration = Duration::from_secs(6);
const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
    if std::env::var_os(server::BARE_ROUTE).is_some() {
        server::serve_bare_route();
        return ExitCode::SUCCESS;
    }
    // Run by `cargo test --benches`, too, where nothing is to be measured.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let missed = tokio::runtime::Runtime::new().expect("a runtime").block_on(measure());
    for goal in &missed {
        eprintln!("missed: {goal}");
    }
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything, or the parts that are named: `cargo bench --package backend --bench service -- open-sqlite`. `overload` stands for
/// the three of them. Returns the goals that were missed.
async fn measure() -> Vec<String> {
    let named: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    let simulator = connect::simulator();
    let folder = tempfile::tempdir().expect("a temporary folder");
    if is_wanted("reading") {
        reading(&folder, &simulator).await;
    }
    if is_wanted("connecting") {
        connecting(&folder, &simulator).await;
    }
    if is_wanted("keeping") {
        keeping_alive(&folder, &simulator).await;
    }
    // The last, since it leaves a core to the service.
    // None is open on MongoDB: the stand-in answers a few hundred a second, so that it would be the one that is measured.
    let parts = ["closed-sqlite", "closed-mongodb", "open-sqlite"];
    let mut missed = Vec::new();
    for part in parts.into_iter().filter(|part| is_wanted(part) || is_wanted("overload")) {
        missed.extend(overload(part, &folder, &simulator).await);
    }
    missed
}

async fn reading(folder: &TempDir, simulator: &Simulator) {
    let sqlite_url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let mongo = MongoServer::shared();
    println!("| server | requests/s | of bare | CPU µs/request | of bare | idle MB | peak MB |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let bare = Server::start_bare_route();
    let baseline = row("bare JSON route", &bare, "", None).await;
    drop(bare);
    let stores =
        [("GET …/me, SQLite", sqlite_url), ("GET …/me, MongoDB-compatible", mongo.fresh_database_url())];
    for (name, database_url) in stores {
        let service = Server::start_service(folder, &database_url, simulator, &[]);
        let person = connect::Person::sign_up(&service.url).await;
        person.connect(simulator, accounts::RECORD_SHOP).await;
        row(name, &service, &person.cookie, Some(&baseline)).await;
    }
}

async fn overload(part: &str, folder: &TempDir, simulator: &Simulator) -> Vec<String> {
    // It runs for as long as somebody holds it.
    let mongo = part.ends_with("mongodb").then(MongoServer::shared);
    let (name, database_url) = match &mongo {
        // As many connections as the fewest clients can use: the stand-in is slower with more of them.
        Some(mongo) => ("MongoDB-compatible", with_pool_of_16(&mongo.fresh_database_url())),
        None => ("SQLite", format!("sqlite:{}", folder.path().join(format!("{part}.db")).display())),
    };
    let service = Server::start_service_on_its_own_core(folder, &database_url, simulator);
    let person = connect::Person::sign_up(&service.url).await;
    person.connect(simulator, accounts::RECORD_SHOP).await;
    load::run(&service, &person.cookie, CONNECTIONS, Duration::from_secs(1)).await;
    if part.starts_with("closed") {
        overload::closed(name, &service, &person.cookie).await
    } else {
        overload::open(name, &service, &person.cookie).await
    }
}

fn with_pool_of_16(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}maxPoolSize=16")
}

async fn connecting(folder: &TempDir, simulator: &Simulator) {
    println!(
        "\n| connecting | two round trips to the simulator, ms | the service, ms | added, ms | saving, ms |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    let sqlite_url = format!("sqlite:{}", folder.path().join("connect.db").display());
    let service = Server::start_service(folder, &sqlite_url, simulator, &[]);
    for delay in [0, 50] {
        connect::measure(&service.url, simulator, delay).await;
    }
    drop(service);
}

async fn keeping_alive(folder: &TempDir, simulator: &Simulator) {
    let mongo = MongoServer::shared();
    println!(
        "\n| keeping tokens alive | refreshes/s | refreshes/s of one core | upstream calls each | store calls each |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    let sqlite_url = format!("sqlite:{}", folder.path().join("refresh.db").display());
    // The stand-in for MongoDB looks at every document for each claim: it shows the calls, not the speed.
    let mongodb_url = mongo.fresh_database_url();
    for (name, count, url) in [("SQLite", 2000, sqlite_url), ("MongoDB-compatible", 200, mongodb_url)] {
        refresh::measure(name, count, folder, &url, simulator).await;
    }
}

/// Puts one server under load and prints what came of it.
async fn row(name: &str, server: &Server, cookie: &str, baseline: Option<&Load>) -> Load {
    let idle = server.resident_megabytes();
    load::run(server, cookie, CONNECTIONS, Duration::from_secs(1)).await;
    let load = load::run(server, cookie, CONNECTIONS, LOAD_TIME).await;
    let ratio = |value: f64, of: Option<f64>| of.map_or("1".to_owned(), |of| format!("{:.2}", value / of));
    println!(
        "| {name} | {:.0} | {} | {:.1} | {} | {idle:.1} | {:.1} |",
        load.requests_per_second,
        ratio(load.requests_per_second, baseline.map(|bare| bare.requests_per_second)),
        load.cpu_microseconds,
        ratio(load.cpu_microseconds, baseline.map(|bare| bare.cpu_microseconds)),
        server.peak_megabytes(),
    );
    load
}
