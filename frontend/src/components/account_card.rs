//! The connected account on its own page: who it is, how the connection does, and what can be done about it.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use super::icon::{self, Icon};
use super::instagram_card::{
    ACTION_ID, MORE_ID, SKELETON, head, notice_of, notice_of_status, reconnect_class,
};
use super::instagram_profile::InstagramProfile;
use super::menu::{Menu, MenuItem};
use super::part::{self, Part};
use super::status_badge::Badge;
use crate::connect::Purpose;
use crate::problem::Problem;
use crate::session::HOME;

/// What the page is doing for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Nothing: the person can choose.
    Nothing,
    /// Reading the profile.
    Syncing,
    /// Renewing the access.
    Refreshing,
    /// Leaving for Instagram.
    Leaving,
}

/// What the card shows.
#[derive(Clone, Copy)]
pub struct Account {
    /// The connection; `None` where nothing is connected.
    pub connection: RwSignal<Part<Option<Connection>>>,
    /// What is under way.
    pub doing: RwSignal<Doing>,
    /// Why the last thing that was done came to nothing.
    pub problem: RwSignal<Option<Problem>>,
}

/// What the card asks its page to do.
#[derive(Clone, Copy)]
pub struct Requests {
    /// Read the profile from Instagram now.
    pub sync: Callback<()>,
    /// Renew the access now.
    pub refresh: Callback<()>,
    /// Leave for Instagram.
    pub connect: Callback<Purpose>,
    /// Ask whether to disconnect.
    pub disconnect: Callback<()>,
    /// Load again.
    pub retry: Callback<()>,
}

/// What the card is built for. While it stays the same the buttons do, and so does the focus on them.
#[derive(Clone, PartialEq)]
enum Shape {
    Loading,
    Failed(String),
    NotConnected,
    Connected(ConnectionStatus, Badge),
}

/// The card. It shows `account` and asks through `requests`.
#[component]
pub fn AccountCard(
    /// What to show.
    account: Account,
    /// What to call.
    requests: Requests,
) -> impl IntoView {
    let connection = account.connection;
    let shape = Memo::new(move |_| match &*connection.read() {
        Part::Loading => Shape::Loading,
        Part::Failed(why) => Shape::Failed(why.clone()),
        Part::Ready(None) => Shape::NotConnected,
        Part::Ready(Some(connection)) => Shape::Connected(connection.status, Badge::of(connection)),
    });
    view! {
        <section
            class="card"
            aria-label="Instagram"
            aria-busy=move || (*shape.read() == Shape::Loading).to_string()
        >
            {move || match shape.get() {
                Shape::Loading => view! { <div inner_html=SKELETON></div> }.into_any(),
                Shape::Failed(why) => {
                    view! { {head(Badge::CouldNotLoad, None)} {part::failed(why, ACTION_ID, requests.retry)} }
                        .into_any()
                }
                Shape::NotConnected => not_connected().into_any(),
                Shape::Connected(status, badge) => connected(status, badge, account, requests).into_any(),
            }}
        </section>
    }
}

fn not_connected() -> impl IntoView {
    view! {
        {head(Badge::NotConnected, None)}
        <div class="card-body part-failed">
            <p class="card-text">"No Instagram account is connected, so there is nothing to show here yet."</p>
            <a class="button button-primary" href=HOME id=ACTION_ID>
                "Go to integrations"
            </a>
        </div>
    }
}

fn connected(status: ConnectionStatus, badge: Badge, account: Account, requests: Requests) -> impl IntoView {
    let reconnect = (status != ConnectionStatus::Active).then(|| {
        view! {
            <button
                type="button"
                class=reconnect_class(status)
                id=ACTION_ID
                aria-disabled=move || is_busy(account).to_string()
                on:click=move |_| if !is_busy(account) { requests.connect.run(Purpose::Reconnect) }
            >
                {move || {
                    (account.doing.get() == Doing::Leaving).then(|| view! { <Icon svg=icon::SPINNER /> })
                }}
                "Reconnect"
            </button>
        }
    });
    // A dead token reads no profile and cannot be renewed.
    let acts = (status != ConnectionStatus::NeedsReauthorization).then(|| {
        let id = if status == ConnectionStatus::Active { ACTION_ID } else { "sync-now" };
        view! {
            {act("Sync now", icon::SYNC, id, Doing::Syncing, account, requests.sync)}
            {act("Refresh now", icon::KEY, "refresh-now", Doing::Refreshing, account, requests.refresh)}
        }
    });
    let body = move || {
        let connection = account.connection.get().ready().flatten()?;
        Some(view! { {notice_of_status(&connection)} <InstagramProfile connection /> }.into_any())
    };
    let actions = view! { {reconnect} {acts} {more(requests)} }.into_any();
    view! {
        {head(badge, Some(actions))}
        <div class="card-body">{move || account.problem.get().map(notice_of)} {body}</div>
    }
}

fn is_busy(account: Account) -> bool {
    account.doing.get() != Doing::Nothing
}

/// A button whose icon turns while what it does is under way. Its width stays.
fn act(
    label: &'static str,
    svg: &'static str,
    id: &'static str,
    what: Doing,
    account: Account,
    request: Callback<()>,
) -> AnyView {
    view! {
        <button
            type="button"
            class="button"
            id=id
            aria-disabled=move || is_busy(account).to_string()
            on:click=move |_| if !is_busy(account) { request.run(()) }
        >
            {move || {
                let svg = if account.doing.get() == what { icon::SPINNER } else { svg };
                view! { <Icon svg /> }
            }}
            {label}
        </button>
    }
    .into_any()
}

fn more(requests: Requests) -> AnyView {
    view! {
        <Menu
            label="More actions for Instagram"
            button=view! { <Icon svg=icon::MORE /> }.into_any()
            button_class="button button-icon"
            id=MORE_ID
        >
            <div role="menu" aria-label="Instagram">
                <MenuItem on_choose=move |()| requests.connect.run(Purpose::AnotherAccount)>
                    "Use another account"
                </MenuItem>
                <MenuItem danger=true on_choose=move |()| requests.disconnect.run(())>
                    "Disconnect"
                </MenuItem>
            </div>
        </Menu>
    }
    .into_any()
}
