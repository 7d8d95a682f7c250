//! The accounts that were connected before the one that the connection card shows, and still are.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Connection, ConnectionStatus, ErrorCode, Timestamp};

use crate::callback;
use crate::components::avatar::Avatar;
use crate::components::card::card;
use crate::components::icon::{self, Icon};
use crate::components::moment::{heard, time};
use crate::components::part::Part;
use crate::connect::{self, Purpose};
use crate::format;
use crate::freshness;
use crate::pages::connection_card::{
    Account, Asked, Status, disconnect_id, notice_of, reconnect_class, status_badge,
};
use crate::problem::{NOT_CONNECTED_ANY_MORE, Problem};
use crate::session::HOME;

/// An attempt to reconnect one of the accounts.
#[derive(Clone, Copy)]
pub struct Attempt {
    /// The id of the connection for which the browser is about to leave for the provider.
    leaving: RwSignal<Option<String>>,
    /// Reason for which the last attempt did not begin.
    problem: RwSignal<Option<Problem>>,
}

impl Attempt {
    /// Returns what there is before the first attempt.
    pub fn new() -> Self {
        let attempt = Self { leaving: RwSignal::new(None), problem: RwSignal::new(None) };
        freshness::when_restored(move || attempt.settle());
        attempt
    }

    /// Forgets the attempt.
    pub fn settle(self) {
        self.leaving.set(None);
        self.problem.set(None);
    }

    /// Leaves for the provider to reconnect the connection of this id.
    fn begin(self, account: Account, id: String) {
        if self.leaving.read_untracked().is_some() {
            return;
        }
        self.problem.set(None);
        self.leaving.set(Some(id.clone()));
        spawn_local(async move {
            let before = callback::mark(account.shown().as_ref());
            let (session, provider) = (account.session, account.provider);
            match connect::begin(session, provider, HOME, Purpose::Reconnect, Some(&id), &before).await {
                // The browser is on its way.
                Ok(()) => return,
                // Disconnected in another tab, for example.
                Err(failure) if failure.code() == Some(ErrorCode::NotFound) => {
                    account.toasts.fail(NOT_CONNECTED_ANY_MORE);
                    account.load_and_focus();
                }
                Err(failure) => {
                    self.problem.try_set(Some(Problem::of_connecting(provider, &failure)));
                }
            }
            self.leaving.try_set(None);
        });
    }
}

/// Facts of a connection in a row: while they stay the same the buttons do, and so does the focus on them.
#[derive(Clone, PartialEq)]
struct Row {
    id: String,
    username: String,
    name: Option<String>,
    picture: Option<String>,
    status: ConnectionStatus,
    badge: Status,
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
            badge: Status::of(connection),
            what_happened: connection.last_error.clone().filter(|_| is_dead),
            connected_at: connection.connected_at.clone(),
        }
    }
}

/// The card, where there is something to show.
pub fn other_accounts_card(account: Account, attempt: Attempt) -> AnyView {
    let title_id = format!("{}-other-accounts", account.provider.slug);
    let rows = Memo::new(move |before: Option<&Vec<Row>>| match &*account.connections.read() {
        Part::Ready(connections) => connections.iter().skip(1).map(Row::of).collect(),
        // What could not be asked for is as it was.
        Part::Loading | Part::Failed(_) => before.cloned().unwrap_or_default(),
    });
    let is_empty = Memo::new(move |_| rows.read().is_empty());
    let shown = move || {
        let rows = move || rows.get().into_iter().map(|shown| row(shown, account, attempt)).collect_view();
        let body = view! {
            <div class="card-body">
                {move || attempt.problem.get().map(notice_of)}
                <p class="card-text">
                    "These stay connected, too. Your application works with the account above, which is the one that was \
                    connected or reconnected last."
                </p>
            </div>
            <ul class="rows">{rows}</ul>
        };
        card(title_id.clone(), "Other accounts", None, ().into_any(), body.into_any())
    };
    (move || (!is_empty.get()).then(&shown)).into_any()
}

fn row(shown: Row, account: Account, attempt: Attempt) -> AnyView {
    let Row { id, username, name, picture, status, badge, what_happened, connected_at } = shown;
    let name = name.unwrap_or_else(|| username.clone());
    let of_account = format!(" @{username}");
    let connected = format::milliseconds(&connected_at);
    let note = what_happened.map(|what| view! { <p class="row-note">{what}</p> }.into_any());
    let reconnect = (status != ConnectionStatus::Active)
        .then(|| reconnect_button(id.clone(), of_account.clone(), status, account, attempt));
    let asked = Asked { id: id.clone(), username: username.clone() };
    view! {
        <li class="row">
            <Avatar picture name class="avatar-small" />
            <div class="row-text">
                <p class="row-title">{format!("@{username}")} {status_badge(account.provider, badge)}</p>
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
                    on:click=move |_| account.asking.set(Some(asked.clone()))
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
    account: Account,
    attempt: Attempt,
) -> AnyView {
    let own = id.clone();
    let is_leaving = Memo::new(move |_| attempt.leaving.read().as_ref() == Some(&own));
    view! {
        <button
            type="button"
            class=reconnect_class(status)
            aria-disabled=move || attempt.leaving.read().is_some().to_string()
            on:click=move |_| attempt.begin(account, id.clone())
        >
            {move || is_leaving.get().then(|| view! { <Icon svg=icon::SPINNER /> })}
            "Reconnect"
            <span class="only-heard">{of_account}</span>
        </button>
    }
    .into_any()
}
