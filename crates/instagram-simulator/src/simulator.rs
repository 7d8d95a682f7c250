//! The simulator as tests hold it.

use std::io;
use std::ops::Deref;

use jiff::Timestamp;
use simulator_kit::{Consent, Server};

use crate::account::Account;
use crate::accounts::AccountIds;
use crate::config::Config;
use crate::options::UserIdKind;
use crate::signed_request::SignedBy;
use crate::world::World;

/// A running simulator. What every simulator can do, it can do as a [`Server`].
///
/// # Panics
///
/// Methods that name an account panic where there is no such account: a test's own mistake, best told at once.
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
        self.visit("/oauth/authorize", auth_url, |world, query| {
            world.authorize(query).and_then(|request| world.decide(&request, choice))
        })
    }

    /// Returns the `signed_request` that Meta posts when a person removes the app or wants their data
    /// deleted. An option decides whether `user_id` is text or a number
    /// ([`Options::signed_request_user_id`](crate::Options::signed_request_user_id)).
    pub fn signed_request(
        &self,
        username: &str,
        signed_by: SignedBy,
        id: UserIdKind,
        issued_at: Timestamp,
    ) -> String {
        self.with_account(username, |world, account| world.signed_request(account, signed_by, id, issued_at))
    }

    /// Kills every token of an account, with the `error_subcode` that says why: 458 app removed, 460 password changed,
    /// 463 expired… Tokens issued later live.
    pub fn revoke(&self, username: &str, subcode: i64) {
        self.with_account(username, |world, account| world.revoke(account, subcode));
    }

    /// Tells whether the account's tokens have been revoked and none has been issued since.
    pub fn is_revoked(&self, username: &str) -> bool {
        self.with_account(username, |world, account| world.base.accounts[account].revoked().is_some())
    }

    /// Adds a Business account with every profile field set, made from how many accounts there are.
    ///
    /// # Panics
    ///
    /// Where the name is taken, or is not 1 to 30 lower-case letters, digits, dots and underscores.
    pub fn add_account(&self, username: &str) -> AccountIds {
        self.add(username, Account::ids)
    }

    /// The two ids of an account.
    pub fn account_ids(&self, username: &str) -> AccountIds {
        self.with_account(username, |world, account| world.base.accounts[account].ids())
    }

    /// Sets whether the app may act for an account. Where not, every Graph call answers code 100,
    /// `IGApiException`.
    pub fn set_app_access(&self, username: &str, allowed: bool) {
        self.with_account(username, |world, account| world.base.accounts[account].app_access = allowed);
    }

    /// A valid long-lived token with every permission, as a client with an OAuth flow of its own would hold.
    pub fn issue_token(&self, username: &str) -> String {
        self.with_account(username, World::issue_long_lived)
    }

    /// Sets an account's `followers_count`.
    pub fn set_followers(&self, username: &str, followers: u64) {
        self.with_account(username, |world, account| {
            world.base.accounts[account].followers = Some(followers);
        });
    }
}
