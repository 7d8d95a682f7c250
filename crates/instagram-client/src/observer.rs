//! The observer that is told of each call.

use std::fmt;
use std::time::Duration;

/// Told of each call to Instagram when it is over: for counting them.
///
/// It runs on the task that made the call, before that task gets the outcome, so it must not block.
pub trait CallObserver: Send + Sync {
    /// A call is over. Told exactly once of each one, but for a call that is given up: whose future is dropped.
    fn called(&self, call: &Call);
}

impl fmt::Debug for dyn CallObserver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CallObserver")
    }
}

/// One call that is over. Both names come from small fixed sets, fit for the labels of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Name of the endpoint that was called: `code_exchange`, `long_lived_exchange`, `refresh`, `profile` or
    /// `graph`.
    pub endpoint: &'static str,
    /// The caller's result: `ok`, else the error's [`kind`](crate::InstagramError::kind). An answer that
    /// Instagram means as a success and that cannot be read is `unintelligible`.
    pub outcome: &'static str,
    /// From sending to the answer that has been read.
    pub elapsed: Duration,
}
