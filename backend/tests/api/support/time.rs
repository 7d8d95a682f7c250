//! Letting time pass, and waiting for what jobs do meanwhile.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Person, TestApp};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const OFTEN: (&str, &str) = ("REFRESH_POLL_SECONDS", "1");

/// Lets days pass for the service and for Instagram, while people look in often enough to stay signed in.
pub(crate) async fn pass(app: &TestApp, people: &[&Person], days: u32) {
    for step in [days / 2, days - days / 2] {
        app.instagram.advance(step * DAY);
        app.clock.advance(step * DAY);
        for person in people {
            person.connection().await;
        }
    }
}

/// The connection, once it is as wanted.
pub(crate) async fn eventually(person: &Person, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut connection = Value::Null;
    for _ in 0..100 {
        connection = person.connection().await.body["connection"].clone();
        if wanted(&connection) {
            return connection;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still {connection}");
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..300 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came to it: {what}");
}

/// Reads a field that is a time.
pub(crate) fn time_of(body: &Value, field: &str) -> Timestamp {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).parse().unwrap()
}
