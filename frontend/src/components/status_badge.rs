//! A connection's state in one glance: an icon, a word and a colour.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use super::icon::{self, Icon};

/// What a badge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// Nothing is connected.
    NotConnected,
    /// The browser is about to leave for Instagram.
    Connecting,
    /// A connection, by its state.
    Connection(ConnectionStatus),
    /// A connection that works, and may not do all that was asked for.
    Limited,
    /// It is not known.
    CouldNotLoad,
}

impl Badge {
    /// The badge of a connection.
    pub fn of(connection: &Connection) -> Self {
        match connection.status {
            ConnectionStatus::Active if !connection.missing_scopes.is_empty() => Self::Limited,
            status => Self::Connection(status),
        }
    }

    fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NotConnected => ("badge-quiet", icon::DASHED, "Not connected"),
            Self::Connecting => ("badge-quiet", icon::SPINNER, "Connecting…"),
            Self::Connection(ConnectionStatus::Active) => ("badge-good", icon::CHECK, "Connected"),
            Self::Limited => ("badge-warning", icon::ALERT, "Limited"),
            Self::Connection(ConnectionStatus::Expiring) => ("badge-warning", icon::CLOCK, "Renewal delayed"),
            Self::Connection(ConnectionStatus::NeedsReauthorization) => {
                ("badge-bad", icon::ALERT, "Action needed")
            }
            Self::CouldNotLoad => ("badge-bad", icon::CROSS, "Could not load"),
        }
    }
}

/// Shows a badge.
#[component]
pub fn StatusBadge(
    /// What it says.
    badge: Badge,
) -> impl IntoView {
    let (class, svg, words) = badge.parts();
    view! {
        <span class=format!("badge {class}")>
            <Icon svg />
            {words}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(status: &str, missing: &str) -> &'static str {
        let json = format!(
            r#"{{"id":"1","username":"shop","connectedAt":"","lastSync":"","expiresAt":"","needsRefresh":false,
                "status":"{status}","scopes":[],"missingScopes":[{missing}]}}"#
        );
        Badge::of(&serde_json::from_str(&json).unwrap()).parts().2
    }

    #[test]
    fn a_connection_that_lacks_a_permission_is_limited() {
        let missing = r#""instagram_business_content_publish""#;
        assert_eq!(words("active", ""), "Connected");
        assert_eq!(words("active", missing), "Limited");
        assert_eq!(words("expiring", missing), "Renewal delayed", "what is urgent comes first");
        assert_eq!(words("needs_reauthorization", missing), "Action needed");
    }
}
