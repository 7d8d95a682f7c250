//! Running the service: open what the configuration names, serve, stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::Data;
use connection_store::Store;

use crate::app::{self, AppState};
use crate::clock::Clock;
use crate::config::{Config, InstagramConfig, ServerConfig};
use crate::jobs::Jobs;
use crate::routes::CALLBACK_PATH;

/// Seconds that running requests get after SIGTERM, then the jobs, then the database. The process is gone within ten.
const FINISH_SECONDS: u64 = 5;
const JOBS_SECONDS: u64 = 2;
const CLOSE_SECONDS: u64 = 2;

/// A service that listens and waits to be run.
pub struct Service {
    /// Resolves when the server has stopped. Nothing is served before it is polled.
    pub server: Server,
    /// Where it listens: the port that was found, where port 0 was asked for.
    pub address: SocketAddr,
    store: Arc<dyn Store>,
    jobs: Jobs,
}

impl Service {
    /// Opens the database and the keys and binds the address.
    ///
    /// # Errors
    /// With a sentence that names what could not be had.
    pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> io::Result<Self> {
        warn_about_redirect_uri(&config.instagram, &config.server);
        // The keys first: whether the database is there tells whether they may be made.
        let keyring = config.encryption.keyring().map_err(named("TOKEN_ENCRYPTION_KEYS"))?;
        let store = connection_store::connect(&config.database.url).await.map_err(named("DATABASE_URL"))?;
        let state = AppState::new(&config.server, &config.instagram, keyring, Arc::clone(&store), clock)?;
        let state = Data::new(state);
        let served = Data::clone(&state);
        let bound = HttpServer::new(move || app::build(&served))
            .shutdown_timeout(FINISH_SECONDS)
            .bind(config.server.bind_address)
            .map_err(|error| {
                let address = config.server.bind_address;
                io::Error::new(error.kind(), format!("cannot listen on {address} (BIND_ADDRESS): {error}"))
            })?;
        let address = bound.addrs().first().copied().unwrap_or(config.server.bind_address);
        let jobs = Jobs::start(state, &config.jobs, config.instagram.timeout);
        Ok(Self { server: bound.run(), address, store, jobs })
    }

    /// Serves until a signal, then lets running requests finish.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self) -> io::Result<()> {
        let address = self.address;
        // Polled after the server: by then it accepts connections and minds signals.
        let announce = async { tracing::info!(%address, "listening") };
        let (outcome, ()) = futures_util::future::join(self.server, announce).await;
        self.jobs.stop(Duration::from_secs(JOBS_SECONDS)).await;
        let closing = tokio::time::timeout(Duration::from_secs(CLOSE_SECONDS), self.store.close());
        if closing.await.is_err() {
            tracing::warn!("the database did not close in time");
        }
        tracing::info!("stopped");
        outcome
    }
}

fn named<E: std::error::Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> io::Error {
    move |error| {
        let because = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        io::Error::other(format!("{what}: {error}{because}"))
    }
}

/// A redirect URI that leads to neither of our callback routes works at Instagram and ends nowhere.
fn warn_about_redirect_uri(instagram: &InstagramConfig, server: &ServerConfig) {
    let Ok(app) = &instagram.app else { return };
    let ours =
        [server.public_origin(), server.frontend_origin()].map(|origin| format!("{origin}{CALLBACK_PATH}"));
    if !ours.contains(&app.redirect_uri) {
        tracing::warn!(
            redirect_uri = app.redirect_uri,
            expected = ours.join(" or "),
            "INSTAGRAM_REDIRECT_URI is not one of this service's callback addresses"
        );
    }
}
