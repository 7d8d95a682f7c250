//! Events of a connection, the newest first.

use leptos::prelude::*;
use shared::{ConnectionEvent, EventKind, EventOutcome};

use super::rows::{self, Row};
use crate::components::icon::{self, Icon};
use crate::components::moment::{heard, time};
use crate::format;
use crate::ticking::ticking_now;

/// The id of the list, which takes the focus when the button below it is gone.
pub const LIST_ID: &str = "timeline";

/// Returns the class of an event's colour, and its icon. The sentence says the same.
fn look(event: &ConnectionEvent) -> (&'static str, &'static str) {
    match event.kind {
        EventKind::NeedsReauthorization => ("row-icon row-icon-bad", icon::ALERT),
        EventKind::PermissionLost => ("row-icon row-icon-warning", icon::ALERT),
        EventKind::RefreshFailed | EventKind::SyncFailed => ("row-icon row-icon-warning", icon::CLOCK),
        EventKind::Disconnected => ("row-icon", icon::CROSS),
        _ if event.outcome == EventOutcome::Failed => ("row-icon row-icon-warning", icon::ALERT),
        EventKind::Connected => ("row-icon row-icon-good", icon::LINK),
        EventKind::Refreshed => ("row-icon row-icon-good", icon::KEY),
        EventKind::Synced => ("row-icon", icon::SYNC),
        EventKind::TokenRead => ("row-icon", icon::KEY),
        EventKind::Unknown => ("row-icon", icon::DASHED),
    }
}

/// The list. Syncs that follow each other are one entry.
#[component]
pub fn EventList(
    /// The events, the newest first.
    #[prop(into)]
    events: Signal<Vec<ConnectionEvent>>,
) -> impl IntoView {
    let now = ticking_now();
    view! {
        <ol class="rows timeline" id=LIST_ID tabindex="-1" aria-label="Events, the newest first">
            {move || rows::rows(&events.read()).into_iter().map(|row| entry(&row, now)).collect_view()}
        </ol>
    }
}

fn entry(row: &Row, now: RwSignal<f64>) -> AnyView {
    let (class, svg) = look(&row.event);
    let at = format::milliseconds(&row.event.at);
    let several = row.times > 1;
    let when = move || {
        let now = now.get();
        let ago = format::ago(at, now);
        if several && now - at >= 60_000.0 { format!("latest: {ago}") } else { ago }
    };
    view! {
        <li class="row">
            <span class=class>
                <Icon svg />
            </span>
            <p class="row-text">{row.sentence()}</p>
            <p class="row-time">
                {time(&row.event.at, when)} {heard(at)}
            </p>
        </li>
    }
    .into_any()
}
