//! Events of a subject, and the receivers to notify.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::Provider;

use crate::StoreResult;

/// Longest time that a delivery waits: the worker that notifies the receivers has given up long before.
pub(crate) const DELIVERY_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The thing that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A connection.
    Connection {
        /// The provider of its account.
        provider: Provider,
        /// Its id.
        id: String,
    },
}

/// Something that happens to a subject. It is written together with the change that it tells of: both are stored, or
/// neither is, whatever happens to the program or the machine in between.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Names the event for ever. Stored once, however often it is written.
    pub id: String,
    /// Kind of the event: a name that the store hands back and does not look into.
    pub kind: String,
    /// Tells whether the event ended as wanted.
    pub succeeded: bool,
    /// A sentence for the subject's owner.
    pub message: String,
    /// Time until which the event is kept; `None`: as long as the subject is.
    pub expires_at: Option<Timestamp>,
    /// Receivers that have to be told: one delivery is made for each. The store does not look into the names.
    pub notify: Vec<String>,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub id: String,
    /// Kind of the event.
    pub kind: String,
    /// Time at which the event happened.
    pub at: Timestamp,
    /// Tells whether the event ended as wanted.
    pub succeeded: bool,
    /// A sentence for the connection's owner.
    pub message: String,
}

/// End of a page of events: the next page begins after this event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor {
    /// Time at which the event happened.
    pub at: Timestamp,
    /// Its name: several can happen in one millisecond.
    pub id: String,
}

/// A message that a receiver has to get. It is made by an event of the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The event's name.
    pub event_id: String,
    /// Receiver that has to be notified: one of [`NewEvent::notify`].
    pub receiver: String,
    /// Kind of the event.
    pub kind: String,
    /// Time at which the event happened.
    pub at: Timestamp,
    /// The subject that it happened to.
    pub subject: Subject,
    /// The user whose subject it was.
    pub user_id: String,
    /// The account's id at the provider.
    pub provider_account_id: String,
    /// Number of attempts to deliver it, this one included.
    pub attempts: u32,
}

/// Events of connections and what has to be told of them.
#[async_trait]
pub trait Events {
    /// The events of a subject of a user, the newest first, from after `cursor` on; at most `limit`. What has expired is
    /// left out, and so is what happened while it was another user's.
    async fn events(
        &self,
        subject: &Subject,
        user_id: &str,
        cursor: Option<EventCursor>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Event>>;

    /// Takes deliveries that are due, those that are due longest before the others. Each is taken by one caller only, however
    /// many ask at once, until `lease_until`, and counts as tried.
    async fn claim_deliveries(
        &self,
        lease_until: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<Delivery>>;

    /// Forgets a delivery: it has arrived, or is given up.
    async fn finish_delivery(&self, event_id: &str, receiver: &str) -> StoreResult<()>;

    /// Puts the next try of a delivery off.
    async fn reschedule_delivery(
        &self,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()>;

    /// Puts a delivery off that was taken and not tried: it does not count as tried.
    async fn release_delivery(
        &self,
        event_id: &str,
        receiver: &str,
        not_before: Timestamp,
    ) -> StoreResult<()>;

    /// Finishes what a process that died began: events that were written with their change and are not yet where
    /// [`events`](Self::events) and [`claim_deliveries`](Self::claim_deliveries) find them. Returns how many there were. To
    /// be called now and then; costs one look at an index where there is nothing to do.
    async fn settle_events(&self, older_than: SignedDuration, now: Timestamp) -> StoreResult<u64>;
}
