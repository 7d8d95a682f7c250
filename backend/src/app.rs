//! The application: what its parts share, and the one place that assembles routes and middleware.

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, Error};
use connection_store::Store;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use instagram_client::{ConfigError, InstagramClient};
use jiff::SignedDuration;
use token_vault::{Keyring, Vault};
use tracing_actix_web::TracingLogger;

use crate::caller::SessionCookie;
use crate::config::{Config, InstagramConfig};
use crate::idempotency::{self, Idempotency};
use crate::jobs::JobHealth;
use crate::limits::{DeviceCookie, Limits};
use crate::metrics::Metrics;
use crate::middleware::{Load, RequestSpan, Round, admit, finish, guard, limit, measure};
use crate::openapi::Documentation;
use crate::passwords::Passwords;
use crate::routes::{self, LastPing, web_app};
use crate::webhooks::Webhooks;
use domain::Connections;
use domain::clock::Clock;
use domain::connections::{Lease, Timing};
use domain::work::{BATCH, CONCURRENCY};
use instagram_client::SigningSecrets;

/// What the application's parts share. One for all workers.
pub struct AppState {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) connections: Connections,
    pub(crate) idempotency: Idempotency,
    pub(crate) vault: Arc<Vault>,
    pub(crate) limits: Limits,
    pub(crate) load: Arc<Load>,
    pub(crate) webhooks: Webhooks,
    pub(crate) metrics: Arc<Metrics>,
    /// What Meta's calls are signed with, or the variables that are missing for it.
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
    pub(crate) web_app: Option<web_app::WebApp>,
    /// What is served of the API's description.
    pub(crate) documentation: Documentation,
}

impl AppState {
    /// From the configuration and what it opened.
    ///
    /// # Errors
    /// When the built web app cannot be read, or no HTTP client can be made.
    pub fn new(
        config: &Config,
        keyring: Keyring,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let Config { server, instagram, .. } = config;
        let metrics = Arc::new(Metrics::new());
        let client = instagram_client(instagram, &metrics).map_err(io::Error::other)?;
        let vault = Arc::new(Vault::new(keyring));
        let webhooks = Webhooks::new(&config.webhooks)
            .map_err(|error| io::Error::other(format!("OUTBOUND_WEBHOOK_URLS: {error}")))?;
        let session_cookie = SessionCookie::new(server.is_https());
        let read_app = |dist: &PathBuf| web_app::WebApp::read(dist, &instagram.graph_url);
        Ok(Self {
            connections: Connections::new(
                Arc::clone(&store),
                Arc::clone(&vault),
                client,
                Arc::clone(&clock),
                webhooks.receivers(),
                Arc::clone(&metrics) as _,
                Timing { lease: lease(instagram.timeout), refresh_window: config.jobs.refresh_window },
            ),
            idempotency: Idempotency::new(
                Arc::clone(&store),
                Arc::clone(&vault),
                lease(instagram.timeout).whole,
            ),
            vault,
            limits: Limits::new(&config.limits),
            load: Arc::new(Load::new(server.requests_in_flight)),
            store,
            clock,
            webhooks,
            passwords: Passwords::new(metrics.password_hashes()),
            metrics,
            signing_secrets: signing_secrets(instagram),
            jobs: Arc::default(),
            last_ping: LastPing::default(),
            documentation: Documentation::new(&server.public_origin(), session_cookie.name())
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

/// Time for the store: as long as [`persist`](crate::persist::persist) waits an outage out, and the last try after it.
const STORE_TIME: SignedDuration = SignedDuration::from_secs(40);

/// How long a worker keeps a batch to itself: as long as calls take that all time out, and the store after them.
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

/// The client, or the names of the variables that are missing for it.
fn instagram_client(
    config: &InstagramConfig,
    metrics: &Arc<Metrics>,
) -> Result<Result<InstagramClient, Vec<&'static str>>, ConfigError> {
    let app = match &config.app {
        Ok(app) => app.clone(),
        Err(missing) => return Ok(Err(missing.clone())),
    };
    InstagramClient::new(instagram_client::Config {
        app_id: app.id,
        app_secret: app.secret,
        redirect_uri: app.redirect_uri,
        authorize_url: config.authorize_url.clone(),
        token_url: config.token_url.clone(),
        graph_url: config.graph_url.clone(),
        graph_version: config.graph_version.clone(),
        timeout: config.timeout,
        observer: Some(Arc::clone(metrics) as _),
    })
    .map(Ok)
}

/// Assembles the application. A request passes the middleware from the last line to the first.
pub fn build(
    state: &Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(Data::clone(state))
        // This runs once in each worker.
        .app_data(Round::default())
        .configure(routes::configure)
        .default_service(actix_web::web::to(web_app::serve))
        .wrap(from_fn(limit))
        .wrap(from_fn(guard))
        .wrap(cors(&state.frontend_origin))
        .wrap(from_fn(finish))
        .wrap(from_fn(measure))
        .wrap(TracingLogger::<RequestSpan>::new())
        .wrap(from_fn(admit))
}

/// Every route of the API as method and path, such as `GET /api/session`; names in paths are in braces.
pub fn served_routes() -> Vec<String> {
    routes::served().map(|(method, path)| format!("{method} {path}")).collect()
}

/// Exactly the web app's origin, with its cookie.
fn cors(frontend_origin: &str) -> Cors {
    Cors::default()
        .allowed_origin(frontend_origin)
        .supports_credentials()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allowed_headers([
            header::ACCEPT,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            header::HeaderName::from_static("x-request-id"),
        ])
        .allowed_header(idempotency::KEY_HEADER)
        .expose_headers([
            header::ETAG,
            header::RETRY_AFTER,
            header::HeaderName::from_static("ratelimit"),
            header::HeaderName::from_static("ratelimit-policy"),
            header::HeaderName::from_static("x-request-id"),
        ])
        .max_age(600)
}
