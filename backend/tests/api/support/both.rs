//! A service that both providers are set up for.

use std::ops::Deref;
use std::time::Duration;

use reqwest::Url;
use spotify_simulator::{Consent, Endpoint, Fault, Simulator, accounts};

use super::{Answer, Person, Running, TestApp};

/// No profile is read meanwhile, for which an access token would be made.
pub(crate) const SELDOM_SYNCED: (&str, &str) = ("SYNC_INTERVAL_HOURS", "720");

pub(crate) const SPOTIFY_SECRET: &str = "canary-spotify-secret-5e0d";

/// A service with Spotify beside Instagram. What a service with one provider can do, it can do as a [`TestApp`].
pub(crate) struct Both {
    pub(crate) app: TestApp,
    pub(crate) spotify: Simulator,
}

impl Deref for Both {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

/// A Spotify for one test.
pub(crate) fn spotify() -> Simulator {
    let config = spotify_simulator::Config {
        client_secret: SPOTIFY_SECRET.to_owned(),
        ..spotify_simulator::Config::default()
    };
    Simulator::start(config).unwrap()
}

/// Returns the variables that a service needs to use it.
pub(crate) fn spotify_variables(spotify: &Simulator) -> [(&'static str, String); 5] {
    [
        ("SPOTIFY_CLIENT_ID", spotify_simulator::Config::CLIENT_ID.to_owned()),
        ("SPOTIFY_CLIENT_SECRET", SPOTIFY_SECRET.to_owned()),
        ("SPOTIFY_REDIRECT_URI", spotify_simulator::Config::REDIRECT_URIS[0].to_owned()),
        ("SPOTIFY_ACCOUNTS_URL", spotify.accounts_url()),
        ("SPOTIFY_API_URL", spotify.api_url()),
    ]
}

impl Both {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With variables that differ from the usual.
    pub(crate) fn start_with(changes: &[(&str, &str)]) -> Self {
        let spotify = spotify();
        let app = with_spotify(&spotify, changes, TestApp::start_with);
        Self { app, spotify }
    }

    /// With Ada, who has connected the listener. No job runs by itself: what is asked of Spotify, a test asks.
    pub(crate) async fn connected() -> (Self, Person) {
        Self::connected_with(&[("REFRESH_POLL_SECONDS", "3600")]).await
    }

    /// The same, with these variables.
    pub(crate) async fn connected_with(changes: &[(&str, &str)]) -> (Self, Person) {
        let both = Self::start_with(changes);
        let ada = both.with_user("ada").await;
        let saved = both.connect_spotify(&ada, accounts::LISTENER).await;
        assert_eq!(saved.status, 200, "{saved}");
        both.spotify.reset_requests();
        (both, ada)
    }

    /// Another service beside this one.
    pub(crate) fn another(&self) -> Running {
        with_spotify(&self.spotify, &[], |changes| self.app.another(changes))
    }

    /// Stops the service and starts it anew, over the same database.
    pub(crate) fn restart_with(self, changes: &[(&str, &str)]) -> Self {
        let Self { app, spotify } = self;
        let app = with_spotify(&spotify, changes, |changes| app.restart_with(changes));
        Self { app, spotify }
    }

    /// Lets time pass for the service and for both providers.
    pub(crate) fn pass(&self, time: Duration) {
        self.spotify.advance(time);
        self.instagram.advance(time);
        self.clock.advance(time);
    }

    /// The callback's query as Spotify sends it after this choice.
    pub(crate) async fn consent_to_spotify(&self, person: &Person, choice: Consent) -> String {
        query_of(&self.spotify.consent(&person.spotify().auth_url("").await, choice))
    }

    /// The callback's answer after this choice.
    pub(crate) async fn exchange_spotify(&self, person: &Person, choice: Consent) -> Answer {
        let query = self.consent_to_spotify(person, choice).await;
        person.spotify().callback(&query).await
    }

    /// The whole way, to the answer of the save.
    pub(crate) async fn connect_spotify(&self, person: &Person, account: &str) -> Answer {
        let exchanged = self.exchange_spotify(person, Consent::allow(account)).await;
        assert_eq!(exchanged.status, 200, "{exchanged}");
        person.spotify().save(&exchanged.body).await
    }

    /// Adds an account at either provider.
    pub(crate) fn add_account(&self, provider: &str, name: &str) {
        match provider {
            "instagram" => drop(self.instagram.add_account(name)),
            _ => drop(self.spotify.add_account(name)),
        }
    }

    /// Connects an account of either provider, later than all before, and returns the connection's id.
    pub(crate) async fn connect_with(&self, person: &Person, provider: &str, account: &str) -> String {
        self.clock.advance(Duration::from_secs(1));
        let saved = match provider {
            "instagram" => self.connect(person, account).await,
            _ => self.connect_spotify(person, account).await,
        };
        assert_eq!(saved.status, 200, "{saved}");
        saved.body["connection"]["id"].as_str().unwrap().to_owned()
    }

    /// A program of the person's own, which outlives their session.
    pub(crate) async fn program_of(&self, person: &Person) -> Person {
        let scopes = ["connections:read", "connections:write", "tokens:read"];
        self.with_key(&person.personal_key(&scopes).await)
    }

    /// Counts the rows of a table.
    pub(crate) fn rows(&self, table: &str) -> i64 {
        let database = rusqlite::Connection::open(self.database_file()).unwrap();
        database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    /// Counts the refreshes that Spotify was asked for.
    pub(crate) fn refreshes(&self) -> u64 {
        self.spotify.requests(Endpoint::Refresh)
    }
}

/// Returns an error of Spotify's token endpoint.
pub(crate) fn token_error(error: &str, description: Option<&str>) -> Fault {
    Fault::TokenError { error: error.to_owned(), description: description.map(str::to_owned) }
}

/// Returns a parameter of an address.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Returns the query of an address.
pub(crate) fn query_of(url: &str) -> String {
    Url::parse(url).unwrap().query().unwrap().to_owned()
}

/// Starts something with Spotify's variables before the changes.
fn with_spotify<T>(
    spotify: &Simulator,
    changes: &[(&str, &str)],
    start: impl FnOnce(&[(&str, &str)]) -> T,
) -> T {
    let of_spotify = spotify_variables(spotify);
    let mut all: Vec<_> = of_spotify.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend_from_slice(changes);
    start(&all)
}
