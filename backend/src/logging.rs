//! Structured logs on standard output.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

use crate::config::{LogConfig, LogFormat};

/// Starts logging for the process.
///
/// # Errors
/// When it was started before.
pub fn start(config: &LogConfig) -> Result<(), TryInitError> {
    let filter = EnvFilter::new(&config.filter).and(filter_fn(is_safe));
    let registry = tracing_subscriber::registry();
    match config.format {
        LogFormat::Pretty => registry.with(fmt::layer().with_filter(filter)).try_init(),
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_filter(filter)).try_init()
        }
    }
}

/// Our own crates, which never log a secret at any level.
const OURS: [&str; 7] = [
    "backend",
    "connection_store",
    "domain",
    "instagram_client",
    "token_vault",
    "upstream",
    "instagram_connect",
];

/// Reports of requests that are no HTTP, as errors: anybody can send those, and they are nobody's fault here.
const NOISE: &str = "actix_http::h1::dispatcher";

/// Whatever `RUST_LOG` says, libraries stay at `info`: below it, HTTP and database drivers print whole requests, and some
/// of ours carry tokens in URLs and bodies.
fn is_safe(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let library = target.split("::").next().unwrap_or_default();
    OURS.contains(&library) || (*metadata.level() <= Level::INFO && target != NOISE)
}
