//! The simulator as tests hold it: a running server, and a handle on its world.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use jiff::{SignedDuration, Timestamp};
use url::{Url, form_urlencoded};

use crate::accounts::{Account, AccountIds};
use crate::config::Config;
use crate::consent::Consent;
use crate::failures::{RandomFailures, Weather};
use crate::faults::{Endpoint, Fault, PlannedFault, Times};
use crate::options::{Options, UserIdKind};
use crate::parameters::Parameters;
use crate::refreshes::RefreshRecord;
use crate::routes;
use crate::signed_request::SignedBy;
use crate::wire::Connection;
use crate::world::{SharedWorld, World};

/// A running simulator.
///
/// It lives in a thread of its own, with a runtime of its own, so a test can start it from any runtime or from none.
/// Dropping it stops it. Its methods act on the simulated world directly, without a request.
///
/// # Panics
///
/// Methods that name an account panic where there is no such account: a test's own mistake, best told at once.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    world: SharedWorld,
    server: ServerHandle,
    /// `None` once it has been waited for.
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Starts a simulator, and returns when it listens.
    ///
    /// # Errors
    ///
    /// Where the address cannot be bound, or a thread cannot be started.
    pub fn start(config: Config) -> io::Result<Self> {
        let bind = config.bind;
        let world = SharedWorld::new(config);
        let shared = world.clone();
        let (started, starting) = mpsc::channel();
        let thread = std::thread::Builder::new().name("instagram-simulator".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(web::Data::new(shared.clone())).configure(routes::configure)
                })
                .on_connect(|io, data| {
                    if let Some(connection) = io.downcast_ref::<TcpStream>().and_then(Connection::of) {
                        data.insert(connection);
                    }
                })
                // Every answer takes microseconds and the world has one lock: more workers would only wait for it.
                .workers(1)
                .disable_signals()
                .bind(bind);
                let server = match server {
                    Ok(server) => server,
                    Err(error) => {
                        // `start` waits for this, so it is there to receive it.
                        let _ = started.send(Err(error));
                        return Ok(());
                    }
                };
                let address = server.addrs().first().copied().ok_or(io::ErrorKind::AddrNotAvailable)?;
                let server = server.run();
                let _ = started.send(Ok((address, server.handle())));
                server.await
            })
        })?;
        let (address, server) = starting.recv().map_err(io::Error::other)??;
        Ok(Self { address, world, server, thread: Some(thread) })
    }

    /// Waits until the server ends, which by itself it does not.
    ///
    /// # Errors
    ///
    /// Whatever ended the server.
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    /// Returns the address on which it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The consent page, which a backend calls `INSTAGRAM_AUTHORIZE_URL`.
    pub fn authorize_url(&self) -> String {
        self.url() + "/oauth/authorize"
    }

    /// The code exchange, which a backend calls `INSTAGRAM_TOKEN_URL`.
    pub fn token_url(&self) -> String {
        self.url() + "/oauth/access_token"
    }

    /// The origin of everything else, which a backend calls `INSTAGRAM_GRAPH_URL`.
    pub fn graph_url(&self) -> String {
        self.url()
    }

    /// Plays a person: opens `auth_url`, decides, and returns the URL to which their browser is sent.
    ///
    /// # Panics
    ///
    /// Where Instagram would show an error page of its own, and the person would never come back.
    pub fn consent(&self, auth_url: &str, choice: Consent) -> String {
        let url = Url::parse(auth_url).unwrap_or_else(|error| panic!("{auth_url:?} is not a URL: {error}"));
        assert_eq!(url.path(), "/oauth/authorize", "the person was not sent to the consent page: {auth_url}");
        let query = form_urlencoded::parse(url.query().unwrap_or_default().as_bytes());
        let query = query.into_owned().collect::<Parameters>();
        let mut world = self.world.lock();
        let redirect = world.authorize(&query).and_then(|request| world.decide(&request, choice));
        // Panicking with the lock held would make every later failure look like this one.
        drop(world);
        redirect.unwrap_or_else(|error| panic!("Instagram shows its own page: {error} ({auth_url})"))
    }

    /// Makes the next requests to an endpoint fail. A request meets the oldest fault that waits for it, and only that one.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault, times: Times) {
        self.world.lock().faults.add(PlannedFault { endpoint, fault, times });
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.world.lock().faults.clear();
    }

    /// Lets a part of all requests fail at random, beside the faults that are planned. Chance starts from the seed.
    ///
    /// # Panics
    ///
    /// Where the rate is not within 0.0 and 1.0.
    pub fn set_random_failures(&self, failures: RandomFailures) {
        let weather = Weather::new(failures).unwrap_or_else(|error| panic!("{error}"));
        self.world.lock().weather = weather;
    }

    /// Every refresh request so far that named a token which exists, oldest first.
    pub fn refreshes(&self) -> Vec<RefreshRecord> {
        self.world.lock().refresh_records()
    }

    /// Empties the log of refreshes.
    pub fn clear_refreshes(&self) {
        self.world.lock().refreshes.clear();
    }

    /// Counts the requests that an endpoint has had, failed ones included.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.world.lock().requests(endpoint)
    }

    /// Starts counting requests from zero.
    pub fn reset_requests(&self) {
        self.world.lock().reset_requests();
    }

    /// Moves the simulator's clock forward. Codes, tokens and pictures expire by that clock.
    pub fn advance(&self, by: Duration) {
        self.world.lock().advance(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX));
    }

    /// The time by the simulator's clock.
    pub fn now(&self) -> Timestamp {
        self.world.lock().now()
    }

    /// Returns the `signed_request` that Meta posts when a person removes the app or wants their data
    /// deleted. An option decides whether `user_id` is text or a number
    /// ([`Options::signed_request_user_id`]).
    pub fn signed_request(
        &self,
        username: &str,
        signed_by: SignedBy,
        id: UserIdKind,
        issued_at: Timestamp,
    ) -> String {
        self.with_account(username, |world, account| world.signed_request(account, signed_by, id, issued_at))
    }

    /// Replaces all options.
    pub fn set_options(&self, options: Options) {
        self.world.lock().options = options;
    }

    /// Kills every token of an account, with the `error_subcode` that says why: 458 app removed, 460 password changed,
    /// 463 expired… Tokens issued later live.
    pub fn revoke(&self, username: &str, subcode: i64) {
        self.with_account(username, |world, account| world.revoke(account, subcode));
    }

    /// Tells whether the account's tokens have been revoked and none has been issued since.
    pub fn is_revoked(&self, username: &str) -> bool {
        self.with_account(username, |world, account| world.accounts[account].revoked().is_some())
    }

    /// Adds a Business account with every profile field set, made from how many accounts there are.
    ///
    /// # Panics
    ///
    /// Where the name is taken, or is not 1 to 30 lower-case letters, digits, dots and underscores.
    pub fn add_account(&self, username: &str) -> AccountIds {
        let added = self.world.lock().accounts.add(username).map(Account::ids);
        added.unwrap_or_else(|error| panic!("cannot add the account {username:?}: {}", error.message()))
    }

    /// The two ids of an account.
    pub fn account_ids(&self, username: &str) -> AccountIds {
        self.with_account(username, |world, account| world.accounts[account].ids())
    }

    /// Sets whether the app may act for an account. Where not, every Graph call answers code 100,
    /// `IGApiException`.
    pub fn set_app_access(&self, username: &str, allowed: bool) {
        self.with_account(username, |world, account| world.accounts[account].app_access = allowed);
    }

    /// A valid long-lived token with every permission, as a client with an OAuth flow of its own would hold.
    pub fn issue_token(&self, username: &str) -> String {
        self.with_account(username, World::issue_long_lived)
    }

    /// Sets an account's `followers_count`.
    pub fn set_followers(&self, username: &str, followers: u64) {
        self.with_account(username, |world, account| world.accounts[account].followers = Some(followers));
    }

    fn with_account<T>(&self, username: &str, act: impl FnOnce(&mut World, usize) -> T) -> T {
        let mut world = self.world.lock();
        let Some(account) = world.accounts.place(username) else {
            drop(world);
            panic!("the simulator has no account {username:?}");
        };
        act(&mut world, account)
    }

    fn join(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the simulator's thread panicked")))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The command is sent by the call; its future only tells when it is done, as joining does.
        drop(self.server.stop(false));
        // Nobody is left to hear an error.
        let _ = self.join();
    }
}
