//! How long things take. `cargo test --release -p connection-store --test sqlite -- --ignored measured --nocapture`

use std::time::{Duration, Instant};

use connection_store::{Connections, NewSession, Sessions};

use crate::{new_connection, now, open, seconds};

/// The reads behind one request for a connection: the session, then the connection.
#[tokio::test]
#[ignore = "a measurement"]
async fn session_and_connection_among_ten_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("test.db")).await;
    let now = now();
    let hash = |number: u32| {
        let mut hash = [7; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        hash
    };
    let rows = 10_000;
    let started = Instant::now();
    for number in 0..rows {
        let user_id = format!("user-{number}");
        let session = NewSession {
            token_hash: hash(number),
            user_id: user_id.clone(),
            created_at: now,
            expires_at: now + seconds(600),
        };
        store.create_session(session).await.unwrap();
        store.save_connection(new_connection(&user_id, &user_id), now).await.unwrap();
    }
    println!("a write: {:.1} µs", micros(started.elapsed(), 2 * rows));

    let started = Instant::now();
    for number in 0..rows {
        let session = store.find_session(&hash(number * 7919 % rows), now).await.unwrap().unwrap();
        store.latest_connection(&session.user_id).await.unwrap().unwrap();
    }
    println!("session and connection: {:.1} µs", micros(started.elapsed(), rows));
}

fn micros(elapsed: Duration, count: u32) -> f64 {
    elapsed.as_secs_f64() * 1e6 / f64::from(count)
}
