//! One thing that was looked at, and what was found.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;

/// Time limit of one check. Longer than a database or a provider keeps anybody waiting by default.
pub(super) const LIMIT: Duration = Duration::from_secs(15);

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Ok,
    /// It works, but should be looked at; or nothing can be told.
    Warning,
    Failed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) status: Verdict,
    /// Finding of the check.
    pub(super) message: String,
    /// Advice on how to deal with it.
    pub(super) advice: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, status: Verdict::Ok, message: message.into(), advice: None }
    }

    pub(super) fn warning(name: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: Verdict::Warning, message: message.into(), advice: Some(advice.into()) }
    }

    pub(super) fn failed(name: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: Verdict::Failed, message: message.into(), advice: Some(advice.into()) }
    }
}

/// The check, or that it took too long.
pub(super) async fn within(name: &'static str, check: impl Future<Output = Check>) -> Check {
    tokio::time::timeout(LIMIT, check).await.unwrap_or_else(|_| too_slow(name))
}

/// That a check took too long.
pub(super) fn too_slow(name: &'static str) -> Check {
    let message = format!("no answer within {} s", LIMIT.as_secs());
    Check::failed(
        name,
        message,
        "something between here and there swallows what is sent: a firewall, a proxy, an overload",
    )
}
