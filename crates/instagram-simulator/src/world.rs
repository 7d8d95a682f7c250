//! Everything that the simulator remembers, behind one lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::accounts::Accounts;
use crate::config::Config;
use crate::content::Content;
use crate::failures::Weather;
use crate::faults::{Endpoint, Fault, FaultQueue};
use crate::oauth::Code;
use crate::options::Options;
use crate::refreshes::{LoggedRefresh, RefreshRecord};
use crate::tokens::Token;

/// The simulated Instagram: its people, one app, and what it has issued.
///
/// The rules live beside what they are about: [`crate::oauth`], [`crate::tokens`], [`crate::graph`].
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) accounts: Accounts,
    pub(crate) options: Options,
    pub(crate) faults: FaultQueue,
    pub(crate) weather: Weather,
    /// Authorization codes by their text. A used one stays, so that its second use is told from a wrong one.
    pub(crate) codes: HashMap<String, Code>,
    /// Access tokens by their text. Dead ones stay for [`KEPT_DEAD`], so that they can say why they died.
    pub(crate) tokens: HashMap<String, Token>,
    /// Number of tokens that have been issued, which is the last one's serial number.
    pub(crate) issued: u64,
    pub(crate) refreshes: Vec<LoggedRefresh>,
    pub(crate) content: Content,
    requests: BTreeMap<Endpoint, u64>,
    /// Time by which this world's clock is ahead of the machine's.
    ahead: SignedDuration,
    /// Time at which it was last cleared of what is long dead.
    swept_at: Timestamp,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            accounts: Accounts::made_up(),
            options: Options::default(),
            faults: FaultQueue::default(),
            weather: Weather::default(),
            codes: HashMap::new(),
            tokens: HashMap::new(),
            issued: 0,
            refreshes: Vec::new(),
            content: Content::default(),
            requests: BTreeMap::new(),
            ahead: SignedDuration::ZERO,
            swept_at: Timestamp::now(),
        }
    }

    /// This world's time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    /// Moves the clock forward. It stops at the last time that a timestamp can hold.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        let furthest = Timestamp::MAX.duration_since(Timestamp::now()) - YEAR;
        self.ahead = self.ahead.saturating_add(by).min(furthest);
        self.sweep();
    }

    /// Forgets the tokens and the codes that died long ago, so that years fit into memory.
    fn sweep(&mut self) {
        let now = self.now();
        if now.duration_since(self.swept_at) < SWEEP_PAUSE {
            return;
        }
        self.swept_at = now;
        self.tokens.retain(|_, token| now.duration_since(token.expires_at) < KEPT_DEAD);
        self.codes.retain(|_, code| now.duration_since(code.expires_at) < KEPT_DEAD);
    }

    /// The log of refreshes, oldest first.
    pub(crate) fn refresh_records(&self) -> Vec<RefreshRecord> {
        let record = |logged: &LoggedRefresh| RefreshRecord {
            at: logged.at,
            account: self.accounts[logged.account].username.clone(),
            token: logged.token,
            age_seconds: logged.age_seconds,
            outcome: logged.outcome,
            renewed_into: logged.renewed_into,
            delivered_whole: logged.delivered_whole,
        };
        self.refreshes.iter().map(record).collect()
    }

    /// Counts a request, and takes the fault that waits for it, else what chance does to it.
    pub(crate) fn arrive(&mut self, endpoint: Endpoint) -> Option<Fault> {
        *self.requests.entry(endpoint).or_default() += 1;
        self.faults.take(endpoint).or_else(|| self.weather.strike(endpoint))
    }

    /// Counts the requests that have come to an endpoint.
    pub(crate) fn requests(&self, endpoint: Endpoint) -> u64 {
        match endpoint {
            Endpoint::Any => self.requests.values().sum(),
            one => self.requests.get(&one).copied().unwrap_or_default(),
        }
    }

    /// Starts counting from zero.
    pub(crate) fn reset_requests(&mut self) {
        self.requests.clear();
    }
}

/// Kept free between the clock and the end of time, so that adding a token's life cannot overflow.
const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Time after its end for which a token still says why it is dead. After that it is as unknown as one that
/// never was.
const KEPT_DEAD: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A sweep looks at every token, so a clock that moves in small steps does not sweep at each.
const SWEEP_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Random text that cannot be guessed: `length` bytes from the operating system, in base64url.
pub(crate) fn random_text<const LENGTH: usize>() -> String {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("an operating system without randomness cannot run this");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The world as the server's thread and the tests share it.
#[derive(Clone, Debug)]
pub(crate) struct SharedWorld(Arc<Mutex<World>>);

impl SharedWorld {
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(Mutex::new(World::new(config))))
    }

    /// The world, for this thread alone. Never held across an `await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A test that panics while it holds the lock has failed already; the others can go on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
