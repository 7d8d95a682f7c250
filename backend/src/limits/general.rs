//! Limits that keep one client from taking a process for itself: counted in memory, each process for itself.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{NotUntil, RateLimiter};

use crate::api_error::Quota;

/// Time between two sweeps that forget keys with their whole quota again. Memory is bounded by the requests
/// in between.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// A limit for each key: so many at once, and as many again in each window, evenly.
pub(super) struct General<K: Hash + Eq + Clone> {
    name: &'static str,
    at_once: NonZeroU32,
    window: Duration,
    limiter: Limiter<K>,
    swept: Mutex<Instant>,
}

impl<K: Hash + Eq + Clone> General<K> {
    /// `at_once` requests, which come back within `window`. `None` when that cannot be counted.
    pub(super) fn new(name: &'static str, at_once: u32, window: Duration) -> Option<Self> {
        let at_once = NonZeroU32::new(at_once)?;
        // A factor out of this world: nobody can be faster than a request a nanosecond.
        let period = (window / at_once.get()).max(Duration::from_nanos(1));
        let quota = governor::Quota::with_period(period)?.allow_burst(at_once);
        let limiter = RateLimiter::keyed(quota).with_middleware();
        Some(Self { name, at_once, window, limiter, swept: Mutex::new(Instant::now()) })
    }

    /// Counts a request; the error says that it is one too many.
    pub(super) fn count(&self, key: &K) -> Result<Quota, Quota> {
        self.sweep();
        match self.limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.at_once.get().saturating_sub(remaining);
                Ok(self.quota(remaining, self.window * used / self.at_once.get()))
            }
            Err(refused) => Err(self.quota(0, self.wait(&refused))),
        }
    }

    fn wait(&self, refused: &NotUntil<<DefaultClock as Clock>::Instant>) -> Duration {
        refused.wait_time_from(self.limiter.clock().now())
    }

    fn quota(&self, remaining: u32, reset: Duration) -> Quota {
        Quota {
            name: self.name,
            limit: self.at_once.get(),
            window: self.window.as_secs(),
            remaining,
            // A client that waits as long as it is told must not come too early.
            reset: reset.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        }
    }

    /// Forgets whom it need not know. Who finds another at it goes on.
    fn sweep(&self) {
        let Ok(mut swept) = self.swept.try_lock() else { return };
        if swept.elapsed() >= SWEEP_EVERY {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            *swept = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_quota_and_gets_it_back() {
        let general = General::new("test", 3, Duration::from_millis(300)).unwrap();
        for remaining in [2, 1, 0] {
            assert_eq!(general.count(&"a").unwrap().remaining, remaining);
        }
        let refused = general.count(&"a").unwrap_err();
        assert_eq!((refused.remaining, refused.retry_after()), (0, 1));
        assert!(general.count(&"b").is_ok(), "another key has a quota of its own");
        std::thread::sleep(Duration::from_millis(150));
        assert!(general.count(&"a").is_ok());
    }

    #[test]
    fn whoever_has_not_asked_for_long_is_forgotten() {
        let general = General::new("test", 1, Duration::from_millis(1)).unwrap();
        for key in 0..1000 {
            let _ = general.count(&key);
        }
        assert!(general.limiter.len() > 900);
        std::thread::sleep(Duration::from_millis(5));
        *general.swept.lock().unwrap() -= SWEEP_EVERY;
        let _ = general.count(&0);
        assert_eq!(general.limiter.len(), 1);
    }
}
