//! Telling the operator of failures that concern the whole app, and not each connection that meets them.

use std::num::NonZeroU32;

use connection_store::Connection;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use shared::Provider;
use upstream::{AccessTo, UpstreamError};

/// Writes one line a minute, however many connections meet a failure.
pub(super) struct Alarm {
    of_app: DefaultDirectRateLimiter,
    of_refusals: DefaultDirectRateLimiter,
}

impl Default for Alarm {
    fn default() -> Self {
        let once_a_minute = || RateLimiter::direct(Quota::per_minute(NonZeroU32::MIN));
        Self { of_app: once_a_minute(), of_refusals: once_a_minute() }
    }
}

impl Alarm {
    /// Tells of a failure. One of the app's is told once a minute, another with its connection.
    pub(super) fn hear(&self, connection: &Connection, error: &UpstreamError) {
        let is_of_app = matches!(
            error,
            UpstreamError::Misconfigured { .. } | UpstreamError::AppAccess { to: AccessTo::Anything }
        );
        let provider = connection.provider.as_str();
        if !is_of_app {
            tracing::warn!(provider, connection = connection.id, %error, "a call with a stored token failed");
        } else if self.of_app.check().is_ok() {
            tracing::error!(provider, %error, "the provider refuses the app; all tokens are kept; see the command doctor");
        }
    }

    /// Tells that tokens are refused whose refusal is not believed yet: where many are at once, it is an outage.
    pub(super) fn hear_refusal(&self, provider: Provider) {
        if self.of_refusals.check().is_ok() {
            let provider = provider.as_str();
            tracing::error!(provider, "the provider refuses tokens; all are kept, and asked about again");
        }
    }
}
