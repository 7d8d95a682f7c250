//! The observer that is told of each call.

use std::fmt;
use std::time::Duration;

/// Told of each call to a provider when it is over: for counting them.
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

/// One call that is over. The names come from small fixed sets, fit for the labels of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Name of the provider that was called, such as `instagram`.
    pub provider: &'static str,
    /// Name of the endpoint that was called, such as `code_exchange`, `refresh` or `profile`.
    pub endpoint: &'static str,
    /// The caller's result: `ok`, else the error's [`kind`](crate::UpstreamError::kind). An answer that
    /// the provider means as a success and that cannot be read is `unintelligible`.
    pub outcome: &'static str,
    /// From sending to the answer that has been read.
    pub elapsed: Duration,
}
