//! The card of a provider's account: whether it is connected, as whom, and whether anything has to be done. There is one,
//! for every provider and for both pages that show it.

mod account;
mod disconnect_dialog;
mod notice;
mod profile;
mod status_badge;

use leptos::prelude::*;
use shared::ConnectionStatus;

use crate::components::docs_link::docs_link;
use crate::components::icon::{self, Icon};
use crate::components::menu::{Menu, MenuItem};
use crate::components::part::{self, Part};
use crate::connect::Purpose;
use crate::problem::SET_UP;
use crate::providers::Provider;
use crate::session::HOME;
use profile::profile;

pub use account::{Account, Accounts, Asked, Doing, Extent};
pub use disconnect_dialog::{disconnect_dialog, disconnect_id};
pub use notice::notice_of;
pub use status_badge::{Status, status_badge};

/// Shown until the connection is known. `index.html` paints the same files before the program arrives.
const SKELETON: [&str; 2] = [include_str!("skeleton_state.html"), include_str!("skeleton.html")];

/// Shape for which the card is built. While it stays the same the buttons do, and so does the focus on them.
#[derive(Clone, PartialEq)]
enum Shape {
    Loading,
    Failed(String),
    NotConfigured,
    NotConnected,
    Leaving,
    Connected(ConnectionStatus, Status),
}

impl Shape {
    /// Returns the shape for what is known now; tracked.
    fn of(account: Account) -> Self {
        match &*account.integration.read() {
            Part::Loading => Self::Loading,
            Part::Failed(why) => Self::Failed(why.clone()),
            // The whole card keeps its buttons, and shows there what is under way.
            Part::Ready(_) if is_summary(account) && account.doing.get() == Doing::Leaving => Self::Leaving,
            Part::Ready(integration) => match account.pick(integration) {
                Some(connection) => Self::Connected(connection.status, Status::of(connection)),
                None if integration.configured => Self::NotConnected,
                None => Self::NotConfigured,
            },
        }
    }
}

/// The card of a provider's account. What is `below` is about its other accounts.
pub fn connection_card(account: Account, below: AnyView) -> AnyView {
    let name = account.provider.name();
    let shape = Memo::new(move |_| Shape::of(account));
    view! {
        <section
            class="card connection-card"
            aria-label=name
            aria-busy=move || matches!(*shape.read(), Shape::Loading | Shape::Leaving).to_string()
        >
            {move || match shape.get() {
                Shape::Loading => loading(account.provider),
                Shape::Failed(why) => failed(account, why),
                Shape::NotConfigured if is_summary(account) => not_configured(account),
                Shape::NotConnected if is_summary(account) => offered(account),
                Shape::NotConfigured | Shape::NotConnected => nothing(account),
                Shape::Leaving => leaving(account),
                Shape::Connected(status, badge) => connected(account, status, badge),
            }}
            {below}
        </section>
    }
    .into_any()
}

fn is_summary(account: Account) -> bool {
    account.extent == Extent::Summary
}

/// The first row: what it is, how it is, and what can be done.
fn head(provider: &'static Provider, status: Status, action: Option<AnyView>) -> AnyView {
    let state = view! {
        {status_badge(provider, status)}
        {action.map(|action| view! { <div class="card-action">{action}</div> })}
    };
    head_with(provider, state.into_any())
}

fn head_with(provider: &'static Provider, state: AnyView) -> AnyView {
    view! {
        <div class="card-head">
            <span class="card-glyph">
                <Icon svg=provider.logo />
            </span>
            <h2 class="card-title">{provider.name()}</h2>
            {state}
        </div>
    }
    .into_any()
}

fn loading(provider: &'static Provider) -> AnyView {
    let [state, body] = SKELETON;
    view! {
        {head_with(provider, view! { <div class="card-state" inner_html=state></div> }.into_any())}
        <div class="card-state" inner_html=body></div>
    }
    .into_any()
}

fn failed(account: Account, why: String) -> AnyView {
    let provider = account.provider;
    let retry = Callback::new(move |()| account.retry());
    if !is_summary(account) {
        let body = part::failed(why, provider.action_id(), retry);
        return view! { {head(provider, Status::CouldNotLoad, None)} {body} }.into_any();
    }
    let retry = Button { label: "Retry".into(), ..Button::main(account) }.view(account, retry);
    view! {
        {head(provider, Status::CouldNotLoad, Some(retry))}
        <div class="card-body">
            <p class="card-text" role="alert">
                {why}
            </p>
        </div>
    }
    .into_any()
}

/// Nothing is connected, and it can be.
fn offered(account: Account) -> AnyView {
    let provider = account.provider;
    let label = format!("Connect {}", provider.name());
    let connect = Button { label, class: "button button-primary", ..Button::main(account) }
        .view(account, Callback::new(move |()| account.connect(Purpose::Connect)));
    view! {
        {head(provider, Status::NotConnected, Some(connect))}
        <div class="card-body">{problem(account)} {notice::revoking(account)} {offer(provider)}</div>
    }
    .into_any()
}

/// Nothing is connected, and nothing can be: said without alarm, since it may be meant so.
fn not_configured(account: Account) -> AnyView {
    let provider = account.provider;
    let why = format!(
        "This server has no {} app set up yet. Whoever runs it can add one; accounts can be connected then.",
        provider.name()
    );
    view! {
        {head(provider, Status::NotConfigured, None)}
        <div class="card-body">
            {notice::revoking(account)} <p class="card-text">{why}</p>
            <p>{docs_link(SET_UP, provider.docs)}</p>
        </div>
    }
    .into_any()
}

/// Nothing is connected, so a page about it has nothing to say.
fn nothing(account: Account) -> AnyView {
    let provider = account.provider;
    let why = format!("No {} account is connected, so there is nothing to show here yet.", provider.name());
    view! {
        {head(provider, Status::NotConnected, None)}
        <div class="card-body part-failed">
            {notice::revoking(account)} <p class="card-text">{why}</p>
            <a class="button button-primary" href=HOME id=provider.action_id()>
                "Go to integrations"
            </a>
        </div>
    }
    .into_any()
}

fn leaving(account: Account) -> AnyView {
    let waiting =
        Button { label: "Connecting…".into(), class: "button button-primary", ..Button::main(account) }
            .view(account, Callback::new(|()| {}));
    let body = match account.shown() {
        Some(connection) => profile(account, &connection),
        None => offer(account.provider),
    };
    view! {
        {head(account.provider, Status::Connecting, Some(waiting))}
        <div class="card-body">{body}</div>
    }
    .into_any()
}

fn connected(account: Account, status: ConnectionStatus, badge: Status) -> AnyView {
    let provider = account.provider;
    let is_summary = is_summary(account);
    // A dead token reads no profile and cannot be refreshed.
    let works = status != ConnectionStatus::NeedsReauthorization;
    let body = move || {
        let connection = account.watched()?;
        let left_out = (is_summary && works).then(|| notice::left_out(account, &connection));
        let notice = notice::of_status(provider, &connection);
        Some(view! { {notice} {left_out} {profile(account, &connection)} }.into_any())
    };
    let reconnect = (status != ConnectionStatus::Active).then(|| {
        Button { label: "Reconnect".into(), class: reconnect_class(status), ..Button::main(account) }
            .view(account, Callback::new(move |()| account.connect(Purpose::Reconnect)))
    });
    let act = |label: &str, svg, id, shows| {
        Button { label: label.into(), class: "button", id, svg: Some(svg), shows }
            .view(account, Callback::new(move |()| account.act(shows)))
    };
    let acts = (!is_summary && works).then(|| {
        let main = status == ConnectionStatus::Active;
        let id = if main { provider.action_id() } else { "sync-now".to_owned() };
        view! {
            {act("Sync now", icon::SYNC, id, Doing::Syncing)}
            {act("Refresh now", icon::KEY, "refresh-now".to_owned(), Doing::Refreshing)}
        }
    });
    let menu_at = |id, is_here: bool| is_here.then(|| menu(account, id, is_summary && works));
    let is_main = is_summary && status == ConnectionStatus::Active;
    // Two places: where the menu is the main control no longer, the focus moves on to what is.
    let menus = view! { {menu_at(provider.action_id(), is_main)} {menu_at(provider.more_id(), !is_main)} };
    let actions = view! { {reconnect} {acts} {menus} }.into_any();
    view! {
        {head(provider, badge, Some(actions))}
        <div class="card-body">{problem(account)} {notice::revoking(account)} {body}</div>
    }
    .into_any()
}

/// Shows the reason for which the last action failed.
fn problem(account: Account) -> AnyView {
    (move || account.problem.get().map(notice_of)).into_any()
}

/// A control of the card.
struct Button {
    label: String,
    class: &'static str,
    id: String,
    svg: Option<&'static str>,
    /// Action during which the button's icon turns.
    shows: Doing,
}

impl Button {
    /// Returns the main control, which leaves for the provider unless it is told otherwise.
    fn main(account: Account) -> Self {
        let id = account.provider.action_id();
        Self { label: String::new(), class: "button", id, svg: None, shows: Doing::Leaving }
    }

    fn view(self, account: Account, on_press: Callback<()>) -> AnyView {
        let Self { label, class, id, svg, shows } = self;
        let icon = move || {
            let svg = if account.doing.get() == shows { Some(icon::SPINNER) } else { svg };
            svg.map(|svg| view! { <Icon svg /> })
        };
        view! {
            <button
                type="button"
                class=class
                id=id
                aria-disabled=move || account.is_busy().to_string()
                on:click=move |_| if !untrack(|| account.is_busy()) { on_press.run(()) }
            >
                {icon}
                {label}
            </button>
        }
        .into_any()
    }
}

fn menu(account: Account, id: String, has_sync: bool) -> AnyView {
    let name = account.provider.name();
    view! {
        <Menu
            label=format!("More actions for {name}")
            button=view! { <Icon svg=icon::MORE /> }.into_any()
            button_class="button button-icon"
            id
        >
            <div role="menu" aria-label=name>
                {has_sync.then(|| {
                    view! { <MenuItem on_choose=move |()| account.act(Doing::Syncing)>"Sync now"</MenuItem> }
                })}
                <MenuItem on_choose=move |()| account.connect(Purpose::AnotherAccount)>"Use another account"</MenuItem>
                <MenuItem danger=true on_choose=move |()| account.ask_to_disconnect()>
                    "Disconnect"
                </MenuItem>
            </div>
        </Menu>
    }
    .into_any()
}

/// Returns the class of a button that reconnects: where nothing works without it, the button catches the eye.
pub fn reconnect_class(status: ConnectionStatus) -> &'static str {
    if status == ConnectionStatus::Expiring { "button" } else { "button button-primary" }
}

/// Shows the purpose of connecting, and the permissions that the provider will ask for.
fn offer(provider: &'static Provider) -> AnyView {
    let asked = provider.permissions.iter().filter(|permission| permission.is_default);
    let lines = asked.map(|permission| {
        view! {
            <li>
                <Icon svg=permission.icon />
                {permission.label}
            </li>
        }
    });
    view! {
        <p class="card-text">{provider.offer}</p>
        <div class="asked">
            <p class="asked-title">{format!("{} will ask you to let us", provider.name())}</p>
            <ul class="asked-list">{lines.collect_view()}</ul>
        </div>
    }
    .into_any()
}
