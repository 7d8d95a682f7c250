//! State that the application's parts share. It knows the parts, and none of them knows it: handlers,
//! middleware and jobs do.

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use connection_store::Store;
use domain::Providers;
use domain::clock::Clock;
use domain::connections::{Lease, Parts};
use domain::providers::{ConfiguredClient, Spotify};
use domain::work::{BATCH, CONCURRENCY};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use instagram_client::{InstagramClient, SigningSecrets};
use jiff::SignedDuration;
use shared::Provider;
use spotify_client::SpotifyClient;
use token_vault::{Keyring, Vault};
use upstream::ConfigError;
use utoipa::openapi::OpenApi;

use crate::api_error::ApiError;
use crate::caller::{Callers, Passwords, SessionCookie};
use crate::config::{Config, InstagramConfig, SpotifyConfig, WebhooksConfig};
use crate::health::{JobHealth, LastPing};
use crate::limits::{DeviceCookie, Limits, Load};
use crate::metrics::Metrics;
use crate::notifications::Notifications;
use crate::openapi::Documentation;
use crate::pages::WebApp;
use crate::request::Idempotency;

/// State that the application's parts share. One for all workers.
pub(crate) struct AppState {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) connections: Providers,
    pub(crate) callers: Data<Callers>,
    pub(crate) idempotency: Arc<Idempotency>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) limits: Limits,
    pub(crate) load: Arc<Load>,
    pub(crate) notifications: Notifications,
    pub(crate) metrics: Arc<Metrics>,
    /// Secrets that Meta's calls are signed with, or the variables that are missing for it.
    pub(crate) signing_secrets: Result<SigningSecrets, Vec<&'static str>>,
    pub(crate) jobs: Arc<JobHealth>,
    pub(crate) last_ping: LastPing,
    pub(crate) passwords: Passwords,
    pub(crate) session_cookie: SessionCookie,
    pub(crate) device_cookie: DeviceCookie,
    /// The origins that may change state with a cookie: the backend's and the web app's.
    pub(crate) origins: [String; 2],
    /// Lets one line a minute tell the log of refused origins.
    pub(crate) cross_site_lines: DefaultDirectRateLimiter,
    pub(crate) frontend_origin: String,
    pub(crate) is_https: bool,
    /// The web app, where this server serves it.
    pub(crate) web_app: Option<WebApp>,
    /// Documents that describe the API, as they are served.
    pub(crate) documentation: Documentation,
}

impl AppState {
    /// From the configuration and what it opened. `described` has the descriptions of all routes.
    ///
    /// # Errors
    /// When the built web app cannot be read, or no HTTP client can be made.
    pub(crate) fn new(
        config: &Config,
        keyring: Keyring,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        described: OpenApi,
    ) -> io::Result<Self> {
        let Config { server, instagram, spotify, .. } = config;
        let metrics = Arc::new(Metrics::new());
        let vault = Arc::new(Vault::new(keyring));
        let WebhooksConfig { urls, secret, allow_private } = &config.webhooks;
        let notifications = Notifications::new(urls, secret.as_ref(), *allow_private)
            .map_err(|error| io::Error::other(format!("OUTBOUND_WEBHOOK_URLS: {error}")))?;
        let parts = Parts {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            clock: Arc::clone(&clock),
            receivers: notifications.receivers(),
            observer: Arc::clone(&metrics) as _,
            lease: lease(instagram.timeout),
            refresh_window: config.jobs.refresh_window,
        };
        let of_instagram = instagram_client(instagram, &metrics).map_err(io::Error::other)?;
        let of_spotify = spotify_client(spotify, &metrics).map_err(io::Error::other)?;
        let connections = Providers::new(&parts, |provider| match provider {
            Provider::Instagram => of_instagram.clone(),
            Provider::Spotify => of_spotify.clone(),
        });
        let session_cookie = SessionCookie::new(server.is_https());
        let read_app = |dist: &PathBuf| WebApp::read(dist, [&instagram.graph_url, &spotify.api_url]);
        Ok(Self {
            connections,
            callers: Data::new(Callers::new(Arc::clone(&store), Arc::clone(&clock), session_cookie.clone())),
            idempotency: Arc::new(Idempotency::new(
                Arc::clone(&store),
                Arc::clone(&vault),
                Arc::clone(&clock),
                lease(instagram.timeout).whole,
            )),
            vault,
            limits: Limits::new(&config.limits, Arc::clone(&store), Arc::clone(&clock)),
            load: Arc::new(Load::new(server.requests_in_flight)),
            store,
            clock,
            notifications,
            passwords: Passwords::new(metrics.password_hashes()),
            metrics,
            signing_secrets: signing_secrets(instagram),
            jobs: Arc::default(),
            last_ping: LastPing::default(),
            documentation: Documentation::new(described, &server.public_origin(), session_cookie.name())
                .map_err(io::Error::other)?,
            session_cookie,
            device_cookie: DeviceCookie::new(server.is_https()),
            origins: [server.public_origin(), server.frontend_origin()],
            cross_site_lines: RateLimiter::direct(Quota::per_minute(NonZeroU32::MIN)),
            frontend_origin: server.frontend_origin(),
            is_https: server.is_https(),
            web_app: server.frontend_dist.as_ref().map(read_app).transpose()?,
        })
    }
}

/// Returns the state of the application that a request arrived at.
///
/// # Errors
/// `internal`.
pub(crate) fn state_of(request: &HttpRequest) -> Result<&Data<AppState>, ApiError> {
    request.app_data::<Data<AppState>>().ok_or_else(|| ApiError::internal("the application has no state"))
}

/// Time for the store: as long as [`persist`](domain::persist) waits an outage out, and the last attempt after it.
const STORE_TIME: SignedDuration = SignedDuration::from_secs(40);

/// Returns the time for which a worker keeps a batch to itself: as long as calls take that all time out, and
/// the store after them.
fn lease(upstream_timeout: Duration) -> Lease {
    let call = SignedDuration::try_from(upstream_timeout).unwrap_or(SignedDuration::from_mins(2));
    let rounds = BATCH.div_ceil(CONCURRENCY as u32);
    Lease { whole: call * rounds.cast_signed() + STORE_TIME * 3, one: call + STORE_TIME }
}

/// The secrets that may sign what Meta sends, or the names of the variables that are missing for an app.
fn signing_secrets(config: &InstagramConfig) -> Result<SigningSecrets, Vec<&'static str>> {
    let app = config.app.as_ref().map_err(Clone::clone)?;
    Ok(SigningSecrets::new([&app.secret].into_iter().chain(&config.meta_app_secret).cloned()))
}

/// The client of Instagram, or the names of the variables that are missing for it.
fn instagram_client(
    config: &InstagramConfig,
    metrics: &Arc<Metrics>,
) -> Result<ConfiguredClient, ConfigError> {
    let app = match &config.app {
        Ok(app) => app,
        Err(missing) => return Ok(Err(missing.clone())),
    };
    let client = InstagramClient::new(instagram_client::Config {
        observer: Some(Arc::clone(metrics) as _),
        ..config.client(app)
    })?;
    Ok(Ok(Arc::new(client)))
}

/// The client of Spotify, or the names of the variables that are missing for it.
fn spotify_client(config: &SpotifyConfig, metrics: &Arc<Metrics>) -> Result<ConfiguredClient, ConfigError> {
    let app = match &config.app {
        Ok(app) => app,
        Err(missing) => return Ok(Err(missing.clone())),
    };
    let client = SpotifyClient::new(spotify_client::Config {
        observer: Some(Arc::clone(metrics) as _),
        ..config.client(app)
    })?;
    Ok(Ok(Arc::new(Spotify { client, scopes: config.scopes.clone() })))
}
