//! Marks that a process keeps of its limits, so that a refused request costs no look at the database.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// Keys that are marked until a time each.
pub(super) struct Marks<K> {
    ends: Mutex<HashMap<K, Timestamp>>,
}

impl<K> Default for Marks<K> {
    fn default() -> Self {
        Self { ends: Mutex::default() }
    }
}

impl<K: Hash + Eq> Marks<K> {
    /// Returns the end of a key's mark; `None` when it has none.
    pub(super) fn end<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: Timestamp) -> Option<Timestamp>
    where
        K: Borrow<Q>,
    {
        self.lock().get(key).copied().filter(|&end| end > now)
    }

    /// Marks a key.
    pub(super) fn set(&self, key: K, end: Timestamp, now: Timestamp) {
        let mut ends = self.lock();
        // Before it grows it forgets what has ended.
        if ends.len() == ends.capacity() {
            ends.retain(|_, end| *end > now);
            ends.shrink_to_fit();
        }
        ends.insert(key, end);
    }

    /// Takes the mark from a key.
    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Timestamp>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_mark_ends_and_takes_no_memory_then() {
        let marks = Marks::default();
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        for second in 0..10_000 {
            marks.set(second, at(second + 10), at(second));
        }
        assert_eq!(marks.end(&9_999, at(9_999)), Some(at(10_009)));
        assert_eq!(marks.end(&9_999, at(10_009)), None);
        assert!(marks.lock().len() < 100, "{}", marks.lock().len());
        marks.remove(&9_999);
        assert_eq!(marks.end(&9_999, at(9_999)), None);
    }
}
