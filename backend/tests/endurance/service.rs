//! Services as processes of their own, with a clock that tests move, over a database that outlives them.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use connection_store::test_support::MongoServer;
use connection_store::{Connection, ConnectionFilter, Event, Store, Subject};
use instagram_simulator::{Config, Consent, Simulator};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};
use shared::Provider;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

const REDIRECT_URI: &str = "http://localhost:4002/auth/instagram/callback";
const APP_SECRET: &str = "canary-app-secret-5d1e";
const PASSWORD: &str = "a long password";
const KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The database that the services share.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Database {
    Sqlite,
    MongoDb,
}

/// Parts that outlive a service: the providers, the database, the time.
pub(crate) struct World {
    pub(crate) instagram: Simulator,
    pub(crate) spotify: spotify_simulator::Simulator,
    pub(crate) mongodb: Option<MongoServer>,
    folder: TempDir,
    pub(crate) database_url: String,
    passed: Mutex<Duration>,
}

impl World {
    pub(crate) fn new(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let instagram = Simulator::start(Config {
            app_secret: APP_SECRET.to_owned(),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            ..Config::default()
        })
        .unwrap();
        let spotify = spotify_simulator::Simulator::start(spotify_simulator::Config::default()).unwrap();
        let (mongodb, database_url) = match database {
            Database::Sqlite => (None, format!("sqlite:{}", folder.path().join("test.db").display())),
            Database::MongoDb => {
                let server = MongoServer::start_own();
                let url = server.fresh_database_url();
                (Some(server), url)
            }
        };
        let world = Self { instagram, spotify, mongodb, folder, database_url, passed: Mutex::default() };
        world.write_clock(Duration::ZERO);
        world
    }

    /// Lets time pass, for the providers first: a token must not look older to a service than it is.
    pub(crate) fn advance(&self, by: Duration) {
        let mut passed = self.passed.lock().unwrap();
        *passed += by;
        self.instagram.advance(by);
        self.spotify.advance(by);
        self.write_clock(*passed);
    }

    /// The present, as services see it.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::try_from(*self.passed.lock().unwrap()).unwrap()
    }

    /// Written whole under another name first: a service that reads half a number would travel in time.
    fn write_clock(&self, passed: Duration) {
        let draft = self.folder.path().join("clock.new");
        fs::write(&draft, passed.as_secs().to_string()).unwrap();
        fs::rename(draft, self.clock_file()).unwrap();
    }

    fn clock_file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// The store, opened beside the services.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        connection_store::connect(&self.database_url.parse().unwrap()).await.unwrap()
    }

    /// Starts a service and returns when it listens.
    pub(crate) fn serve(&self, changes: &[(&str, &str)]) -> Service {
        Service::start(self, changes)
    }
}

/// Every connection there is.
pub(crate) async fn all_connections(store: &Arc<dyn Store>) -> Vec<Connection> {
    let mut all: Vec<Connection> = Vec::new();
    for provider in Provider::ALL {
        let mut filter = ConnectionFilter { with_inactive: true, ..ConnectionFilter::default() };
        loop {
            let page = store.connections(provider).list_connections(filter.clone(), 500).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.id.clone());
            all.extend(page);
        }
    }
    all
}

/// The events of a connection, the newest first.
pub(crate) async fn events(store: &Arc<dyn Store>, connection: &Connection, now: Timestamp) -> Vec<Event> {
    let subject = Subject::Connection { provider: connection.provider, id: connection.id.clone() };
    store.events(&subject, &connection.user_id, None, 10_000, now).await.unwrap()
}

/// A service as a process. It is killed when this is dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
    output: Arc<Mutex<String>>,
}

impl Service {
    fn start(world: &World, changes: &[(&str, &str)]) -> Self {
        let mut child = Command::new(program())
            .env_clear()
            .current_dir(world.folder.path())
            .envs([
                ("BIND_ADDRESS", "127.0.0.1:0"),
                ("LOG_FORMAT", "json"),
                ("RUST_LOG", "warn,backend=info"),
                ("DATABASE_URL", &world.database_url),
                ("TOKEN_ENCRYPTION_KEYS", KEYS),
                ("INSTAGRAM_APP_ID", Config::APP_ID),
                ("INSTAGRAM_APP_SECRET", APP_SECRET),
                ("INSTAGRAM_REDIRECT_URI", REDIRECT_URI),
                ("INSTAGRAM_AUTHORIZE_URL", &world.instagram.authorize_url()),
                ("INSTAGRAM_TOKEN_URL", &world.instagram.token_url()),
                ("INSTAGRAM_GRAPH_URL", &world.instagram.graph_url()),
                ("INSTAGRAM_TIMEOUT_SECONDS", "2"),
                ("SPOTIFY_CLIENT_ID", spotify_simulator::Config::CLIENT_ID),
                ("SPOTIFY_CLIENT_SECRET", spotify_simulator::Config::CLIENT_SECRET),
                ("SPOTIFY_REDIRECT_URI", spotify_simulator::Config::REDIRECT_URIS[0]),
                ("SPOTIFY_ACCOUNTS_URL", &world.spotify.accounts_url()),
                ("SPOTIFY_API_URL", &world.spotify.api_url()),
                ("RATE_LIMITS", "off"),
                ("REFRESH_POLL_SECONDS", "1"),
            ])
            .env("CLOCK_OFFSET_FILE", world.clock_file())
            .envs(changes.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let (found, address) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let (output, found) = (Arc::clone(&output), found.clone());
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Ok(event) = serde_json::from_str::<Value>(&line)
                        && event["message"] == "listening"
                    {
                        let _ = found.send(event["address"].as_str().unwrap_or_default().to_owned());
                    }
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                }
            });
        }
        let address = address.recv_timeout(Duration::from_secs(30));
        let address = address.unwrap_or_else(|_| panic!("it did not start: {}", output.lock().unwrap()));
        Self { child, url: format!("http://{address}"), output }
    }

    /// Ends it as a power failure would: `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator would: SIGTERM. Returns what it has printed once it is gone.
    pub(crate) fn terminate(mut self) -> String {
        let kill = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
        assert!(self.child.wait().unwrap().success(), "{}", self.output());
        self.output()
    }

    /// Returns the text that it has printed so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Somebody with an account here, signed in.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            reqwest::Client::builder().cookie_store(true).timeout(Duration::from_secs(30)).build().unwrap();
        let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD});
        let response = client.post(format!("{}/api/users", self.url)).json(&body).send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let (status, answer): (_, Value) = (response.status(), response.json().await.unwrap());
        assert_eq!(status, 201, "{answer}");
        let id = answer["user"]["id"].as_str().unwrap().to_owned();
        Person { client, url: self.url.clone(), id, cookie }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The service with a movable clock: an example, which is built with the tests, beside them.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples/instagram-connect-with-clock");
    assert!(program.is_file(), "build it first: cargo build --package backend --examples");
    program
}

/// A client with a session.
pub(crate) struct Person {
    client: reqwest::Client,
    url: String,
    id: String,
    /// Name and value of the session's cookie.
    cookie: String,
}

impl Person {
    /// The same session at another service.
    pub(crate) fn at(&self, service: &Service) -> Self {
        // The cookie is for the host, whatever the port.
        let (client, id, cookie) = (self.client.clone(), self.id.clone(), self.cookie.clone());
        Self { client, url: service.url.clone(), id, cookie }
    }

    /// Status and body of the answer.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.try_call(method, path, body).await.unwrap()
    }

    /// The same, from a service that may die meanwhile.
    pub(crate) async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(u16, Value)> {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = request.header("accept", "application/json");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await.unwrap_or(Value::Null)))
    }

    /// Posts a body, and resets the connection after `meanwhile`, as a browser does whose page is loaded again.
    pub(crate) async fn hang_up(&self, path: &str, body: &Value, meanwhile: impl Future<Output = ()>) {
        let (address, cookie, body) = (&self.url["http://".len()..], &self.cookie, body.to_string());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        meanwhile.await;
        // With this, closing resets the connection.
        stream.set_zero_linger().unwrap();
    }

    /// The body that saves an account by a token that this client has got by itself.
    pub(crate) fn own_token(&self, instagram: &Simulator, username: &str, account_id: &str) -> Value {
        json!({
            "userId": self.id,
            "access_token": instagram.issue_token(username),
            "user_id": account_id,
            "expires_in": 5_183_944,
        })
    }

    /// A program of the person's own, which outlives their session.
    pub(crate) async fn program(&self) -> Self {
        let scopes = ["connections:read", "connections:write"];
        let body = json!({"name": "mine", "scopes": scopes, "password": PASSWORD});
        let (status, answer) = self.call(Method::POST, "/api/api-keys", Some(body)).await;
        assert_eq!(status, 201, "{answer}");
        let bearer = format!("Bearer {}", answer["key"].as_str().unwrap());
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer.try_into().unwrap())]);
        let client = reqwest::Client::builder().default_headers(headers);
        let client = client.timeout(Duration::from_secs(30)).build().unwrap();
        Self { client, url: self.url.clone(), id: self.id.clone(), cookie: String::new() }
    }

    /// Consents at Instagram. Returns the path, with the query, that Instagram sends the browser back to.
    pub(crate) async fn consent(&self, instagram: &Simulator, username: &str) -> String {
        self.way_back(Provider::Instagram, |url| instagram.consent(url, Consent::allow(username))).await
    }

    /// Consents at Spotify, and saves the connection. A person whom Spotify or its weather keeps from it begins anew.
    pub(crate) async fn connect_spotify(&self, spotify: &spotify_simulator::Simulator, username: &str) {
        let mut failed = Vec::new();
        for _ in 0..20 {
            let allow = |url: &str| spotify.consent(url, Consent::allow(username));
            let path = self.way_back(Provider::Spotify, allow).await;
            let (status, answer) = self.call(Method::GET, &path, None).await;
            if status == 200 {
                return self.save_with(Provider::Spotify, &answer).await;
            }
            failed.push(answer);
        }
        panic!("{username}: {failed:?}");
    }

    /// Consents at a provider. Returns the path, with the query, that the provider sends the browser back to.
    async fn way_back(&self, provider: Provider, consent: impl FnOnce(&str) -> String) -> String {
        let login = format!("/auth/{}/login", provider.as_str());
        let (status, answer) = self.call(Method::GET, &login, None).await;
        assert_eq!(status, 200, "{answer}");
        let back = consent(answer["authUrl"].as_str().unwrap());
        back.split_once(":4002").unwrap().1.to_owned()
    }

    /// Saves what an exchange with Instagram has answered.
    pub(crate) async fn save(&self, exchanged: &Value) {
        self.save_with(Provider::Instagram, exchanged).await;
    }

    async fn save_with(&self, provider: Provider, exchanged: &Value) {
        let mut body = exchanged.clone();
        body["userId"] = self.id.clone().into();
        let path = format!("/api/integrations/{}/callback", provider.as_str());
        let (status, answer) = self.call(Method::POST, &path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Connects an account by a token that this client has got by itself.
    pub(crate) async fn connect(&self, instagram: &Simulator, username: &str, account_id: &str) {
        self.save(&self.own_token(instagram, username, account_id)).await;
    }
}
