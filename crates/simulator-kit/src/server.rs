//! A simulator as tests hold it: a running server, and a handle on its world.

use std::fmt::Display;
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

use crate::accounts::Account;
use crate::faults::{PlannedFault, Times};
use crate::parameters::Parameters;
use crate::routes;
use crate::weather::RandomFailures;
use crate::wire::Connection;
use crate::world::{SharedWorld, World};

/// A running simulator.
///
/// It lives in a thread of its own, with a runtime of its own, so a test can start it from any runtime or
/// from none. Dropping it stops it. Its methods act on the simulated world directly, without a request.
///
/// # Panics
///
/// Methods that name an account panic where there is no such account: a test's own mistake, best told at
/// once.
#[derive(Debug)]
pub struct Server<W: World> {
    address: SocketAddr,
    world: SharedWorld<W>,
    server: ServerHandle,
    /// `None` once it has been waited for.
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl<W: World> Server<W> {
    /// Starts a simulator, and returns when it listens.
    ///
    /// # Errors
    ///
    /// Where the address cannot be bound, or a thread cannot be started.
    pub fn start(bind: SocketAddr, world: W) -> io::Result<Self> {
        let world = SharedWorld::new(world);
        let shared = world.clone();
        let (started, starting) = mpsc::channel();
        let name = format!("{}-simulator", W::PROVIDER.to_lowercase());
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(web::Data::new(shared.clone())).configure(routes::configure::<W>)
                })
                .on_connect(|io, data| {
                    if let Some(connection) = io.downcast_ref::<TcpStream>().and_then(Connection::of) {
                        data.insert(connection);
                    }
                })
                // Every answer takes microseconds and the world has one lock: more workers would only wait
                // for it.
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

    /// Makes the next requests to an endpoint fail. A request meets the oldest fault that waits for it, and
    /// only that one.
    pub fn fault(&self, endpoint: W::Endpoint, fault: W::Fault, times: Times) {
        self.lock().base_mut().faults.add(PlannedFault { endpoint, fault, times });
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.lock().base_mut().faults.clear();
    }

    /// Lets a part of all requests fail at random, beside the faults that are planned. Chance starts from the
    /// seed.
    ///
    /// # Panics
    ///
    /// Where the rate is not within 0.0 and 1.0.
    pub fn set_random_failures(&self, failures: RandomFailures<W::Endpoint>) {
        let set = self.lock().base_mut().set_random_failures(failures);
        set.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Returns every refresh request so far that named a token which exists, oldest first.
    pub fn refreshes(&self) -> Vec<W::Refresh> {
        self.lock().base().refreshes.clone()
    }

    /// Empties the log of refreshes.
    pub fn clear_refreshes(&self) {
        self.lock().base_mut().refreshes.clear();
    }

    /// Counts the requests that an endpoint has had, failed ones included.
    pub fn requests(&self, endpoint: W::Endpoint) -> u64 {
        self.lock().base().requests(endpoint)
    }

    /// Starts counting requests from zero.
    pub fn reset_requests(&self) {
        self.lock().base_mut().reset_requests();
    }

    /// Moves the simulator's clock forward. Codes, tokens and pictures expire by that clock.
    pub fn advance(&self, by: Duration) {
        self.lock().advance(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX));
    }

    /// Returns the time by the simulator's clock.
    pub fn now(&self) -> Timestamp {
        self.lock().base().now()
    }

    /// Replaces all options.
    pub fn set_options(&self, options: W::Options) {
        self.lock().base_mut().options = options;
    }

    /// Adds an account with everything set, made from how many accounts there are, and reads something of it.
    ///
    /// # Panics
    ///
    /// Where the name is taken, or is not 1 to 30 lower-case letters, digits, dots and underscores.
    pub fn add<T>(&self, username: &str, read: impl FnOnce(&W::Account) -> T) -> T {
        let added = self.lock().base_mut().accounts.add(username).map(read);
        added.unwrap_or_else(|error| panic!("cannot add the account {username:?}: {}", error.message()))
    }

    /// Acts on an account, found by its name.
    pub fn with_account<T>(&self, username: &str, act: impl FnOnce(&mut W, usize) -> T) -> T {
        let mut world = self.lock();
        let Some(account) = world.base().accounts.place(username) else {
            drop(world);
            panic!("the simulator has no account {username:?}");
        };
        act(&mut world, account)
    }

    /// Changes an account as the admin route does.
    pub fn change_account(&self, username: &str, change: <W::Account as Account>::Change) {
        self.with_account(username, |world, account| world.base_mut().accounts[account].change(change));
    }

    /// Plays a person: opens `auth_url`, which has to lead to this path, and returns the result of their
    /// acting there.
    ///
    /// # Panics
    ///
    /// Where the provider would show an error page of its own, and the person would never come back.
    pub fn visit<T, E: Display>(
        &self,
        path: &str,
        auth_url: &str,
        act: impl FnOnce(&mut W, &Parameters) -> Result<T, E>,
    ) -> T {
        let url = Url::parse(auth_url).unwrap_or_else(|error| panic!("{auth_url:?} is not a URL: {error}"));
        assert_eq!(url.path(), path, "the person was not sent to the consent page: {auth_url}");
        let query = form_urlencoded::parse(url.query().unwrap_or_default().as_bytes());
        // The lock is free again before the panic, which else would make every later failure look like this
        // one.
        let result = act(&mut self.lock(), &query.into_owned().collect());
        result.unwrap_or_else(|error| panic!("{} shows its own page: {error} ({auth_url})", W::PROVIDER))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, W> {
        self.world.lock()
    }

    fn join(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the simulator's thread panicked")))
    }
}

impl<W: World> Drop for Server<W> {
    fn drop(&mut self) {
        // The command is sent by the call; its future only tells when it is done, as joining does.
        drop(self.server.stop(false));
        // Nobody is left to hear an error.
        let _ = self.join();
    }
}
