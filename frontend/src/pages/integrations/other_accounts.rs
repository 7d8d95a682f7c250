//! The accounts beside the one in use. They stay connected, too.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Connection, ConnectionStatus, ErrorCode, Timestamp};

use crate::callback;
use crate::components::avatar::Avatar;
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

/// Something that is done with one of the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// It becomes the one in use.
    Use,
    /// The browser is about to leave for the provider to reconnect it.
    Reconnect,
}

/// An attempt to do something with one of the accounts.
#[derive(Clone, Copy)]
pub struct Attempt {
    /// Action that is under way, and the id of its connection.
    doing: RwSignal<Option<(Act, String)>>,
    /// Reason for which the last attempt failed.
    problem: RwSignal<Option<Problem>>,
}

impl Attempt {
    /// Returns what there is before the first attempt.
    pub fn new() -> Self {
        let attempt = Self { doing: RwSignal::new(None), problem: RwSignal::new(None) };
        freshness::when_restored(move || attempt.settle());
        attempt
    }

    /// Forgets the attempt.
    pub fn settle(self) {
        self.doing.set(None);
        self.problem.set(None);
    }

    fn begin(self, account: Account, act: Act, asked: Asked) {
        if self.doing.read_untracked().is_some() {
            return;
        }
        self.problem.set(None);
        self.doing.set(Some((act, asked.id.clone())));
        spawn_local(async move {
            let problem = match act {
                Act::Use => account.make_current(&asked).await,
                Act::Reconnect => match leave(account, &asked).await {
                    // The browser is on its way.
                    Ok(()) => return,
                    Err(problem) => problem,
                },
            };
            self.problem.try_set(problem);
            self.doing.try_set(None);
        });
    }
}

/// Leaves for the provider to reconnect the connection. Otherwise returns the problem, if it is one of this list's.
async fn leave(account: Account, asked: &Asked) -> Result<(), Option<Problem>> {
    let before = callback::marks(&account.connections());
    let (session, provider) = (account.session, account.provider);
    let begun = connect::begin(session, provider, HOME, Purpose::Reconnect, Some(&asked.id), &before).await;
    begun.map_err(|failure| {
        // Disconnected in another tab, for example.
        if failure.code() == Some(ErrorCode::NotFound) {
            account.toasts.fail(NOT_CONNECTED_ANY_MORE);
            account.load_and_focus();
            return None;
        }
        Some(Problem::of_connecting(provider, &failure))
    })
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

/// The list, where there is something to show.
pub fn other_accounts(account: Account, attempt: Attempt) -> AnyView {
    let provider = account.provider;
    let title_id = format!("{}-other-accounts", provider.slug());
    let rows = Memo::new(move |before: Option<&Vec<Row>>| match &*account.integration.read() {
        Part::Ready(integration) => integration.connections.iter().skip(1).map(Row::of).collect(),
        // What could not be asked for is as it was.
        Part::Loading | Part::Failed(_) => before.cloned().unwrap_or_default(),
    });
    let is_empty = Memo::new(move |_| rows.read().is_empty());
    let shown = move || {
        let rows = move || rows.get().into_iter().map(|shown| row(shown, account, attempt)).collect_view();
        view! {
            <section class="other-accounts" aria-labelledby=title_id.clone()>
                <h3 class="other-accounts-title" id=title_id.clone()>
                    {format!("Other {} accounts", provider.name())}
                </h3>
                <p class="row-note">"These stay connected, too. Your application works with the one in use."</p>
                {move || attempt.problem.get().map(notice_of)}
                <ul class="rows">{rows}</ul>
            </section>
        }
        .into_any()
    };
    (move || (!is_empty.get()).then(&shown)).into_any()
}

fn row(shown: Row, account: Account, attempt: Attempt) -> AnyView {
    let Row { id, username, name, picture, status, badge, what_happened, connected_at } = shown;
    let provider = account.provider;
    let asked = Asked { id: id.clone(), handle: provider.handle(&username) };
    let name = name.unwrap_or(username);
    let of_account = format!(" {}", asked.handle);
    let connected = format::milliseconds(&connected_at);
    let note = what_happened.map(|what| view! { <p class="row-note">{what}</p> }.into_any());
    let act = |act, label, class| act_button(act, label, class, asked.clone(), account, attempt);
    let reconnect = (status != ConnectionStatus::Active)
        .then(|| act(Act::Reconnect, "Reconnect", reconnect_class(status)));
    // Nothing works with an access that is dead.
    let in_use = (status != ConnectionStatus::NeedsReauthorization)
        .then(|| act(Act::Use, "Use this account", "button"));
    let ask = asked.clone();
    view! {
        <li class="row">
            <Avatar picture name class="avatar-small" />
            <div class="row-text">
                <p class="row-title">
                    <a class="link" href=provider.connection_path(Some(&id))>
                        {asked.handle.clone()}
                    </a>
                    {status_badge(provider, badge)}
                </p>
                {note}
                <p class="row-note">
                    "Connected " {time(&connected_at, move || format::date(connected))} {heard(connected)}
                </p>
            </div>
            <div class="row-end">
                {reconnect} {in_use}
                <button
                    type="button"
                    class="button"
                    id=disconnect_id(&id)
                    on:click=move |_| account.asking.set(Some(ask.clone()))
                >
                    "Disconnect"
                    <span class="only-heard">{of_account}</span>
                </button>
            </div>
        </li>
    }
    .into_any()
}

fn act_button(
    act: Act,
    label: &'static str,
    class: &'static str,
    asked: Asked,
    account: Account,
    attempt: Attempt,
) -> AnyView {
    let own = asked.id.clone();
    let is_under_way = Memo::new(move |_| {
        attempt.doing.read().as_ref().is_some_and(|(doing, id)| *doing == act && *id == own)
    });
    let of_account = format!(" {}", asked.handle);
    view! {
        <button
            type="button"
            class=class
            aria-disabled=move || attempt.doing.read().is_some().to_string()
            on:click=move |_| attempt.begin(account, act, asked.clone())
        >
            {move || is_under_way.get().then(|| view! { <Icon svg=icon::SPINNER /> })}
            {label}
            <span class="only-heard">{of_account}</span>
        </button>
    }
    .into_any()
}
