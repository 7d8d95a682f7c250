//! A connection's state in one glance: an icon, a word and a colour.

use leptos::prelude::*;
use shared::ConnectionStatus;

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
    /// It is not known.
    CouldNotLoad,
}

impl Badge {
    fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NotConnected => ("badge-quiet", icon::DASHED, "Not connected"),
            Self::Connecting => ("badge-quiet", icon::SPINNER, "Connecting…"),
            Self::Connection(ConnectionStatus::Active) => ("badge-good", icon::CHECK, "Connected"),
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
