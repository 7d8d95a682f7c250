//! Telling the host application what happened.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::web::Data;
use connection_store::Delivery;
use jiff::{SignedDuration, Timestamp};

use crate::metrics::DeliveryOutcome;
use crate::notifications::{Sent, TIMEOUT};
use crate::state::AppState;
use domain::Error;
use domain::clock::later;
use domain::jittered;
use domain::work::{BATCH, Work};

/// Messages that are sent at once.
const CONCURRENCY: usize = 10;

/// For how long after the event a receiver that does not accept its message is tried.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// For how long a receiver that lets a message wait in vain is sent nothing. What is for it meanwhile is put off untried, so that
/// one that hangs keeps the messages of the others waiting once a minute and not each time.
const SILENCE: SignedDuration = SignedDuration::from_mins(1);

/// For how long a message to a receiver that this process does not know is left to those that do.
const OTHERS_TURN: Duration = Duration::from_secs(60);

/// The longest wait that a receiver can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(6 * 3600);

/// Seconds between one try and the next: the first pauses, and the one that all others have.
const PAUSES: [u64; 7] = [5, 30, 120, 600, 1800, 3600, 7200];
const LAST_PAUSE: u64 = 4 * 3600;

/// Delivers what is due. A receiver can get a message twice, after a crash or a lost answer, and never none: it knows one that
/// it has by its id.
pub(super) struct Deliveries {
    state: Data<AppState>,
    lease: SignedDuration,
    /// Receivers that have let a message wait in vain, and until when nothing is sent to them.
    silent: RefCell<BTreeMap<String, Timestamp>>,
}

impl Deliveries {
    pub(super) fn new(state: &Data<AppState>) -> Self {
        state.notifications.announce();
        // As long as a batch takes of which every message times out, and half a minute for the store.
        let rounds = i64::from(BATCH).div_euclid(CONCURRENCY as i64) + 1;
        let sending = SignedDuration::from_secs(TIMEOUT.as_secs() as i64 * rounds);
        Self {
            state: Data::clone(state),
            lease: sending + SignedDuration::from_secs(30),
            silent: RefCell::default(),
        }
    }

    /// Until when a receiver is sent nothing; `None` while it is.
    fn silent_until(&self, receiver: &str, now: Timestamp) -> Option<Timestamp> {
        let mut silent = self.silent.borrow_mut();
        silent.retain(|_, until| *until > now);
        silent.get(receiver).copied()
    }

    async fn deliver(&self, delivery: &Delivery) {
        let now = self.state.clock.now();
        let Delivery { event_id, receiver, attempts, .. } = delivery;
        if let Some(until) = self.silent_until(receiver, now) {
            // As if it had not been claimed.
            if let Err(error) = self.state.store.release_delivery(event_id, receiver, until).await {
                // The lease is the wait then.
                Error::from(error).log();
            }
            return;
        }
        let sent = self.state.notifications.send(delivery, now).await;
        if sent == Sent::silence() {
            self.silent.borrow_mut().entry(receiver.clone()).or_insert(now + SILENCE);
        }
        let store = &self.state.store;
        // The message stands for at least as long as its lease when the store fails here: it is sent once more.
        let (outcome, stored) = match sent {
            Sent::Accepted => {
                tracing::info!(event = event_id, receiver, attempts, "a webhook was delivered");
                (DeliveryOutcome::Delivered, store.finish_delivery(event_id, receiver).await)
            }
            Sent::Gone => {
                tracing::warn!(event = event_id, receiver, "a webhook's receiver is gone (410)");
                (DeliveryOutcome::Gone, store.finish_delivery(event_id, receiver).await)
            }
            // Backends may be restarted with other receivers one by one, or one of them was started with the wrong ones.
            Sent::NoReceiver if now.duration_since(delivery.at) < PATIENCE => {
                tracing::debug!(
                    event = event_id,
                    receiver,
                    "a webhook is left to a process that knows its receiver"
                );
                let next = (now + jittered(OTHERS_TURN)).min(later(delivery.at, PATIENCE));
                (DeliveryOutcome::LeftToOthers, store.release_delivery(event_id, receiver, next).await)
            }
            Sent::NoReceiver => {
                tracing::info!(event = event_id, receiver, "a webhook's receiver is no longer configured");
                (DeliveryOutcome::Dropped, store.finish_delivery(event_id, receiver).await)
            }
            Sent::Failed { reason, .. } if now.duration_since(delivery.at) >= PATIENCE => {
                tracing::warn!(event = event_id, receiver, attempts, reason, "a webhook was given up");
                (DeliveryOutcome::GivenUp, store.finish_delivery(event_id, receiver).await)
            }
            Sent::Failed { reason, retry_after } => {
                tracing::warn!(event = event_id, receiver, attempts, reason, "a webhook was not delivered");
                // One try is made at the very end.
                let next = (now + wait(*attempts, retry_after)).min(later(delivery.at, PATIENCE));
                (DeliveryOutcome::Failed, store.reschedule_delivery(event_id, receiver, next).await)
            }
        };
        self.state.metrics.delivered(outcome);
        if let Err(error) = stored {
            Error::from(error).log();
        }
    }
}

impl Work for Deliveries {
    type Row = Delivery;

    const CONCURRENCY: usize = CONCURRENCY;

    async fn claim(&self) -> Result<Vec<Delivery>, Error> {
        let now = self.state.clock.now();
        Ok(self.state.store.claim_deliveries(now + self.lease, BATCH, now).await?)
    }

    async fn run(&self, delivery: &Delivery) {
        self.deliver(delivery).await;
    }

    async fn release(&self, deliveries: &[Delivery]) -> Result<(), Error> {
        let now = self.state.clock.now();
        for Delivery { event_id, receiver, .. } in deliveries {
            self.state.store.release_delivery(event_id, receiver, now).await?;
        }
        Ok(())
    }
}

/// Returns the wait after so many attempts: longer each time, up to a quarter more or less by chance, and as
/// long as the receiver asks for within reason.
fn wait(attempts: u32, retry_after: Option<Duration>) -> Duration {
    let index = attempts.saturating_sub(1) as usize;
    let pause = Duration::from_secs(PAUSES.get(index).copied().unwrap_or(LAST_PAUSE));
    jittered(pause).max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_honour_the_receiver_within_reason() {
        for (attempts, seconds) in [(0, 5), (1, 5), (2, 30), (7, 7200), (8, 14_400), (u32::MAX, 14_400)] {
            let (wait, expected) = (wait(attempts, None), Duration::from_secs(seconds));
            assert!(expected * 3 / 4 <= wait && wait <= expected * 5 / 4, "{attempts}: {wait:?}");
        }
        assert_eq!(wait(1, Some(Duration::from_secs(100))).as_secs(), 100);
        assert!(wait(3, Some(Duration::from_secs(1))) >= Duration::from_secs(90));
        assert_eq!(wait(1, Some(Duration::MAX)), LONGEST_RETRY_AFTER);
    }
}
