//! `/integrations`: what is connected.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Connection, ConnectionStatus, ErrorCode};

use crate::api;
use crate::callback;
use crate::components::disconnect_dialog::DisconnectDialog;
use crate::components::instagram_card::{ACTION_ID, MORE_ID};
use crate::components::instagram_connection_card::{CardState, InstagramConnectionCard};
use crate::components::other_accounts::{self, OtherAccounts, other_accounts_card};
use crate::components::page_heading::{HEADING_ID, PageHeading};
use crate::components::toast::Toasts;
use crate::connect::{self, Purpose};
use crate::focus;
use crate::freshness;
use crate::problem::{self, Problem};
use crate::session::{HOME, Session, require_session};

/// The page with the Instagram card.
#[component]
pub fn Integrations() -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let state = RwSignal::new(CardState::Loading);
    let others = OtherAccounts::new();
    // What to disconnect, while the dialog asks.
    let asking = RwSignal::new(None::<Connection>);

    // The page may be gone by now.
    let show = move |Loaded { card, rest }: Loaded| {
        // What could not be asked for is as it was.
        if !matches!(card, CardState::Failed(_)) {
            others.connections.try_set(rest);
        }
        state.try_set(card);
    };
    let load = move || {
        spawn_local(async move {
            if let Some(next) = loaded(session).await {
                show(next);
            }
        });
    };
    require_session(load);

    let retry = move || {
        session.ask_again();
        focus::kept_through(|| state.set(CardState::Loading), HEADING_ID);
        spawn_local(async move {
            if let Some(next) = loaded(session).await {
                show(next);
                focus::soon(ACTION_ID);
            }
        });
    };

    // Asked without being asked to: nothing that the person has in hand may go away for it.
    freshness::keep_fresh(move || {
        if state.with_untracked(CardState::is_settled) && !focus::is_in_use() {
            spawn_local(async move {
                let answer = loaded(session).await;
                let Some(before) = state.try_get_untracked() else { return };
                if let Some(Loaded { card, rest }) = answer
                    && before.is_settled()
                    && !matches!(card, CardState::Failed(_))
                    && !focus::is_in_use()
                {
                    if before.is_outdated_by(&card) {
                        focus::kept_through(|| state.set(card), ACTION_ID);
                    }
                    let title = if rest.is_empty() { ACTION_ID } else { other_accounts::TITLE_ID };
                    focus::kept_through(|| others.connections.set(rest), title);
                }
            });
        }
    });

    let connect = move |purpose: Purpose| {
        let before = state.get_untracked();
        if matches!(before, CardState::Connecting { .. }) {
            return;
        }
        let connection = before.into_connection();
        let which = connection.as_ref().filter(|_| purpose == Purpose::Reconnect).map(|one| one.id.clone());
        state.set(CardState::Connecting { connection: connection.clone() });
        focus::soon(ACTION_ID);
        spawn_local(async move {
            let before = callback::mark(connection.as_ref());
            if let Err(failure) = connect::begin(session, HOME, purpose, which.as_deref(), &before).await {
                let problem = Some(Problem::of_connecting(&failure));
                state.try_set(CardState::settled(connection, problem));
                focus::soon(ACTION_ID);
            }
        });
    };

    let reconnect_other = Callback::new(move |id: String| {
        others.problem.set(None);
        others.leaving.set(Some(id.clone()));
        spawn_local(async move {
            let latest = state.try_get_untracked().and_then(CardState::into_connection);
            let before = callback::mark(latest.as_ref());
            match connect::begin(session, HOME, Purpose::Reconnect, Some(&id), &before).await {
                // The browser is on its way.
                Ok(()) => return,
                // Ended in another tab, for example.
                Err(failure) if failure.code() == Some(ErrorCode::NotFound) => {
                    toasts.fail(problem::NOT_CONNECTED_ANY_MORE);
                    if let Some(next) = loaded(session).await {
                        show(next);
                        focus::soon(ACTION_ID);
                    }
                }
                Err(failure) => drop(others.problem.try_set(Some(Problem::of_connecting(&failure)))),
            }
            others.leaving.try_set(None);
        });
    });

    let sync = move |()| {
        let reading = toasts.begin(problem::SYNCING);
        spawn_local(async move {
            let outcome = session.checked(api::sync().await);
            toasts.end(reading);
            let Some(CardState::Connected { connection, .. }) = state.try_get_untracked() else { return };
            let next = match outcome {
                Ok(read) if read.id == connection.id => {
                    toasts.show(problem::SYNCED);
                    CardState::settled(Some(read), None)
                }
                Err(failure) if !failure.is_of_connection() => {
                    CardState::settled(Some(connection), Some(Problem::of_syncing(&failure)))
                }
                // What is wrong is part of the connection by now, or it has ended, or another account was connected meanwhile.
                _ => {
                    if let Some(next) = loaded(session).await {
                        focus::kept_through(|| show(next), ACTION_ID);
                    }
                    return;
                }
            };
            focus::kept_through(|| drop(state.try_set(next)), ACTION_ID);
        });
    };

    // Coming back from Instagram with the browser's Back button shows this page as it was left: about to connect.
    let restored = window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            others.settle();
            load();
        }
    });
    on_cleanup(move || restored.remove());

    let disconnected = move || {
        let ended = asking.get_untracked();
        asking.set(None);
        others.settle();
        if let Some(ended) = ended {
            toasts.show(format!("@{} disconnected", ended.username));
            if others.find(&ended.id).is_none() {
                state.set(CardState::Loading);
            }
        }
        focus::soon(HEADING_ID);
        spawn_local(async move {
            // Another account may have been connected before, and be the one to show now.
            if let Some(next) = loaded(session).await {
                show(next);
                focus::soon(ACTION_ID);
            }
        });
    };
    let kept = move || {
        let asked_about = asking.get_untracked();
        asking.set(None);
        match asked_about {
            Some(other) if others.find(&other.id).is_some() => {
                focus::soon(other_accounts::disconnect_id(&other.id));
            }
            Some(shown) if shown.status != ConnectionStatus::Active => focus::soon(MORE_ID),
            _ => focus::soon(ACTION_ID),
        }
    };

    view! {
        <div class="page">
            <PageHeading title="Integrations" />
            <p class="lede">"Connect the accounts that your application works with."</p>
            <div class="cards">
                <InstagramConnectionCard
                    state
                    on_connect=connect
                    on_sync=sync
                    on_retry=retry
                    on_disconnect=move |connection| asking.set(Some(connection))
                />
                {other_accounts_card(
                    others,
                    reconnect_other,
                    Callback::new(move |id: String| asking.set(others.find(&id))),
                )}
            </div>
            {move || {
                asking
                    .get()
                    .map(|connection| view! { <DisconnectDialog connection on_done=disconnected on_cancel=kept /> })
            }}
        </div>
    }
}

/// What the page shows.
struct Loaded {
    card: CardState,
    /// The connections beside the one on the card.
    rest: Vec<Connection>,
}

/// Asks for the connections. `None` when the visitor has to sign in, which happens by itself.
async fn loaded(session: Session) -> Option<Loaded> {
    match session.checked(api::connections().await) {
        Ok(connections) => {
            let mut connections = connections.into_iter();
            let card = CardState::settled(connections.next(), None);
            Some(Loaded { card, rest: connections.collect() })
        }
        Err(failure) if failure.code() == Some(ErrorCode::Unauthenticated) => None,
        Err(failure) => {
            Some(Loaded { card: CardState::Failed(problem::sentence(&failure)), rest: Vec::new() })
        }
    }
}
