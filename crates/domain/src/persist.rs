//! Writing what exists nowhere else: a token that a provider has just given or refreshed, the answer to a
//! request that was carried out.

use std::future::Future;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use connection_store::{StoreError, StoreResult};

/// Time for which an outage of the database is waited out: longer than two elections of a MongoDB primary
/// take, of some twelve seconds each.
const OUTAGE: Duration = Duration::from_secs(30);

/// The first pause; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Writes, again and again while the database is away. A write that failed may have been carried out all the same, so that
/// `write` has to be one that can be repeated.
///
/// # Errors
/// Those of the last try: at once when the database refuses, after a while when it stays away.
pub async fn persist<T, W: Future<Output = StoreResult<T>>>(write: impl FnMut() -> W) -> StoreResult<T> {
    let begun = Instant::now();
    let pauses = ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter();
    write
        .retry(pauses)
        .when(|error| matches!(error, StoreError::Unavailable(_)) && begun.elapsed() < OUTAGE)
        .notify(|error, pause| {
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::warn!(cause, ?pause, "what exists nowhere else was not stored yet, and is tried again");
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_refusal_is_final_and_an_absence_is_not() {
        let tries = Cell::new(0);
        let refused = persist(async || -> StoreResult<()> {
            tries.set(tries.get() + 1);
            Err(StoreError::Failed("on purpose".into()))
        });
        assert!(refused.await.is_err());
        assert_eq!(tries.replace(0), 1);
        let away = persist(async || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(StoreError::Unavailable("on purpose".into())) } else { Ok(7) }
        });
        assert_eq!(away.await.unwrap(), 7);
        assert_eq!(tries.get(), 3);
    }
}
