//! What the two cards of the Instagram account have in common: the short one of the integrations page, and the one of the
//! connection's own page.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use super::icon::{self, Icon};
use super::problem_notice::docs_link;
use super::status_badge::{Badge, StatusBadge};
use crate::format;
use crate::problem::{Problem, WayOn};

/// The id of the card's main control, which takes the focus when what had it is gone.
pub const ACTION_ID: &str = "instagram-action";

/// The id of the menu of a card, where the menu is not its main control.
pub const MORE_ID: &str = "instagram-more";

/// Shown until the connection is known. `index.html` paints the same file before the program arrives.
pub const SKELETON: &str = include_str!("../../card_skeleton.html");

/// The first row: what it is, how it is, and what can be done.
pub fn head(badge: Badge, action: Option<AnyView>) -> AnyView {
    view! {
        <div class="card-head">
            <span class="card-glyph">
                <Icon svg=icon::INSTAGRAM />
            </span>
            <h2 class="card-title">"Instagram"</h2>
            <StatusBadge badge />
            {action.map(|action| view! { <div class="card-action">{action}</div> })}
        </div>
    }
    .into_any()
}

/// How a button that reconnects looks: where nothing works without it, it is what catches the eye.
pub fn reconnect_class(status: ConnectionStatus) -> &'static str {
    if status == ConnectionStatus::Expiring { "button" } else { "button button-primary" }
}

/// What has to be known about a connection in this state, if anything.
pub fn notice_of_status(connection: &Connection) -> Option<AnyView> {
    match connection.status {
        ConnectionStatus::Active => None,
        ConnectionStatus::Expiring => Some(expiring(connection)),
        ConnectionStatus::NeedsReauthorization => Some(needs_reauthorization(connection)),
    }
}

/// Says that renewal is late, and since when.
fn expiring(connection: &Connection) -> AnyView {
    let since = format::date(format::expiring_since(&connection.expires_at));
    view! {
        <div class="notice notice-warning">
            <p>
                "We have not been able to renew this yet and keep trying. If you want to be safe, reconnect."
            </p>
            <p class="notice-quiet">{format!("Since {since}")}</p>
        </div>
    }
    .into_any()
}

/// Says what happened to the access, since when, and what does not work for that.
fn needs_reauthorization(connection: &Connection) -> AnyView {
    let what = connection
        .last_error
        .clone()
        .unwrap_or_else(|| "Instagram no longer accepts our access to this account.".to_owned());
    let since = connection
        .needs_reauthorization_since
        .as_ref()
        .map(|since| format!("Since {}", format::date(format::milliseconds(since))));
    view! {
        <div class="notice notice-bad">
            <p>{what} " Publishing, messages and updates stop until you reconnect."</p>
            {since.map(|since| view! { <p class="notice-quiet">{since}</p> })}
        </div>
    }
    .into_any()
}

/// Why something did not come about. The card's own button is the way to try again; only documentation is added.
pub fn notice_of(problem: Problem) -> AnyView {
    let docs = problem.ways.iter().find_map(|way| match way {
        WayOn::Docs(label) => Some(docs_link(label)),
        _ => None,
    });
    view! {
        <div class="notice notice-bad" role="alert">
            <p>{problem.sentence}</p>
            {docs}
        </div>
    }
    .into_any()
}
