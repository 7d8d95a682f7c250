//! The real service in this process, with a simulator for its Instagram.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use backend::clock::SystemClock;
use backend::config::{Config, Variables};
use backend::server::Service;
use instagram_connect_client::shared::{CallbackAnswer, SavedConnection};
use instagram_connect_client::{Client, Login, Retries};
use instagram_simulator::{Consent, Simulator};
use tempfile::TempDir;
use url::Url;

/// A service key that may do everything: its service is told to accept it.
pub(crate) const KEY: &str = "igc_live_qryB2tWxrvX1Aq7e2ZD21wcHfmVcQy8ZKmSCKCi5o281Bjq7y";

const REDIRECT_URI: &str = "http://localhost:4002/auth/instagram/callback";
const APP_SECRET: &str = "simulated-app-secret";

/// A service that runs until it is dropped, and a client of it that makes each call once: what these tests ask for is there
/// or it is not.
pub(crate) struct Running {
    pub(crate) client: Client,
    address: String,
    pub(crate) instagram: Simulator,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Running {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let instagram = Simulator::start(instagram_simulator::Config {
            app_secret: APP_SECRET.to_owned(),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            ..instagram_simulator::Config::default()
        })
        .unwrap();
        let database = format!("sqlite:{}", folder.path().join("client.db").display());
        let config = Config::from_env(&Variables::from_iter([
            ("BIND_ADDRESS", "127.0.0.1:0"),
            ("DATABASE_URL", &database),
            ("BOOTSTRAP_SERVICE_KEY", KEY),
            // A test asks more in a second than a program in a minute.
            ("RATE_LIMITS", "off"),
            ("INSTAGRAM_APP_ID", instagram_simulator::Config::APP_ID),
            ("INSTAGRAM_APP_SECRET", APP_SECRET),
            ("INSTAGRAM_REDIRECT_URI", REDIRECT_URI),
            ("INSTAGRAM_AUTHORIZE_URL", &instagram.authorize_url()),
            ("INSTAGRAM_TOKEN_URL", &instagram.token_url()),
            ("INSTAGRAM_GRAPH_URL", &instagram.graph_url()),
        ]))
        .unwrap();
        let (ready, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = Service::start(&config, Arc::new(SystemClock)).await.unwrap();
                ready.send((service.address, service.server.handle())).unwrap();
                service.run().await.unwrap();
            });
        });
        let (address, server) = started.recv().expect("the service did not start");
        let client = Client::new(&format!("http://{address}"), KEY).unwrap().with_retries(Retries::NONE);
        Self {
            client,
            address: format!("http://{address}"),
            instagram,
            server,
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// Returns what Instagram grants when this user allows it for this account.
    pub(crate) async fn granted(&self, user_id: &str, account: &str) -> CallbackAnswer {
        let login = self.client.login_url(user_id, &Login::default()).await.unwrap();
        let back = Url::parse(&self.instagram.consent(&login.auth_url, Consent::allow(account))).unwrap();
        let parameter = |name| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        self.client.exchange(user_id, &parameter("code"), &parameter("state")).await.unwrap()
    }

    /// An address that the service has told, where it really is.
    pub(crate) fn at_its_address(&self, told: &str) -> String {
        let told = Url::parse(told).unwrap();
        format!("{}{}?{}", self.address, told.path(), told.query().unwrap_or_default())
    }

    /// The whole way.
    pub(crate) async fn connect(&self, user_id: &str, account: &str) -> SavedConnection {
        let granted = self.granted(user_id, account).await;
        self.client.save(user_id, granted).await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The future need not be awaited: the command is on its way, and the thread ends with the server.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
