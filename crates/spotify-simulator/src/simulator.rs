//! The simulator as tests hold it.

use std::io;
use std::ops::Deref;

use simulator_kit::{Consent, Server};

use crate::account::Account;
use crate::accounts::AccountIds;
use crate::authorize::PageError;
use crate::config::Config;
use crate::tokens::Tokens;
use crate::world::World;

/// A running simulator. What every simulator can do, it can do as a [`Server`].
///
/// # Panics
///
/// Methods that name an account panic where there is no such account: a test's own mistake, best told at
/// once.
#[derive(Debug)]
pub struct Simulator(Server<World>);

impl Deref for Simulator {
    type Target = Server<World>;

    fn deref(&self) -> &Server<World> {
        &self.0
    }
}

impl Simulator {
    /// Starts a simulator, and returns when it listens.
    ///
    /// # Errors
    ///
    /// Where the address cannot be bound, or a thread cannot be started.
    pub fn start(config: Config) -> io::Result<Self> {
        Server::start(config.bind, World::new(config)).map(Self)
    }

    /// Waits until the server ends, which by itself it does not.
    ///
    /// # Errors
    ///
    /// Whatever ended the server.
    pub fn wait(self) -> io::Result<()> {
        self.0.wait()
    }

    /// Returns the origin of the consent page and the token endpoint, which a backend calls
    /// `SPOTIFY_ACCOUNTS_URL`.
    pub fn accounts_url(&self) -> String {
        self.url()
    }

    /// Returns the origin of the Web API, which a backend calls `SPOTIFY_API_URL`.
    pub fn api_url(&self) -> String {
        self.url()
    }

    /// Returns the URL of the consent page.
    pub fn authorize_url(&self) -> String {
        self.url() + AUTHORIZE
    }

    /// Returns the URL of the token endpoint.
    pub fn token_url(&self) -> String {
        self.url() + "/api/token"
    }

    /// Plays a person: opens `auth_url`, decides, and returns the URL to which their browser is sent.
    ///
    /// # Panics
    ///
    /// Where Spotify would show an error page of its own, and the person would never come back.
    pub fn consent(&self, auth_url: &str, choice: Consent) -> String {
        self.visit(AUTHORIZE, auth_url, |world, query| {
            world.authorize(query).and_then(|request| world.decide(&request, choice))
        })
        .0
    }

    /// Plays a person whose browser is signed in as this account, and returns the URL to which Spotify sends
    /// them at once. `None`: it shows the consent page.
    ///
    /// # Panics
    ///
    /// Where Spotify would show an error page of its own.
    pub fn pass_silently(&self, auth_url: &str, username: &str) -> Option<String> {
        self.visit(AUTHORIZE, auth_url, |world, query| {
            let request = world.authorize(query)?;
            let account = world.base.accounts.place(username).ok_or(PageError::UnknownAccount)?;
            Ok::<_, PageError>(world.pass_silently(&request, account))
        })
    }

    /// Plays a person who removes the app: the account's refresh tokens are revoked, and the next consent
    /// shows the page. Tokens issued later live.
    pub fn revoke(&self, username: &str) {
        self.with_account(username, World::revoke);
    }

    /// Tells whether the account's tokens have been revoked and none has been issued since.
    pub fn is_revoked(&self, username: &str) -> bool {
        self.with_account(username, |world, account| world.base.accounts[account].revoked)
    }

    /// Adds a Premium account with every profile field set, made from how many accounts there are.
    ///
    /// # Panics
    ///
    /// Where the name is taken, or is not 1 to 30 lower-case letters, digits, dots and underscores.
    pub fn add_account(&self, username: &str) -> AccountIds {
        self.add(username, Account::ids)
    }

    /// Returns the two ids of an account.
    pub fn account_ids(&self, username: &str) -> AccountIds {
        self.with_account(username, |world, account| world.base.accounts[account].ids())
    }

    /// Returns tokens with every scope, as a client with an OAuth flow of its own would hold them.
    pub fn issue_tokens(&self, username: &str) -> Tokens {
        self.with_account(username, World::issue_tokens).0
    }
}

const AUTHORIZE: &str = "/authorize";
