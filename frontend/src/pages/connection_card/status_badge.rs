//! A connection's state in one glance.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use crate::components::badge::badge;
use crate::components::icon;
use crate::providers::Provider;

/// The state that a badge shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The server has no app of the provider's.
    NotConfigured,
    /// Nothing is connected.
    NotConnected,
    /// The browser is about to leave for the provider.
    Connecting,
    /// A connection, by its state.
    Connection(ConnectionStatus),
    /// A connection that works, and may not do all that was asked for.
    Limited,
    /// It is not known.
    CouldNotLoad,
}

impl Status {
    /// Returns the state of a connection.
    pub fn of(connection: &Connection) -> Self {
        match connection.status {
            ConnectionStatus::Active if !connection.missing_scopes.is_empty() => Self::Limited,
            status => Self::Connection(status),
        }
    }

    fn parts(self, provider: &Provider) -> (&'static str, &'static str, &'static str) {
        use ConnectionStatus::{Active, Expiring, NeedsReauthorization};
        match self {
            Self::NotConfigured => ("badge-quiet", icon::DASHED, "Not set up"),
            Self::NotConnected => ("badge-quiet", icon::DASHED, "Not connected"),
            Self::Connecting => ("badge-quiet", icon::SPINNER, "Connecting…"),
            Self::Connection(Active) => ("badge-good", icon::CHECK, "Connected"),
            Self::Limited => ("badge-warning", icon::ALERT, "Limited"),
            Self::Connection(Expiring) => ("badge-warning", icon::CLOCK, provider.expiring.badge),
            Self::Connection(NeedsReauthorization) => ("badge-bad", icon::ALERT, "Action needed"),
            Self::CouldNotLoad => ("badge-bad", icon::CROSS, "Could not load"),
        }
    }
}

/// Shows the badge of a state.
pub fn status_badge(provider: &Provider, status: Status) -> AnyView {
    let (class, svg, words) = status.parts(provider);
    badge(class, svg, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::instagram::INSTAGRAM;
    use crate::providers::spotify::SPOTIFY;

    fn words(status: &str, missing: &str) -> &'static str {
        let json = format!(
            r#"{{"id":"1","provider":"instagram","username":"shop","connectedAt":"","lastSync":"","expiresAt":"","needsRefresh":false,
                "status":"{status}","scopes":[],"missingScopes":[{missing}]}}"#
        );
        Status::of(&serde_json::from_str(&json).unwrap()).parts(&INSTAGRAM).2
    }

    #[test]
    fn a_connection_that_lacks_a_permission_is_limited() {
        let missing = r#""instagram_business_content_publish""#;
        assert_eq!(words("active", ""), "Connected");
        assert_eq!(words("active", missing), "Limited");
        assert_eq!(words("expiring", missing), "Renewal delayed", "what is urgent comes first");
        assert_eq!(words("needs_reauthorization", missing), "Action needed");
    }

    #[test]
    fn an_end_that_comes_near_has_the_words_of_its_provider() {
        let expiring = Status::Connection(ConnectionStatus::Expiring);
        assert_eq!(expiring.parts(&INSTAGRAM).2, "Renewal delayed");
        assert_eq!(expiring.parts(&SPOTIFY).2, "Reconnect soon");
    }
}
