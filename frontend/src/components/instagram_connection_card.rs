//! The card that says whether Instagram is connected, as whom, and whether anything has to be done.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus, permission};

use super::icon::{self, Icon};
use super::instagram_card::{
    ACTION_ID, MORE_ID, SKELETON, head, notice_of, notice_of_status, reconnect_class,
};
use super::instagram_profile::InstagramProfile;
use super::menu::{Menu, MenuItem};
use super::permission_list::icon_of;
use super::status_badge::Badge;
use crate::connect::Purpose;
use crate::permissions;
use crate::problem::Problem;

/// What the card shows.
#[derive(Clone, Debug, PartialEq)]
pub enum CardState {
    /// Not known yet.
    Loading,
    /// It could not be loaded, for this reason.
    Failed(String),
    /// Nothing is connected.
    Disconnected {
        /// Why the last attempt to connect did not begin.
        problem: Option<Problem>,
    },
    /// An account is connected.
    Connected {
        /// The connection.
        connection: Connection,
        /// Why the last attempt to reconnect or to sync came to nothing.
        problem: Option<Problem>,
    },
    /// The browser is about to leave for Instagram.
    Connecting {
        /// What is connected now.
        connection: Option<Connection>,
    },
}

impl CardState {
    /// The state for a connection that is known, or known to be missing.
    pub fn settled(connection: Option<Connection>, problem: Option<Problem>) -> Self {
        match connection {
            Some(connection) => Self::Connected { connection, problem },
            None => Self::Disconnected { problem },
        }
    }

    /// Whether this is an answer of the server, and so may be replaced by a newer one.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Disconnected { .. } | Self::Connected { .. })
    }

    /// Whether a newer answer has something else to show. A server that does not answer changes nothing, and what went
    /// wrong stays until there is news.
    pub fn is_outdated_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Self::Connected { connection, .. }, Self::Connected { connection: newer, .. }) => {
                connection != newer
            }
            (_, Self::Failed(_)) | (Self::Disconnected { .. }, Self::Disconnected { .. }) => false,
            _ => true,
        }
    }

    /// The connection that is shown, if any.
    pub fn into_connection(self) -> Option<Connection> {
        match self {
            Self::Connected { connection, .. } => Some(connection),
            Self::Connecting { connection } => connection,
            Self::Loading | Self::Failed(_) | Self::Disconnected { .. } => None,
        }
    }
}

/// What the card asks its page to do.
#[derive(Clone, Copy)]
struct Requests {
    connect: Callback<Purpose>,
    sync: Callback<()>,
    retry: Callback<()>,
    disconnect: Callback<Connection>,
}

/// The Instagram card. It shows `state` and asks through its callbacks.
#[component]
pub fn InstagramConnectionCard(
    /// What to show.
    #[prop(into)]
    state: Signal<CardState>,
    /// Leave for Instagram.
    #[prop(into)]
    on_connect: Callback<Purpose>,
    /// Read the profile from Instagram now.
    #[prop(into)]
    on_sync: Callback<()>,
    /// Load again.
    #[prop(into)]
    on_retry: Callback<()>,
    /// Disconnect this connection.
    #[prop(into)]
    on_disconnect: Callback<Connection>,
) -> impl IntoView {
    let requests =
        Requests { connect: on_connect, sync: on_sync, retry: on_retry, disconnect: on_disconnect };
    let busy = move || matches!(*state.read(), CardState::Loading | CardState::Connecting { .. }).to_string();
    view! {
        <section class="card" aria-label="Instagram" aria-busy=busy>
            {move || match state.get() {
                CardState::Loading => view! { <div inner_html=SKELETON></div> }.into_any(),
                CardState::Failed(why) => failed(why, requests).into_any(),
                CardState::Disconnected { problem } => disconnected(problem, requests).into_any(),
                CardState::Connected { connection, problem } => {
                    connected(connection, problem, requests).into_any()
                }
                CardState::Connecting { connection } => connecting(connection).into_any(),
            }}
        </section>
    }
}

fn failed(why: String, requests: Requests) -> impl IntoView {
    let retry = button("Retry", "button", move || requests.retry.run(()));
    view! {
        {head(Badge::CouldNotLoad, Some(retry))}
        <div class="card-body">
            <p class="card-text" role="alert">
                {why}
            </p>
        </div>
    }
}

fn disconnected(problem: Option<Problem>, requests: Requests) -> impl IntoView {
    let connect =
        button("Connect Instagram", "button button-primary", move || requests.connect.run(Purpose::Connect));
    view! {
        {head(Badge::NotConnected, Some(connect))}
        <div class="card-body">{problem.map(notice_of)} {offer()}</div>
    }
}

/// What connecting is good for, and what will be asked.
fn offer() -> impl IntoView {
    let lines = permission::ALL.map(|name| {
        view! {
            <li>
                <Icon svg=icon_of(name) />
                {permissions::label(name)}
            </li>
        }
    });
    view! {
        <p class="card-text">
            "Connect a professional account to show its profile, publish posts and answer messages."
        </p>
        <div class="asked">
            <p class="asked-title">"Instagram will ask you to let us"</p>
            <ul class="asked-list">{lines.into_iter().collect_view()}</ul>
        </div>
    }
}

fn connecting(connection: Option<Connection>) -> impl IntoView {
    let waiting = view! {
        <button type="button" class="button button-primary" id=ACTION_ID aria-disabled="true">
            <Icon svg=icon::SPINNER />
            "Connecting…"
        </button>
    };
    view! {
        {head(Badge::Connecting, Some(waiting.into_any()))}
        <div class="card-body">
            {match connection {
                Some(connection) => view! { <InstagramProfile connection details=true /> }.into_any(),
                None => offer().into_any(),
            }}
        </div>
    }
}

fn connected(connection: Connection, problem: Option<Problem>, requests: Requests) -> impl IntoView {
    let status = connection.status;
    let action = match status {
        ConnectionStatus::Active => more(connection.clone(), ACTION_ID, true, requests).into_any(),
        ConnectionStatus::Expiring | ConnectionStatus::NeedsReauthorization => {
            let reconnect = button("Reconnect", reconnect_class(status), move || {
                requests.connect.run(Purpose::Reconnect);
            });
            // A dead token reads no profile.
            let can_sync = status == ConnectionStatus::Expiring;
            view! { {reconnect} {more(connection.clone(), MORE_ID, can_sync, requests)} }.into_any()
        }
    };
    let notice = notice_of_status(&connection);
    let badge = Badge::of(&connection);
    let left_out = (!connection.missing_scopes.is_empty()
        && status != ConnectionStatus::NeedsReauthorization)
        .then(|| left_out(&connection.missing_scopes, requests));
    view! {
        {head(badge, Some(action))}
        <div class="card-body">
            {problem.map(notice_of)} {notice} {left_out} <InstagramProfile connection details=true />
        </div>
    }
}

fn more(connection: Connection, id: &'static str, can_sync: bool, requests: Requests) -> impl IntoView {
    view! {
        <Menu
            label="More actions for Instagram"
            button=view! { <Icon svg=icon::MORE /> }.into_any()
            button_class="button button-icon"
            id=id
        >
            <div role="menu" aria-label="Instagram">
                {can_sync
                    .then(|| view! { <MenuItem on_choose=move |()| requests.sync.run(())>"Sync now"</MenuItem> })}
                <MenuItem on_choose=move |()| requests.connect.run(Purpose::AnotherAccount)>"Use another account"</MenuItem>
                <MenuItem
                    danger=true
                    on_choose={
                        let connection = connection.clone();
                        move |()| requests.disconnect.run(connection.clone())
                    }
                >
                    "Disconnect"
                </MenuItem>
            </div>
        </Menu>
    }
}

fn left_out(missing: &[String], requests: Requests) -> impl IntoView + use<> {
    view! {
        <div class="notice notice-plain">
            <p>{permissions::left_out(missing)}</p>
            <button type="button" class="link" on:click=move |_| requests.connect.run(Purpose::Reconnect)>
                "Connect again"
            </button>
        </div>
    }
}

fn button(label: &'static str, class: &'static str, on_press: impl Fn() + 'static) -> AnyView {
    view! {
        <button type="button" class=class id=ACTION_ID on:click=move |_| on_press()>
            {label}
        </button>
    }
    .into_any()
}
