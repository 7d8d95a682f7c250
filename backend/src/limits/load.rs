//! The requests in flight, which are bounded.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt;

/// Time from the first refusal to the log line that counts it and those after it. A line for each would be the next overload.
const TELL_AFTER: Duration = Duration::from_secs(5);

/// The requests in flight in this process, over all workers.
pub(crate) struct Load {
    most: usize,
    in_flight: AtomicUsize,
    /// Refusals that the log has not told of.
    refused: AtomicU64,
}

impl Load {
    /// None yet, and so many at most.
    pub(crate) fn new(most: usize) -> Self {
        let (in_flight, refused) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { most, in_flight, refused }
    }

    /// Counts a request in, unless there are too many.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Admitted> {
        let is_counted = Cell::new(self.take_place());
        is_counted.get().then(|| Admitted { load: Arc::clone(self), is_counted })
    }

    fn take_place(&self) -> bool {
        let room = |count| (count < self.most).then_some(count + 1);
        self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// Waits until no request is in flight.
    pub(crate) async fn is_idle(&self) {
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        while self.in_flight.load(Ordering::Relaxed) > 0 {
            rt::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Counts a refusal, and has the log tell of it soon.
    pub(crate) fn refuse(self: &Arc<Self>) {
        if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            let load = Arc::clone(self);
            rt::spawn(async move {
                rt::time::sleep(TELL_AFTER).await;
                let refused = load.refused.swap(0, Ordering::Relaxed);
                tracing::warn!(refused, "more is asked than can be answered in time");
            });
        }
    }
}

/// A request that is counted. It travels with the request, so that work which goes on after its client has hung up counts, too.
pub(crate) struct Admitted {
    load: Arc<Load>,
    /// While it waits for its client it is not.
    is_counted: Cell<bool>,
}

impl Admitted {
    /// Gives its place to others.
    pub(crate) fn leave(&self) {
        if self.is_counted.replace(false) {
            self.load.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Takes a place again. False where there is none: the request is refused then.
    pub(crate) fn come_back(&self) -> bool {
        if !self.is_counted.get() {
            self.is_counted.set(self.load.take_place());
        }
        if !self.is_counted.get() {
            self.load.refuse();
        }
        self.is_counted.get()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.leave();
    }
}
