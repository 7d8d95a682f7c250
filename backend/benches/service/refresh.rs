//! Cost of refreshing tokens: a service finds many of them due at its start, and works them off.

use std::time::{Duration, Instant};

use connection_store::test_support::free_port;
use connection_store::{DatabaseUrl, NewConnection, NewEvent, Profile};
use instagram_simulator::{Endpoint, Simulator};
use jiff::{SignedDuration, Timestamp};
use shared::{Provider, permission};
use tempfile::TempDir;
use token_vault::{Context, Keyring, Vault};

use crate::server::{KEYS, Server};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Prints a row for one store with so many connections that are due.
pub(crate) async fn measure(
    name: &str,
    count: usize,
    folder: &TempDir,
    database_url: &str,
    simulator: &Simulator,
) {
    let database: DatabaseUrl = database_url.parse().expect("a database URL");
    fill(&database, count, simulator, name).await;
    simulator.reset_requests();
    let metrics = format!("127.0.0.1:{}", free_port());
    let variables = [
        ("METRICS_ADDRESS", metrics.as_str()),
        ("REFRESH_POLL_SECONDS", "1"),
        // Nothing else is to be done meanwhile.
        ("SYNC_INTERVAL_HOURS", "720"),
    ];
    let service = Server::start_service(folder, database_url, simulator, &variables);
    let (started, cpu) = (Instant::now(), service.cpu_seconds());
    let calls = store_calls(&metrics).await;
    while refreshed(&metrics).await < count as f64 {
        assert!(started.elapsed() < Duration::from_secs(300), "the work is not done");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), service.cpu_seconds() - cpu);
    let calls = store_calls(&metrics).await - calls;
    let due = count as f64;
    println!(
        "| {name} | {:.0} | {:.0} | {:.2} | {:.2} |",
        due / seconds,
        due / cpu,
        simulator.requests(Endpoint::Refresh) as f64 / due,
        calls / due,
    );
}

/// Stores connections whose tokens are 31 days old and have 29 days left.
async fn fill(database: &DatabaseUrl, count: usize, simulator: &Simulator, name: &str) {
    let vault = Vault::new(Keyring::parse(KEYS).expect("a keyring"));
    let store = connection_store::connect(database).await.expect("a database");
    let now = Timestamp::now();
    let prefix = name.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
    let mut tokens = Vec::new();
    for number in 0..count {
        let username = format!("{prefix}{number}");
        let account = simulator.add_account(&username).professional;
        tokens.push((account, simulator.issue_token(&username), username));
    }
    simulator.advance(Duration::from_secs(31 * 86_400));
    for (account, token, username) in tokens {
        let context = Context { purpose: "accessToken", subject: &account };
        let new = NewConnection {
            user_id: "bench".to_owned(),
            access_token: vault.seal(token.as_bytes(), &context),
            provider_account_id: account,
            other_account_id: None,
            refresh_token: None,
            token_issued_at: now - DAY * 31,
            token_expires_at: now + DAY * 29,
            expires_at: now + DAY * 29,
            refresh_at: now - DAY,
            profile: Profile { username: username.clone(), ..Profile::default() },
            scopes: permission::ALL.map(str::to_owned).to_vec(),
        };
        let event = NewEvent {
            id: format!("evt_{username}"),
            kind: "connected".to_owned(),
            succeeded: true,
            message: "Connected.".to_owned(),
            expires_at: None,
            notify: Vec::new(),
        };
        store.connections(Provider::Instagram).save_connection(new, event, now).await.expect("stored");
    }
    store.close().await;
}

async fn store_calls(metrics: &str) -> f64 {
    sample(metrics, "instagram_connect_store_calls_total").await
}

async fn refreshed(metrics: &str) -> f64 {
    sample(metrics, r#"instagram_connect_refreshes_total{provider="instagram",outcome="refreshed"}"#).await
}

/// A value that the service's metrics show; 0 while it does not.
async fn sample(metrics: &str, name: &str) -> f64 {
    let answer = reqwest::get(format!("http://{metrics}/metrics")).await.expect("an answer");
    let text = answer.text().await.expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    line.unwrap_or(0.0)
}
