//! A running service and people who use it, over real HTTP, against the simulators and a real database.

mod answer;
mod both;
pub(crate) mod callers;
pub(crate) mod meta;
pub(crate) mod metrics;
mod person;
mod process;
pub(crate) mod receiver;
mod time;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use backend::clock::{Clock, SystemClock};
use backend::config::{Config, Variables};
use backend::server::Service;
use instagram_simulator::{Consent, Simulator, accounts};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

pub(crate) use answer::Answer;
pub(crate) use both::{
    Both, SELDOM_SYNCED, SPOTIFY_SECRET, parameter, query_of, spotify, spotify_variables, token_error,
};
pub(crate) use person::Person;
pub(crate) use process::Process;
pub(crate) use time::{DAY, HOUR, MINUTE, OFTEN, eventually, pass, time_of, until};

pub(crate) const APP_SECRET: &str = "canary-app-secret-2f9c";
pub(crate) const PASSWORD: &str = "canary-password-71b3";
pub(crate) const KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A clock that tests move.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_secs()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

const REDIRECT_URI: &str = "http://localhost:4002/auth/instagram/callback";

/// An Instagram for one test.
pub(crate) fn simulator() -> Simulator {
    Simulator::start(instagram_simulator::Config {
        app_secret: APP_SECRET.to_owned(),
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        ..instagram_simulator::Config::default()
    })
    .unwrap()
}

/// Returns the variables that a service needs to use it.
pub(crate) fn instagram_variables(instagram: &Simulator) -> [(&'static str, String); 7] {
    [
        ("TOKEN_ENCRYPTION_KEYS", KEYS.to_owned()),
        ("INSTAGRAM_APP_ID", instagram_simulator::Config::APP_ID.to_owned()),
        ("INSTAGRAM_APP_SECRET", APP_SECRET.to_owned()),
        ("INSTAGRAM_REDIRECT_URI", REDIRECT_URI.to_owned()),
        ("INSTAGRAM_AUTHORIZE_URL", instagram.authorize_url()),
        ("INSTAGRAM_TOKEN_URL", instagram.token_url()),
        ("INSTAGRAM_GRAPH_URL", instagram.graph_url()),
    ]
}

/// A service that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) url: String,
    /// Address of its metrics, if it serves any.
    pub(crate) metrics_url: Option<String>,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start(
        folder: &TempDir,
        instagram: &Simulator,
        clock: &Arc<TestClock>,
        changes: &[(&str, &str)],
    ) -> Self {
        Self::start_adjusted(folder, instagram, clock, changes, |_| {})
    }

    fn start_adjusted(
        folder: &TempDir,
        instagram: &Simulator,
        clock: &Arc<TestClock>,
        changes: &[(&str, &str)],
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let database = format!("sqlite:{}", folder.path().join("test.db").display());
        let of_instagram = instagram_variables(instagram);
        let mut pairs = vec![("BIND_ADDRESS", "127.0.0.1:0"), ("DATABASE_URL", &database)];
        pairs.extend(of_instagram.iter().map(|(name, value)| (*name, value.as_str())));
        pairs.push(("INSTAGRAM_TIMEOUT_SECONDS", "2"));
        // All tests of a service come from one address; those of the limits themselves turn them on.
        pairs.push(("RATE_LIMITS", "off"));
        pairs.extend_from_slice(changes);
        let mut config = Config::from_env(&Variables::from_iter(pairs)).unwrap();
        adjust(&mut config);
        let (ready, started) = mpsc::channel::<(SocketAddr, Option<SocketAddr>, ServerHandle)>();
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = Service::start(&config, clock).await.unwrap();
                ready.send((service.address, service.metrics_address, service.server.handle())).unwrap();
                service.run().await.unwrap();
            });
        });
        let (address, metrics, handle) = started.recv().expect("the service did not start");
        let metrics_url = metrics.map(|address| format!("http://{address}/metrics"));
        Self { url: format!("http://{address}"), metrics_url, handle, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The future need not be awaited: the command is on its way, and the thread ends with the server.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The service, its Instagram and its database. Everything ends when it is dropped, the service first.
pub(crate) struct TestApp {
    pub(crate) service: Running,
    pub(crate) url: String,
    pub(crate) instagram: Simulator,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) folder: TempDir,
}

impl TestApp {
    /// On a SQLite file of its own.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// On a SQLite file of its own, with Ada, who has connected the record shop.
    pub(crate) async fn connected() -> (Self, Person) {
        let app = Self::start();
        let ada = app.with_connection().await;
        (app, ada)
    }

    /// With variables that differ from the usual.
    pub(crate) fn start_with(changes: &[(&str, &str)]) -> Self {
        let (folder, instagram) = (tempfile::tempdir().unwrap(), simulator());
        let clock = Arc::new(TestClock::default());
        let service = Running::start(&folder, &instagram, &clock, changes);
        Self { url: service.url.clone(), service, instagram, clock, folder }
    }

    /// With room for so many requests at once.
    pub(crate) fn start_with_room_for(requests_in_flight: usize) -> Self {
        let (folder, instagram) = (tempfile::tempdir().unwrap(), simulator());
        let clock = Arc::new(TestClock::default());
        let service = Running::start_adjusted(&folder, &instagram, &clock, &[], |config| {
            config.server.requests_in_flight = requests_in_flight;
        });
        Self { url: service.url.clone(), service, instagram, clock, folder }
    }

    /// Another service beside this one, with the same Instagram and clock.
    pub(crate) fn another(&self, changes: &[(&str, &str)]) -> Running {
        Running::start(&self.folder, &self.instagram, &self.clock, changes)
    }

    /// Stops the service and starts it anew, over the same database unless a change says otherwise.
    pub(crate) fn restart_with(mut self, changes: &[(&str, &str)]) -> Self {
        drop(self.service);
        self.service = Running::start(&self.folder, &self.instagram, &self.clock, changes);
        self.url.clone_from(&self.service.url);
        self
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// A client without a session.
    pub(crate) fn anonymous(&self) -> Person {
        Person { client: client(), url: self.url.clone(), id: String::new() }
    }

    /// Somebody with an account, signed in.
    pub(crate) async fn with_user(&self, name: &str) -> Person {
        let mut person = self.anonymous();
        let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD, "name": name});
        let answer = person.sign_up(body).await;
        assert_eq!(answer.status, 201, "{answer}");
        person.id = answer.body["user"]["id"].as_str().unwrap().to_owned();
        person
    }

    /// Somebody who has an account, signed in: the same person at a service that was started anew.
    pub(crate) async fn signed_in(&self, name: &str) -> Person {
        let mut person = self.anonymous();
        let answer = person.sign_in(&format!("{name}@example.com"), PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer}");
        person.id = answer.body["user"]["id"].as_str().unwrap().to_owned();
        person
    }

    /// Ada, who has connected the record shop.
    pub(crate) async fn with_connection(&self) -> Person {
        let ada = self.with_user("ada").await;
        let saved = self.connect(&ada, accounts::RECORD_SHOP).await;
        assert_eq!(saved.status, 200, "{saved}");
        ada
    }

    /// A program that shows this key.
    pub(crate) fn with_key(&self, key: &str) -> Person {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).unwrap();
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, bearer)]);
        let client = client_builder().default_headers(headers).build().unwrap();
        Person { client, url: self.url.clone(), id: String::new() }
    }

    /// A new service key, as the operator makes it.
    pub(crate) fn service_key(&self, scopes: &[&str]) -> String {
        let key = self.operate(&["keys", "create-service", "--name", "host", "--scope", &scopes.join(",")]);
        key.trim().to_owned()
    }

    /// Runs a command as the operator does, and returns its output.
    pub(crate) fn operate(&self, arguments: &[&str]) -> String {
        let database = format!("sqlite:{}", self.database_file().display());
        let output = Command::new(env!("CARGO_BIN_EXE_instagram-connect"))
            .env_clear()
            .current_dir(self.folder.path())
            .env("DATABASE_URL", database)
            .env("TOKEN_ENCRYPTION_KEYS", KEYS)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The callback's query as Instagram sends it after this choice.
    pub(crate) async fn consent(&self, person: &Person, choice: Consent) -> String {
        let login = person.begin_login("").await;
        let auth_url = login.body["authUrl"].as_str().unwrap_or_else(|| panic!("{login}"));
        let redirect = Url::parse(&self.instagram.consent(auth_url, choice)).unwrap();
        redirect.query().unwrap().to_owned()
    }

    /// The callback's answer after this choice.
    pub(crate) async fn exchange(&self, person: &Person, choice: Consent) -> Answer {
        let query = self.consent(person, choice).await;
        person.callback(&query).await
    }

    /// The whole way, to the answer of the save.
    pub(crate) async fn connect(&self, person: &Person, account: &str) -> Answer {
        let exchanged = self.exchange(person, Consent::allow(account)).await;
        assert_eq!(exchanged.status, 200, "{exchanged}");
        person.save(&exchanged.body).await
    }
}

/// Sends a request, without its client's cookies, and hangs up when `meanwhile` is done, so that the service notices at once.
pub(crate) async fn hang_up(request: reqwest::RequestBuilder, meanwhile: impl Future<Output = ()>) {
    let request = request.build().unwrap();
    let url = request.url();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let mut sent = format!("{} {} HTTP/1.1\r\nHost: x\r\n", request.method(), url.path()).into_bytes();
    for (name, value) in request.headers() {
        sent.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    sent.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    sent.extend(body);
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(&sent).await.unwrap();
    meanwhile.await;
    // With this, closing resets the connection.
    stream.set_zero_linger().unwrap();
}

/// An HTTP client with a cookie jar, which follows no redirects.
pub(crate) fn client() -> reqwest::Client {
    client_builder().build().unwrap()
}

fn client_builder() -> reqwest::ClientBuilder {
    // Installed once a process; that another test was first is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
}
