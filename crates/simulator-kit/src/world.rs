//! A simulated provider, as the kit sees it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::ServiceConfig;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::accounts::Account;
use crate::answer::Answer;
use crate::base::Base;
use crate::faults::{Endpoint, Fault};

/// A simulated provider: everything that it remembers, and what it answers.
pub trait World: Debug + Send + Sized + 'static {
    /// The provider's name, as people write it.
    const PROVIDER: &'static str;

    /// Its endpoints.
    type Endpoint: Endpoint;
    /// What can go wrong with its answers.
    type Fault: Fault;
    /// Choices between the shapes of its answers.
    type Options: Debug + Default + Send + Serialize + DeserializeOwned;
    /// Its accounts.
    type Account: Account;
    /// An entry of the log of refreshes. No token's text belongs there.
    type Refresh: Clone + Debug + Send + Serialize;

    /// Returns what each world has.
    fn base(&self) -> &Base<Self>;

    /// Returns what each world has.
    fn base_mut(&mut self) -> &mut Base<Self>;

    /// Adds the routes of the provider. They come before the kit's, so a world can add admin routes of its
    /// own.
    fn routes(app: &mut ServiceConfig);

    /// Returns the provider's answer at a path that it does not have.
    fn unknown(path: &str) -> Answer;

    /// Returns the provider's answer for a fault that is no [`Mishap`](crate::Mishap) of the wire.
    fn instead(&self, fault: &Self::Fault) -> Answer;

    /// Returns the kinds of fault that chance picks from, each with its forms. None of them says that a token
    /// is dead.
    fn chances(delay_ms: u64) -> Vec<Vec<Self::Fault>>;

    /// Forgets what died before this time, so that years fit into memory.
    fn sweep(&mut self, dead_before: Timestamp);

    /// Gives tokens without the consent page: the admin route's answer.
    fn issue(&mut self, account: usize) -> Value;

    /// Moves the clock forward.
    fn advance(&mut self, by: SignedDuration) {
        if let Some(dead_before) = self.base_mut().advance(by) {
            self.sweep(dead_before);
        }
    }
}

/// A world as the server's thread and the tests share it.
#[derive(Debug)]
pub struct SharedWorld<W>(Arc<Mutex<W>>);

impl<W> Clone for SharedWorld<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W> SharedWorld<W> {
    pub(crate) fn new(world: W) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Returns the world, for this thread alone. Never hold it across an `await`.
    pub fn lock(&self) -> MutexGuard<'_, W> {
        // A test that panics while it holds the lock has failed already; the others can go on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
