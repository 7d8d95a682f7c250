//! Limits on how often a client may ask.
//!
//! Two kinds: [`general`] ones keep one client from taking a process for itself; they are counted in its memory. Strict ones
//! guard what is worth guessing or costs money ([`Rule`]); they are counted in the store, so that they hold for all backends
//! together and beyond a restart.
//!
//! What refuses a request is known in memory: refusing costs no look at the database. There are two exceptions, each bounded for
//! an address: the waits after wrong passwords, since each backend may end them ([`SIGN_IN`]), and a key or session that was not
//! good lately, which has to be looked up before it is known for whom it counts ([`CALLERS_OF_ADDRESS`]).

mod client_address;
mod general;
mod load;
mod marks;
mod sign_in;

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_store::{SecretHash, Store};
use domain::clock::Clock;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use self::client_address::{claims_another, client_address, counted_as};
use self::general::General;
use self::marks::Marks;
use crate::api_error::{ApiError, Quota};
use crate::config::{LimitsConfig, RateLimits};

pub(crate) use load::{Admitted, Load};
pub(crate) use sign_in::DeviceCookie;

/// A strict limit: so often in a window, for each of whom it counts.
pub(crate) struct Rule {
    name: &'static str,
    limit: u32,
    window: SignedDuration,
}

/// Signing in, by address. See [`sign_in`] for what holds for an account.
pub(crate) const SIGN_IN: Rule = Rule { name: "sign-in", limit: 60, window: SignedDuration::from_mins(10) };

/// Making an account, by address.
pub(crate) const SIGN_UP: Rule = Rule { name: "sign-up", limit: 60, window: SignedDuration::from_hours(1) };

/// Exchanging a code, by user, and by address where a browser asks; saving a raw token, by user.
pub(crate) const CALLBACK: Rule = Rule { name: "callback", limit: 60, window: SignedDuration::from_mins(10) };

/// Opening a host application's link, by address.
pub(crate) const HOST_LINK: Rule =
    Rule { name: "host-link", limit: 60, window: SignedDuration::from_mins(10) };

/// Signing in by a host application's link, by address.
pub(crate) const HOST_SIGN_IN: Rule =
    Rule { name: "host-sign-in", limit: 60, window: SignedDuration::from_mins(10) };

/// Calls to providers that a program makes up, by owner: all of an owner's keys and sessions together.
pub(crate) const PROXY: Rule = Rule { name: "proxy", limit: 1200, window: SignedDuration::from_hours(1) };

/// Being given a provider's own token, by key and user.
pub(crate) const TOKEN: Rule = Rule { name: "token", limit: 60, window: SignedDuration::from_hours(1) };

/// Reading a profile because its owner asks, by owner.
pub(crate) const SYNC: Rule = Rule { name: "sync", limit: 60, window: SignedDuration::from_hours(1) };

/// Refreshing a token because its owner asks, by owner.
pub(crate) const REFRESH: Rule = Rule { name: "refresh", limit: 20, window: SignedDuration::from_hours(1) };

/// Requests that a session or a key may make at once; they come back within [`CALLER_WINDOW`], so it is 600 a
/// minute.
const CALLER_LIMIT: u32 = 100;
const CALLER_WINDOW: Duration = Duration::from_secs(10);

/// Requests that all sessions and keys of one address may make together, in the same time. As many lookups
/// are allowed for keys and sessions that may be none, in a count of their own: a client that makes some up
/// takes nothing from the good ones.
const CALLERS_OF_ADDRESS: u32 = 10 * CALLER_LIMIT;

/// Requests that an address may make at once without either; they come back within [`ADDRESS_WINDOW`], so it
/// is 300 a minute.
const ADDRESS_LIMIT: u32 = 100;
const ADDRESS_WINDOW: Duration = Duration::from_secs(20);

/// For how long after its use a key or session is known to have been good.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// All limits. One for the whole process.
pub(crate) struct Limits {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rate_limits: RateLimits,
    trusted_proxies: Vec<IpNet>,
    callers: Option<General<SecretHash>>,
    callers_of_addresses: Option<General<IpAddr>>,
    /// Looks at the database for keys and sessions that are not [`known`](Self::known).
    lookups: Option<General<IpAddr>>,
    addresses: Option<General<IpAddr>>,
    /// Set once the log has told of an `X-Forwarded-For` that is not believed.
    has_told_of_proxy: AtomicBool,
    /// Keys and sessions that were good lately.
    known: Marks<SecretHash>,
    /// Names of strict limits that are used up, until they begin anew.
    used_up: Marks<String>,
}

impl Limits {
    /// As configured.
    pub(crate) fn new(config: &LimitsConfig, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let scale = |usual| config.rate_limits.scale(usual);
        Self {
            store,
            clock,
            rate_limits: config.rate_limits,
            trusted_proxies: config.trusted_proxies.clone(),
            callers: scale(CALLER_LIMIT).and_then(|limit| General::new("caller", limit, CALLER_WINDOW)),
            callers_of_addresses: scale(CALLERS_OF_ADDRESS)
                .and_then(|limit| General::new("callers-of-address", limit, CALLER_WINDOW)),
            lookups: scale(CALLERS_OF_ADDRESS).and_then(|limit| General::new("lookup", limit, CALLER_WINDOW)),
            addresses: scale(ADDRESS_LIMIT).and_then(|limit| General::new("address", limit, ADDRESS_WINDOW)),
            has_told_of_proxy: AtomicBool::new(false),
            known: Marks::default(),
            used_up: Marks::default(),
        }
    }

    /// Tells whether there are any limits.
    pub(crate) fn is_on(&self) -> bool {
        self.rate_limits != RateLimits::Off
    }

    /// Counts a request that shows a key or a session, before that is looked up: for the key or session, if that was good lately,
    /// else as a lookup of its address. `None` where only looking it up will tell.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn count_shown(
        &self,
        shown: &SecretHash,
        request: &HttpRequest,
    ) -> Result<Option<Quota>, ApiError> {
        if self.known.end(shown, self.clock.now()).is_some() {
            return self.count_caller(shown, request);
        }
        count(self.lookups.as_ref(), &self.address(request)).map(|_| None)
    }

    /// Notes that the key or session which a request shows has turned out to be good, and counts the request for it unless that
    /// is done. `None` where there are no limits.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn proved(
        &self,
        shown: SecretHash,
        counted: Option<Quota>,
        request: &HttpRequest,
    ) -> Result<Option<Quota>, ApiError> {
        let now = self.clock.now();
        self.known.set(shown, now + KNOWN_FOR, now);
        if counted.is_some() { Ok(counted) } else { self.count_caller(&shown, request) }
    }

    /// Counts a request for its address: the key or session that it shows is none. `None` where there are no limits.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn disproved(
        &self,
        shown: &SecretHash,
        request: &HttpRequest,
    ) -> Result<Option<Quota>, ApiError> {
        self.known.remove(shown);
        self.count_address(request)
    }

    /// Counts a request for a good key or session first: what is one too many for it takes nothing from the others of its address.
    fn count_caller(&self, shown: &SecretHash, request: &HttpRequest) -> Result<Option<Quota>, ApiError> {
        let quota = count(self.callers.as_ref(), shown)?;
        count(self.callers_of_addresses.as_ref(), &self.address(request))?;
        Ok(quota)
    }

    /// Counts a request of somebody of whom no more is known than the address. `None` where there are no limits.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn count_address(&self, request: &HttpRequest) -> Result<Option<Quota>, ApiError> {
        count(self.addresses.as_ref(), &self.address(request))
    }

    /// Counts a try under a strict limit by the address that it comes from.
    ///
    /// # Errors
    /// `rate_limited`, `unavailable`.
    pub(crate) async fn strict_by_address(&self, rule: &Rule, request: &HttpRequest) -> Result<(), ApiError> {
        self.strict(rule, &format!("address {}", self.address(request))).await
    }

    /// Counts a try under a strict limit by a stored user's id.
    ///
    /// # Errors
    /// `rate_limited`, `unavailable`.
    pub(crate) async fn strict_by_user(&self, rule: &Rule, user_id: &str) -> Result<(), ApiError> {
        self.strict(rule, &format!("user {user_id}")).await
    }

    /// Counts a try under a strict limit by the key that asks and the stored id of the user that it asks about.
    ///
    /// # Errors
    /// `rate_limited`, `unavailable`.
    pub(crate) async fn strict_by_key_and_user(
        &self,
        rule: &Rule,
        key_id: &str,
        user_id: &str,
    ) -> Result<(), ApiError> {
        self.strict(rule, &format!("key {key_id} user {user_id}")).await
    }

    async fn strict(&self, rule: &Rule, who: &str) -> Result<(), ApiError> {
        let Some(limit) = self.rate_limits.scale(rule.limit) else { return Ok(()) };
        let now = self.clock.now();
        let name = format!("{}:{}", rule.name, hashed(who.as_bytes()));
        let end = match self.used_up.end(&name, now) {
            Some(end) => end,
            None => {
                let tries = self.store.count_try(&name, rule.window, now).await?;
                if tries.count <= limit {
                    return Ok(());
                }
                self.used_up.set(name, tries.resets_at, now);
                tries.resets_at
            }
        };
        Err(ApiError::limited(Quota {
            name: rule.name,
            limit,
            window: rule.window.as_secs().unsigned_abs(),
            remaining: 0,
            reset: until(end, now).as_secs() + 1,
        }))
    }

    fn address(&self, request: &HttpRequest) -> IpAddr {
        // Without a peer there is no connection, and then nobody asks; tests of single handlers do.
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        if claims_another(peer, request.headers(), &self.trusted_proxies)
            && !self.has_told_of_proxy.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %peer,
                "X-Forwarded-For came from an address that is not in TRUSTED_PROXIES and is not believed: if a proxy of yours \
                 has this address, all of its clients share one client's limits; this is told once"
            );
        }
        counted_as(client_address(peer, request.headers(), &self.trusted_proxies))
    }
}

/// Counts a request where there is a limit.
fn count<K: Hash + Eq + Clone>(limit: Option<&General<K>>, key: &K) -> Result<Option<Quota>, ApiError> {
    limit.map(|limit| limit.count(key)).transpose().map_err(ApiError::limited)
}

fn until(end: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(now)).unwrap_or_default()
}

/// Returns the hash that stands for somebody in the name of a count: the store holds no addresses and no
/// emails in clear.
fn hashed(who: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(who)[..16])
}
