//! A provider's accounts on a page: what is known of them, and what can be done about them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Connection, ErrorCode, Integration};

use crate::api::{self, ApiFailure};
use crate::callback;
use crate::components::page_heading::HEADING_ID;
use crate::components::part::Part;
use crate::components::toast::Toasts;
use crate::connect::{self, Purpose};
use crate::focus;
use crate::format;
use crate::freshness;
use crate::problem::{self, NOT_CONNECTED_ANY_MORE, Problem};
use crate::providers::Provider;
use crate::session::{HOME, Session, require_session};

/// Extent to which a page shows an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Urgent facts, the one action that makes sense now, and the accounts beside this one.
    Summary,
    /// All that can be done with the account, beside cards that say the rest.
    Whole,
}

/// Action that is under way for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Nothing: the person can choose.
    Nothing,
    /// Reading the profile.
    Syncing,
    /// Refreshing the access.
    Refreshing,
    /// Leaving for the provider.
    Leaving,
}

/// A connection that the person is asked about.
#[derive(Clone)]
pub struct Asked {
    /// The id of the connection.
    pub id: String,
    /// The name of its account, as the provider writes it.
    pub handle: String,
}

/// The accounts of all the cards of a page: one request asks for all of them, at first, once a minute, and whenever one of them
/// has changed.
#[derive(Clone, Copy)]
pub struct Accounts {
    cards: StoredValue<Vec<Account>>,
    session: Session,
}

impl Accounts {
    /// Loads the accounts that will be [added](Account::new), and keeps what is shown true for as long as the component around
    /// this lives.
    pub fn new() -> Self {
        let accounts = Self { cards: StoredValue::default(), session: Session::expect() };
        require_session(move || spawn_local(accounts.load(HEADING_ID.to_owned())));
        freshness::keep_fresh(move || accounts.look_again());
        freshness::when_restored(move || {
            accounts.for_each(|account| account.doing.set(Doing::Nothing));
            accounts.look_again();
        });
        accounts
    }

    /// Runs on each account. There is none once the page is gone.
    fn for_each(self, run: impl FnMut(Account)) {
        self.cards.try_get_value().unwrap_or_default().into_iter().for_each(run);
    }

    async fn ask(self) -> Result<Vec<Integration>, ApiFailure> {
        self.session.checked(api::integrations().await)
    }

    /// Loads, as the person wants. The element of this id gets the focus if what had it goes away.
    async fn load(self, focused: String) {
        let answer = self.ask().await;
        focus::kept_through(|| self.for_each(|account| account.show(&answer)), focused);
    }

    /// Asks anew, without being asked to. Nothing that the person has in hand may go away for it; a server that does not
    /// answer changes nothing, and what went wrong stays until there is news.
    fn look_again(self) {
        let mut is_wanted = false;
        self.for_each(|account| is_wanted |= account.is_idle());
        if is_wanted {
            spawn_local(async move {
                let Ok(newer) = self.ask().await else { return };
                self.for_each(|account| account.show_newer(&newer));
            });
        }
    }
}

/// A provider's accounts as a page shows them. Answers may come when the page is gone: then they change nothing.
#[derive(Clone, Copy)]
pub struct Account {
    /// Provider of the accounts.
    pub provider: &'static Provider,
    /// Extent to which the page shows them.
    pub extent: Extent,
    /// The id of the connection that the page is about; without one, it is about the connection in use.
    id: StoredValue<Option<String>>,
    /// All that is connected, the connection in use first.
    pub integration: RwSignal<Part<Integration>>,
    /// Action that is under way.
    pub doing: RwSignal<Doing>,
    /// Reason for which the last action failed.
    pub problem: RwSignal<Option<Problem>>,
    /// The connection to disconnect, while the dialog asks.
    pub asking: RwSignal<Option<Asked>>,
    /// Address where the person removes the app at the provider, after a disconnect.
    pub revoke_url: RwSignal<Option<String>>,
    /// The session that asks.
    pub session: Session,
    /// Toasts that report the completed actions.
    pub toasts: Toasts,
    /// The accounts of the page.
    all: Accounts,
    /// Has the rest of the page follow a change; `true` where another account may show by now.
    on_change: Callback<bool>,
}

impl Account {
    /// Adds a provider's accounts to those of the page. `on_change` has the rest of the page follow; with `true`, another
    /// account may show by now.
    pub fn new(
        provider: &'static Provider,
        extent: Extent,
        id: Option<String>,
        all: Accounts,
        on_change: Callback<bool>,
    ) -> Self {
        let account = Self {
            provider,
            extent,
            id: StoredValue::new(id),
            integration: RwSignal::new(Part::Loading),
            doing: RwSignal::new(Doing::Nothing),
            problem: RwSignal::new(None),
            asking: RwSignal::new(None),
            revoke_url: RwSignal::new(None),
            session: Session::expect(),
            toasts: Toasts::expect(),
            all,
            on_change,
        };
        all.cards.update_value(|all| all.push(account));
        account
    }

    /// Returns the connection of the card, if there is one.
    pub fn pick(self, integration: &Integration) -> Option<&Connection> {
        let id = self.id.try_get_value().flatten();
        integration.connections.iter().find(|connection| id.as_ref().is_none_or(|id| *id == connection.id))
    }

    /// Returns the connection of the card, if there is one; tracked.
    pub fn watched(self) -> Option<Connection> {
        match &*self.integration.read() {
            Part::Ready(integration) => self.pick(integration).cloned(),
            Part::Loading | Part::Failed(_) => None,
        }
    }

    /// Returns the connection of the card, if there is one; not tracked.
    pub fn shown(self) -> Option<Connection> {
        self.pick(&self.integration.try_get_untracked()?.ready()?).cloned()
    }

    /// Returns all of the provider's connections; not tracked.
    pub fn connections(self) -> Vec<Connection> {
        let integration = self.integration.try_get_untracked().and_then(Part::ready);
        integration.map(|integration| integration.connections).unwrap_or_default()
    }

    /// Has the dialog ask whether to disconnect.
    pub fn ask_to_disconnect(self) {
        let asked = self.shown().map(|Connection { id, username, .. }| {
            let handle = self.provider.handle(&username);
            Asked { id, handle }
        });
        self.asking.set(asked);
    }

    /// Loads again, as the person wants.
    pub fn retry(self) {
        self.session.ask_again();
        focus::kept_through(|| self.all.for_each(Self::forget), HEADING_ID);
        self.load_and_focus();
    }

    /// Loads, and then leads to what can be done.
    pub fn load_and_focus(self) {
        spawn_local(async move {
            self.all.load(self.provider.action_id()).await;
            focus::soon(self.provider.action_id());
        });
    }

    /// Leaves for the provider.
    pub fn connect(self, purpose: Purpose) {
        if untrack(|| self.is_busy()) {
            return;
        }
        self.doing.set(Doing::Leaving);
        self.problem.set(None);
        let before = callback::marks(&self.connections());
        let is_same = purpose == Purpose::Reconnect;
        let which = self.shown().filter(|_| is_same).map(|connection| connection.id);
        let return_to = match self.extent {
            Extent::Summary => HOME.to_owned(),
            // Another account will be the one in use.
            Extent::Whole => {
                self.provider.connection_path(self.id.get_value().filter(|_| is_same).as_deref())
            }
        };
        if self.extent == Extent::Summary {
            // The button that was pressed gives way to one that waits.
            focus::soon(self.provider.action_id());
        }
        spawn_local(async move {
            let (session, provider, which) = (self.session, self.provider, which.as_deref());
            let begun = connect::begin(session, provider, &return_to, purpose, which, &before);
            if let Err(failure) = begun.await {
                self.problem.try_set(Some(Problem::of_connecting(provider, &failure)));
                self.doing.try_set(Doing::Nothing);
                // Another card may have asked: what went wrong stands in this one.
                focus::soon(provider.action_id());
            }
        });
    }

    /// Tells whether the account's controls have to wait; tracked. Leaving need not wait for a sync that a menu began.
    pub fn is_busy(self) -> bool {
        match self.doing.get() {
            Doing::Nothing => false,
            Doing::Leaving => true,
            Doing::Syncing | Doing::Refreshing => self.extent == Extent::Whole,
        }
    }

    /// Syncs or refreshes, and shows what came of it.
    pub fn act(self, what: Doing) {
        let Self { provider, session, toasts, .. } = self;
        let Some(Connection { id, .. }) = self.shown() else { return };
        let refreshes = what == Doing::Refreshing;
        self.doing.set(what);
        self.problem.set(None);
        let under_way = toasts.begin(&if refreshes {
            format!("Asking {} to renew the access…", provider.name())
        } else {
            format!("Reading the profile from {}…", provider.name())
        });
        spawn_local(async move {
            let answer =
                if refreshes { api::refresh(provider, &id).await } else { api::sync(provider, &id).await };
            let answer = session.checked(answer);
            toasts.end(under_way);
            // The page may be gone by now, or the browser about to leave.
            if self.doing.try_get_untracked() == Some(what) {
                self.show_outcome(what, answer).await;
                self.doing.try_set(Doing::Nothing);
                self.on_change.try_run(false);
            }
        });
    }

    async fn show_outcome(self, what: Doing, answer: Result<Connection, ApiFailure>) {
        let refreshes = what == Doing::Refreshing;
        let is_shown = |read: &Connection| self.shown().is_some_and(|shown| shown.id == read.id);
        match answer {
            Ok(read) if is_shown(&read) => {
                self.toasts.show(match (refreshes, self.provider.refresh_moves_end) {
                    (false, _) => "Profile is up to date".to_owned(),
                    (true, false) => "Access renewed".to_owned(),
                    (true, true) => {
                        format!(
                            "Access renewed until {}",
                            format::date(format::milliseconds(&read.expires_at))
                        )
                    }
                });
                let replace = |integration: &mut Integration| {
                    let old = integration.connections.iter_mut().find(|connection| connection.id == read.id);
                    if let Some(old) = old {
                        *old = read;
                    }
                };
                let show = || self.integration.update(|part| part.change(replace));
                focus::kept_through(show, self.provider.action_id());
            }
            Err(failure) if !failure.is_of_connection() => self.problem.set(Some(if refreshes {
                Problem::of_refreshing(self.provider, &failure)
            } else {
                Problem::of_syncing(self.provider, &failure)
            })),
            // What is wrong is part of the connection by now, or it has ended, or another account was connected meanwhile.
            _ => self.all.load(self.provider.action_id()).await,
        }
    }

    /// After a disconnect: another account may have been connected before, and be the one to show now.
    pub fn show_what_is_left(self, ended: &Asked) {
        if self.shown().is_some_and(|shown| shown.id == ended.id) {
            self.forget();
        }
        focus::soon(HEADING_ID);
        self.load_and_follow();
    }

    /// Makes another of the connections the one in use. Returns the reason for which it is not.
    pub async fn make_current(self, asked: &Asked) -> Option<Problem> {
        match self.session.checked(api::select(self.provider, &asked.id).await) {
            Ok(()) => self.toasts.show(format!("{} is in use now", asked.handle)),
            // Disconnected in another tab, for example.
            Err(failure) if failure.code() == Some(ErrorCode::NotFound) => {
                self.toasts.fail(NOT_CONNECTED_ANY_MORE);
            }
            Err(failure) => return Some(Problem::of_selecting(&failure)),
        }
        self.load_and_follow();
        None
    }

    fn load_and_follow(self) {
        spawn_local(async move {
            self.all.load(self.provider.action_id()).await;
            focus::soon(self.provider.action_id());
            if self.shown().is_some() {
                self.on_change.try_run(true);
            }
        });
    }

    /// Returns what an answer tells about this provider. A server that does not know it has no app there.
    fn own(self, all: &[Integration]) -> Part<Integration> {
        let own = all.iter().find(|integration| integration.provider == self.provider.id).cloned();
        let nothing =
            || Integration { provider: self.provider.id, configured: false, connections: Vec::new() };
        Part::Ready(own.unwrap_or_else(nothing))
    }

    fn show(self, answer: &Result<Vec<Integration>, ApiFailure>) {
        let part = match answer {
            Ok(all) => self.own(all),
            // The visitor is sent to sign in.
            Err(failure) if failure.code() == Some(ErrorCode::Unauthenticated) => return,
            Err(failure) => Part::Failed(problem::sentence(failure)),
        };
        self.problem.try_set(None);
        self.integration.try_set(part);
    }

    /// Shows what nobody has asked for, where it is news and in nobody's way.
    fn show_newer(self, answer: &[Integration]) {
        let newer = self.own(answer);
        if self.is_idle() && self.integration.with_untracked(|shown| *shown != newer) {
            let show = || {
                self.problem.set(None);
                self.integration.set(newer);
            };
            focus::kept_through(show, self.provider.action_id());
            self.on_change.try_run(false);
        }
    }

    fn is_idle(self) -> bool {
        self.integration.try_with_untracked(Part::is_loading) == Some(false)
            && self.doing.try_get_untracked() == Some(Doing::Nothing)
            && !focus::is_in_use()
    }

    fn forget(self) {
        self.problem.set(None);
        self.integration.set(Part::Loading);
    }
}
