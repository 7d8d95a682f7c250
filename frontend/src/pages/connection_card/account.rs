//! A provider's account on a page: what is known of it, and what can be done about it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Connection, ErrorCode};

use crate::api::{self, ApiFailure};
use crate::callback;
use crate::components::page_heading::HEADING_ID;
use crate::components::part::Part;
use crate::components::toast::Toasts;
use crate::connect::{self, Purpose};
use crate::focus;
use crate::format;
use crate::freshness;
use crate::problem::{self, Problem};
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
    /// Renewing the access.
    Refreshing,
    /// Leaving for the provider.
    Leaving,
}

/// A connection that the person is asked about.
#[derive(Clone)]
pub struct Asked {
    /// The id of the connection.
    pub id: String,
    /// The username of its account.
    pub username: String,
}

/// An account as a page shows it. Answers may come when the page is gone: then they change nothing.
#[derive(Clone, Copy)]
pub struct Account {
    /// Provider of the account.
    pub provider: &'static Provider,
    /// Extent to which the page shows it.
    pub extent: Extent,
    /// The account of the card, if there is one, then those beside it.
    pub connections: RwSignal<Part<Vec<Connection>>>,
    /// Action that is under way.
    pub doing: RwSignal<Doing>,
    /// Reason for which the last action failed.
    pub problem: RwSignal<Option<Problem>>,
    /// The connection to disconnect, while the dialog asks.
    pub asking: RwSignal<Option<Asked>>,
    /// The session that asks.
    pub session: Session,
    /// Toasts that report the completed actions.
    pub toasts: Toasts,
    /// Has the rest of the page follow a change; `true` where another account may show by now.
    on_change: Callback<bool>,
}

impl Account {
    /// Loads the account, and keeps what is shown true for as long as the component around this lives. `on_change` has
    /// the rest of the page follow; with `true`, another account may show by now.
    pub fn new(provider: &'static Provider, extent: Extent, on_change: Callback<bool>) -> Self {
        let account = Self {
            provider,
            extent,
            connections: RwSignal::new(Part::Loading),
            doing: RwSignal::new(Doing::Nothing),
            problem: RwSignal::new(None),
            asking: RwSignal::new(None),
            session: Session::expect(),
            toasts: Toasts::expect(),
            on_change,
        };
        require_session(move || spawn_local(account.load()));
        freshness::keep_fresh(move || account.look_again());
        freshness::when_restored(move || {
            account.doing.set(Doing::Nothing);
            account.look_again();
        });
        account
    }

    /// Returns the connection of the card, if there is one; not tracked.
    pub fn shown(self) -> Option<Connection> {
        self.connections.try_get_untracked()?.ready()?.into_iter().next()
    }

    /// Has the dialog ask whether to disconnect.
    pub fn ask_to_disconnect(self) {
        self.asking.set(self.shown().map(|Connection { id, username, .. }| Asked { id, username }));
    }

    /// Loads again, as the person wants.
    pub fn retry(self) {
        self.session.ask_again();
        focus::kept_through(|| self.forget(), HEADING_ID);
        self.load_and_focus();
    }

    /// Loads, and then leads to what can be done.
    pub fn load_and_focus(self) {
        spawn_local(async move {
            self.load().await;
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
        let connection = self.shown();
        let before = callback::mark(connection.as_ref());
        let which = connection.filter(|_| purpose == Purpose::Reconnect).map(|connection| connection.id);
        let return_to = match self.extent {
            Extent::Summary => HOME.to_owned(),
            Extent::Whole => self.provider.connection_path(),
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
        let refreshes = what == Doing::Refreshing;
        self.doing.set(what);
        self.problem.set(None);
        let under_way = toasts.begin(&if refreshes {
            format!("Asking {} to renew the access…", provider.name)
        } else {
            format!("Reading the profile from {}…", provider.name)
        });
        spawn_local(async move {
            let answer = if refreshes { api::refresh(provider).await } else { api::sync(provider).await };
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
                self.toasts.show(if refreshes {
                    format!("Access renewed until {}", format::date(format::milliseconds(&read.expires_at)))
                } else {
                    "Profile is up to date".to_owned()
                });
                let show = || self.connections.update(|part| part.change(|all| all[0] = read));
                focus::kept_through(show, self.provider.action_id());
            }
            Err(failure) if !failure.is_of_connection() => self.problem.set(Some(if refreshes {
                Problem::of_refreshing(self.provider, &failure)
            } else {
                Problem::of_syncing(self.provider, &failure)
            })),
            // What is wrong is part of the connection by now, or it has ended, or another account was connected meanwhile.
            _ => {
                let answer = self.ask().await;
                focus::kept_through(|| self.show(answer), self.provider.action_id());
            }
        }
    }

    /// After a disconnect: another account may have been connected before, and be the one to show now.
    pub fn show_what_is_left(self, ended: &Asked) {
        if self.shown().is_some_and(|shown| shown.id == ended.id) {
            self.forget();
        }
        focus::soon(HEADING_ID);
        spawn_local(async move {
            self.load().await;
            focus::soon(self.provider.action_id());
            if self.shown().is_some() {
                self.on_change.try_run(true);
            }
        });
    }

    /// Asks for the accounts that the page shows.
    async fn ask(self) -> Result<Vec<Connection>, ApiFailure> {
        let answer = match self.extent {
            Extent::Summary => api::connections(self.provider).await,
            Extent::Whole => match api::connection(self.provider).await {
                Err(failure) if failure.code() == Some(ErrorCode::NotConnected) => Ok(Vec::new()),
                answer => answer.map(|connection| vec![connection]),
            },
        };
        self.session.checked(answer)
    }

    /// Asks, as the person wants.
    async fn load(self) {
        let answer = self.ask().await;
        self.show(answer);
    }

    fn show(self, answer: Result<Vec<Connection>, ApiFailure>) {
        let part = match answer {
            Ok(connections) => Part::Ready(connections),
            // The visitor is sent to sign in.
            Err(failure) if failure.code() == Some(ErrorCode::Unauthenticated) => return,
            Err(failure) => Part::Failed(problem::sentence(&failure)),
        };
        self.problem.try_set(None);
        self.connections.try_set(part);
    }

    fn forget(self) {
        self.problem.set(None);
        self.connections.set(Part::Loading);
    }

    /// Asks anew, without being asked to. Nothing that the person has in hand may go away for it; a server that does not
    /// answer changes nothing, and what went wrong stays until there is news.
    fn look_again(self) {
        let is_idle = move || {
            self.connections.try_with_untracked(Part::is_loading) == Some(false)
                && self.doing.try_get_untracked() == Some(Doing::Nothing)
                && !focus::is_in_use()
        };
        if !is_idle() {
            return;
        }
        spawn_local(async move {
            let Ok(newer) = self.ask().await else { return };
            let newer = Part::Ready(newer);
            if is_idle() && self.connections.with_untracked(|shown| *shown != newer) {
                let show = || {
                    self.problem.set(None);
                    self.connections.set(newer);
                };
                focus::kept_through(show, self.provider.action_id());
                self.on_change.try_run(false);
            }
        });
    }
}
