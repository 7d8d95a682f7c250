//! The accounts that were connected before the one that the Instagram card shows, and still are.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus, Timestamp};

use super::avatar::Avatar;
use super::icon::{self, Icon};
use super::instagram_card::{notice_of, reconnect_class};
use super::moment::{heard, time};
use super::status_badge::{Badge, StatusBadge};
use crate::format;
use crate::problem::Problem;

/// The heading's id, which takes the focus when what had it is gone.
pub const TITLE_ID: &str = "other-accounts-title";

/// What the card shows.
#[derive(Clone, Copy)]
pub struct OtherAccounts {
    /// The accounts; without any there is no card.
    pub connections: RwSignal<Vec<Connection>>,
    /// The id of the connection for which the browser is about to leave for Instagram.
    pub leaving: RwSignal<Option<String>>,
    /// Why the last attempt to reconnect did not begin.
    pub problem: RwSignal<Option<Problem>>,
}

impl OtherAccounts {
    /// Before they are known.
    pub fn new() -> Self {
        Self {
            connections: RwSignal::new(Vec::new()),
            leaving: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    /// The connection of this id.
    pub fn find(self, id: &str) -> Option<Connection> {
        self.connections.with_untracked(|all| all.iter().find(|one| one.id == id).cloned())
    }

    /// Forgets an attempt to reconnect.
    pub fn settle(self) {
        self.leaving.set(None);
        self.problem.set(None);
    }
}

/// The id of the button that disconnects the connection of an id.
pub fn disconnect_id(id: &str) -> String {
    format!("disconnect-{id}")
}

/// What a row shows of a connection: while it stays the same the buttons do, and so does the focus on them.
#[derive(Clone, PartialEq)]
struct Row {
    id: String,
    username: String,
    name: Option<String>,
    picture: Option<String>,
    status: ConnectionStatus,
    badge: Badge,
    what_happened: Option<String>,
    connected_at: Timestamp,
}

impl Row {
    fn of(connection: &Connection) -> Self {
        let is_dead = connection.status == ConnectionStatus::NeedsReauthorization;
        Self {
            id: connection.id.clone(),
            username: connection.username.clone(),
            name: connection.name.clone(),
            picture: connection.profile_picture_url.clone(),
            status: connection.status,
            badge: Badge::of(connection),
            what_happened: connection.last_error.clone().filter(|_| is_dead),
            connected_at: connection.connected_at.clone(),
        }
    }
}

/// The card, where there is something to show. It asks with the id of a connection.
pub fn other_accounts_card(
    others: OtherAccounts,
    on_reconnect: Callback<String>,
    on_disconnect: Callback<String>,
) -> AnyView {
    let rows = Memo::new(move |_| others.connections.read().iter().map(Row::of).collect::<Vec<_>>());
    let is_empty = Memo::new(move |_| rows.read().is_empty());
    let card = move || {
        let rows = move || {
            let row = |shown| row(shown, others.leaving, on_reconnect, on_disconnect);
            rows.get().into_iter().map(row).collect_view()
        };
        view! {
            <section class="card" aria-labelledby=TITLE_ID>
                <div class="card-head">
                    <h2 class="card-title" id=TITLE_ID tabindex="-1">
                        "Other accounts"
                    </h2>
                </div>
                <div class="card-body">
                    {move || others.problem.get().map(notice_of)}
                    <p class="card-text">
                        "These stay connected, too. Your application works with the account above, which is the one that was \
                        connected or reconnected last."
                    </p>
                </div>
                <ul class="rows">{rows}</ul>
            </section>
        }
        .into_any()
    };
    (move || (!is_empty.get()).then(card)).into_any()
}

fn row(
    shown: Row,
    leaving: RwSignal<Option<String>>,
    on_reconnect: Callback<String>,
    on_disconnect: Callback<String>,
) -> AnyView {
    let Row { id, username, name, picture, status, badge, what_happened, connected_at } = shown;
    let name = name.unwrap_or_else(|| username.clone());
    let username = format!("@{username}");
    let of_account = format!(" {username}");
    let connected = format::milliseconds(&connected_at);
    let note = what_happened.map(|what| view! { <p class="row-note">{what}</p> }.into_any());
    let reconnect = (status != ConnectionStatus::Active)
        .then(|| reconnect_button(id.clone(), of_account.clone(), status, leaving, on_reconnect));
    view! {
        <li class="row">
            <Avatar picture name class="avatar-small" />
            <div class="row-text">
                <p class="row-title">{username} <StatusBadge badge /></p>
                {note}
                <p class="row-note">
                    "Connected " {time(&connected_at, move || format::date(connected))} {heard(connected)}
                </p>
            </div>
            <div class="row-end">
                {reconnect}
                <button
                    type="button"
                    class="button"
                    id=disconnect_id(&id)
                    on:click=move |_| on_disconnect.run(id.clone())
                >
                    "Disconnect"
                    <span class="only-heard">{of_account}</span>
                </button>
            </div>
        </li>
    }
    .into_any()
}

fn reconnect_button(
    id: String,
    of_account: String,
    status: ConnectionStatus,
    leaving: RwSignal<Option<String>>,
    on_reconnect: Callback<String>,
) -> AnyView {
    let own = id.clone();
    let is_leaving = Memo::new(move |_| leaving.read().as_ref() == Some(&own));
    view! {
        <button
            type="button"
            class=reconnect_class(status)
            aria-disabled=move || leaving.read().is_some().to_string()
            on:click=move |_| {
                if leaving.read_untracked().is_none() {
                    on_reconnect.run(id.clone());
                }
            }
        >
            {move || is_leaving.get().then(|| view! { <Icon svg=icon::SPINNER /> })}
            "Reconnect"
            <span class="only-heard">{of_account}</span>
        </button>
    }
    .into_any()
}
