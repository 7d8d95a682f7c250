//! Running the service: open what the configuration names, serve, stop.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use connection_store::Store;
use jiff::SignedDuration;
use shared::Provider;

use crate::app;
use crate::config::{Config, JobsConfig};
use crate::jobs::Jobs;
use crate::limits::Load;
use crate::routes;
use crate::service_keys;
use crate::state::AppState;
use domain::clock::Clock;

/// Bounds the wait for requests in flight after a signal, those included whose clients have gone, and then the time that
/// connections get to end. Jobs, which hear of the signal at the same moment, have as long as both; the database then gets its own time.
/// The process is gone within ten seconds.
const IN_FLIGHT_TIME: Duration = Duration::from_secs(4);
const CONNECTIONS_SECONDS: u64 = 3;
const JOBS_SECONDS: u64 = 7;
const CLOSE_SECONDS: u64 = 2;

/// Keeps a connection open without a request: longer than proxies keep theirs (60 seconds are usual). Whoever closes
/// first has to be the one that sends, or a request meets a connection that has just been closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A service that listens and waits to be run.
pub struct Service {
    /// Resolves when the server has stopped. Nothing is served before it is polled.
    pub server: Server,
    /// Address that the service listens on: the port that was found, where port 0 was asked for.
    pub address: SocketAddr,
    /// Address at which metrics are served, if they are.
    pub metrics_address: Option<SocketAddr>,
    metrics: Option<Server>,
    store: Arc<dyn Store>,
    load: Arc<Load>,
    jobs: Jobs,
}

impl Service {
    /// Opens the database and the keys and binds the addresses.
    ///
    /// # Errors
    /// With a sentence that names what could not be had.
    pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> io::Result<Self> {
        warn_about_redirect_uris(config);
        tell_refresh_window(config.jobs.refresh_window);
        // The keys first: whether the database is there tells whether they may be made.
        let keyring = config.encryption.keyring().map_err(named("TOKEN_ENCRYPTION_KEYS"))?;
        let store = connection_store::connect(&config.database.url).await.map_err(named("DATABASE_URL"))?;
        service_keys::ensure_bootstrap_key(store.as_ref(), &config.keys, clock.now()).await?;
        let state = AppState::new(config, keyring, Arc::clone(&store), clock, routes::described())?;
        let state = Data::new(state);
        let served = Data::clone(&state);
        let bound = HttpServer::new(move || app::build(&served))
            .shutdown_timeout(CONNECTIONS_SECONDS)
            .disable_signals()
            .keep_alive(KEEP_ALIVE)
            .bind(config.server.bind_address)
            .map_err(|error| {
                let address = config.server.bind_address;
                io::Error::new(error.kind(), format!("cannot listen on {address} (BIND_ADDRESS): {error}"))
            })?;
        let address = bound.addrs().first().copied().unwrap_or(config.server.bind_address);
        let (metrics, metrics_address) = match config.metrics.address {
            Some(address) => {
                let (server, address) = metrics_server(address, &state)?;
                (Some(server), Some(address))
            }
            None => (None, None),
        };
        let jobs = Jobs::start(&state, &config.jobs);
        let load = Arc::clone(&state.load);
        Ok(Self { server: bound.run(), address, metrics_address, metrics, store, load, jobs })
    }

    /// Serves until a signal, then lets running requests finish.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self) -> io::Result<()> {
        let stop_signal = stop_signal()?;
        let address = self.address;
        if let Some(address) = self.metrics_address {
            tracing::info!(%address, "metrics are served");
        }
        let metrics = self.metrics.map(serve_beside);
        let stopper = self.jobs.stopper();
        let stopped_at = Arc::new(OnceLock::new());
        let handle = self.server.handle();
        let stop = actix_web::rt::spawn({
            let (stopped_at, load) = (Arc::clone(&stopped_at), self.load);
            async move {
                stop_signal.await;
                let _ = stopped_at.set(Instant::now());
                stopper.send_replace(true);
                handle.pause().await;
                // A worker without connections ends at once, and with it the work whose client has gone.
                let _ = tokio::time::timeout(IN_FLIGHT_TIME, load.is_idle()).await;
                handle.stop(true).await;
            }
        });
        // Polled after the server: by then it accepts connections.
        let announce = async { tracing::info!(%address, "listening") };
        let (outcome, ()) = futures_util::future::join(self.server, announce).await;
        stop.abort();
        let stopping = stopped_at.get().map_or(Duration::ZERO, Instant::elapsed);
        self.jobs.stop(Duration::from_secs(JOBS_SECONDS).saturating_sub(stopping)).await;
        if let Some(metrics) = metrics {
            // It has no request worth waiting for, so this takes no time.
            metrics.stop(false).await;
        }
        let closing = tokio::time::timeout(Duration::from_secs(CLOSE_SECONDS), self.store.close());
        if closing.await.is_err() {
            tracing::warn!("the database did not close in time");
        }
        tracing::info!("stopped");
        outcome
    }
}

/// Catches the signals that stop the service from this call on, and returns a future of the first of them.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Returns a future of Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}

/// Serves `/metrics` and nothing else. It has one worker and leaves signals to the main server.
fn metrics_server(address: SocketAddr, state: &Data<AppState>) -> io::Result<(Server, SocketAddr)> {
    let state = Data::clone(state);
    let bound = HttpServer::new(move || {
        App::new().app_data(Data::clone(&state)).configure(routes::metrics::configure)
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address} (METRICS_ADDRESS): {error}"))
    })?;
    let address = bound.addrs().first().copied().unwrap_or(address);
    Ok((bound.run(), address))
}

/// Runs a server until its handle stops it.
fn serve_beside(server: Server) -> ServerHandle {
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "metrics are served no longer");
        }
    });
    handle
}

fn named<E: std::error::Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> io::Error {
    move |error| {
        let because = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        io::Error::other(format!("{what}: {error}{because}"))
    }
}

/// Tells from when on a window holds that is not the usual one: the time of each stored token's refresh is decided already.
fn tell_refresh_window(window: SignedDuration) {
    if window != JobsConfig::REFRESH_WINDOW {
        tracing::info!(
            days = window.as_hours() / 24,
            "REFRESH_WINDOW_DAYS holds for each token from its next refresh on"
        );
    }
}

/// A redirect URI that leads to neither of our callback routes works at the provider and ends nowhere.
fn warn_about_redirect_uris(config: &Config) {
    let of_instagram = config.instagram.app.as_ref().map(|app| &app.redirect_uri);
    let of_spotify = config.spotify.app.as_ref().map(|app| &app.redirect_uri);
    for (provider, variable, redirect_uri) in [
        (Provider::Instagram, "INSTAGRAM_REDIRECT_URI", of_instagram),
        (Provider::Spotify, "SPOTIFY_REDIRECT_URI", of_spotify),
    ] {
        let Ok(redirect_uri) = redirect_uri else { continue };
        let ours: Vec<_> =
            config.server.callbacks(provider).into_iter().map(|(_, address)| address).collect();
        if !ours.contains(redirect_uri) {
            let expected = ours.join(" or ");
            tracing::warn!(
                redirect_uri,
                expected,
                "{variable} is not one of this service's callback addresses"
            );
        }
    }
}
