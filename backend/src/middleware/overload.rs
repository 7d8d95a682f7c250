//! Refusing at once what could only be answered late.
//!
//! A worker does one thing after the other, so how long requests wait for it shows in how late its timer is. While that is
//! more than a moment, and stays so, a part of the requests is refused: as many as it takes for the others to be answered in
//! time. The rest of a burst waits; a queue that does not go away is what is cut.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest, rt};

/// How often the lateness is looked at.
const TICK: Duration = Duration::from_millis(2);

/// How late is too late.
const TARGET: Duration = Duration::from_millis(2);

/// Looks in a row, all of them too late, from which on requests are refused: a tenth of a second.
const STANDING: u32 = 50;

/// Nobody looks any more when so many looks have seen no request.
const IDLE: u32 = 500;

/// How often the log may tell of what is refused.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// By how much fewer requests are let in at each look that is too late, and by how many more at one that is not.
const FEWER: f64 = 0.9;
const MORE: f64 = 0.005;

/// Of so many requests one is let in whatever happens.
const LEAST: f64 = 1.0 / 64.0;

thread_local! {
    static WORKER: OnceCell<Rc<Worker>> = const { OnceCell::new() };
}

/// Marks a request that is to be refused.
struct Refused;

/// Whether this request is to be refused, by the worker that it came to. Decided once, before anything else is done for it.
pub(super) fn refuses(request: &ServiceRequest) -> bool {
    // Whoever asks how the service is gets an answer.
    let refuses = !matches!(request.path(), "/healthz" | "/readyz")
        && WORKER.with(|worker| worker.get_or_init(Rc::default).refuses());
    if refuses {
        request.extensions_mut().insert(Refused);
    }
    refuses
}

/// What [`refuses`] has said of this request.
pub(super) fn has_refused(request: &HttpRequest) -> bool {
    request.extensions().contains::<Refused>()
}

/// How one worker stands.
struct Worker {
    /// The part of the requests that is let in.
    admitted: Cell<f64>,
    /// What of it has gathered since a request was let in last: each is let in that makes it one.
    gathered: Cell<f64>,
    late_in_a_row: Cell<u32>,
    /// Looks since the last request; `None` while nobody looks.
    idle: Cell<Option<u32>>,
    /// Requests that were refused since the log has told of it, and when that was.
    refused: Cell<u64>,
    told: Cell<Option<Instant>>,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            admitted: Cell::new(1.0),
            gathered: Cell::new(0.0),
            late_in_a_row: Cell::new(0),
            idle: Cell::new(None),
            refused: Cell::new(0),
            told: Cell::new(None),
        }
    }
}

impl Worker {
    fn refuses(self: &Rc<Self>) -> bool {
        if self.idle.replace(Some(0)).is_none() {
            rt::spawn(Rc::clone(self).look());
        }
        let gathered = self.gathered.get() + self.admitted.get();
        self.gathered.set(gathered.fract());
        let refuses = gathered < 1.0;
        if refuses {
            self.refused.set(self.refused.get() + 1);
        }
        refuses
    }

    /// Looks for as long as requests come.
    async fn look(self: Rc<Self>) {
        while let Some(idle) = self.idle.get().filter(|&idle| idle < IDLE) {
            self.idle.set(Some(idle + 1));
            let asked = Instant::now();
            tokio::time::sleep(TICK).await;
            self.saw(asked.elapsed().saturating_sub(TICK));
            if self.told.get().is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                self.tell();
            }
        }
        self.tell();
        self.idle.set(None);
    }

    /// One line for all that was refused: a line for each would be the next overload.
    fn tell(&self) {
        let refused = self.refused.take();
        if refused > 0 {
            tracing::warn!(refused, "more is asked than can be answered in time");
            self.told.set(Some(Instant::now()));
        }
    }

    fn saw(&self, lateness: Duration) {
        let is_late = lateness > TARGET;
        self.late_in_a_row.set(if is_late { self.late_in_a_row.get() + 1 } else { 0 });
        let admitted = self.admitted.get();
        // Once some are refused, the queue is short, and each look counts.
        if is_late && (admitted < 1.0 || self.late_in_a_row.get() >= STANDING) {
            self.admitted.set((admitted * FEWER).max(LEAST));
        } else if !is_late {
            self.admitted.set((admitted + MORE).min(1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_millis(3);

    fn refused(worker: &Worker, of: u32) -> u32 {
        let worker = Rc::new(Worker {
            admitted: worker.admitted.clone(),
            // As if somebody looked: nothing is spawned.
            idle: Cell::new(Some(0)),
            ..Worker::default()
        });
        (0..of).map(|_| u32::from(worker.refuses())).sum()
    }

    #[test]
    fn a_burst_is_served_and_a_standing_queue_is_cut() {
        let worker = Worker::default();
        for _ in 1..STANDING {
            worker.saw(LATE);
        }
        assert_eq!(refused(&worker, 1000), 0);
        worker.saw(Duration::ZERO);
        worker.saw(LATE);
        assert_eq!(refused(&worker, 1000), 0, "it went away in between");
        for _ in 1..STANDING {
            worker.saw(LATE);
        }
        let some = refused(&worker, 1000);
        assert!((100..200).contains(&some), "{some}");
        for _ in 0..100 {
            worker.saw(LATE);
        }
        let most = refused(&worker, 640);
        assert_eq!(most, 630, "some are always let in");
    }

    #[test]
    fn all_are_let_in_again_when_there_is_time() {
        let worker = Worker { admitted: Cell::new(LEAST), ..Worker::default() };
        for _ in 0..200 {
            worker.saw(Duration::ZERO);
        }
        assert_eq!(refused(&worker, 1000), 0);
    }
}
