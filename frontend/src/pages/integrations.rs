//! `/integrations`: what is connected.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::ErrorCode;

use crate::api;
use crate::callback;
use crate::components::disconnect_dialog::DisconnectDialog;
use crate::components::instagram_card::ACTION_ID;
use crate::components::instagram_connection_card::{CardState, InstagramConnectionCard};
use crate::components::page_heading::PageHeading;
use crate::components::toast::Toasts;
use crate::connect::{self, Purpose};
use crate::focus;
use crate::freshness;
use crate::problem::{self, Problem};
use crate::session::{HOME, Session, SessionState, require_session};

/// The page with the Instagram card.
#[component]
pub fn Integrations() -> impl IntoView {
    require_session();
    let session = Session::expect();
    let toasts = Toasts::expect();
    let state = RwSignal::new(CardState::Loading);
    // The username to disconnect, while the dialog asks.
    let asking = RwSignal::new(None::<String>);

    let load = move || {
        spawn_local(async move {
            if let Some(next) = loaded(session).await {
                // The page may be gone by now.
                state.try_set(next);
            }
        });
    };
    load();

    let retry = move || {
        if session.state() == SessionState::Unknown {
            session.ask();
        }
        state.set(CardState::Loading);
        spawn_local(async move {
            if let Some(next) = loaded(session).await {
                state.try_set(next);
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
                if let Some(next) = answer
                    && before.is_settled()
                    && before.is_outdated_by(&next)
                    && !focus::is_in_use()
                {
                    focus::kept_through(|| state.set(next), ACTION_ID);
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
        state.set(CardState::Connecting { connection: connection.clone() });
        focus::soon(ACTION_ID);
        spawn_local(async move {
            let before = callback::mark(connection.as_ref());
            if let Err(failure) = connect::begin(session, HOME, purpose, &before).await {
                let problem = Some(Problem::of_connecting(&failure));
                state.try_set(CardState::settled(connection, problem));
                focus::soon(ACTION_ID);
            }
        });
    };

    let sync = move |()| {
        let reading = toasts.begin(problem::SYNCING);
        spawn_local(async move {
            let outcome = session.checked(api::sync().await);
            toasts.end(reading);
            let Some(CardState::Connected { connection, .. }) = state.try_get_untracked() else { return };
            let next = match outcome {
                Ok(connection) => {
                    toasts.show(problem::SYNCED);
                    CardState::settled(Some(connection), None)
                }
                // What is wrong is part of the connection by now.
                Err(failure) if failure.code() == Some(ErrorCode::NeedsReauthorization) => {
                    let Some(next) = loaded(session).await else { return };
                    next
                }
                Err(failure) => CardState::settled(Some(connection), Some(Problem::of_syncing(&failure))),
            };
            state.try_set(next);
            focus::soon(ACTION_ID);
        });
    };

    // Coming back from Instagram with the browser's Back button shows this page as it was left: about to connect.
    let restored = window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            load();
        }
    });
    on_cleanup(move || restored.remove());

    let disconnected = move || {
        asking.set(None);
        toasts.show("Instagram disconnected");
        spawn_local(async move {
            // Another account may have been connected before, and be the one to show now.
            if let Some(next) = loaded(session).await {
                state.try_set(next);
                focus::soon(ACTION_ID);
            }
        });
    };
    let kept = move || {
        asking.set(None);
        focus::soon(ACTION_ID);
    };

    view! {
        <div class="page">
            <PageHeading title="Integrations" />
            <p class="lede">"Connect the accounts that your application works with."</p>
            <InstagramConnectionCard
                state
                on_connect=connect
                on_sync=sync
                on_retry=retry
                on_disconnect=move |username| asking.set(Some(username))
            />
            {move || {
                asking
                    .get()
                    .map(|username| view! { <DisconnectDialog username on_done=disconnected on_cancel=kept /> })
            }}
        </div>
    }
}

/// Asks for the connection. `None` when the visitor has to sign in, which happens by itself.
async fn loaded(session: Session) -> Option<CardState> {
    match session.checked(api::connection().await) {
        Ok(connection) => Some(CardState::settled(Some(connection), None)),
        Err(failure) => match failure.code() {
            Some(ErrorCode::NotConnected) => Some(CardState::settled(None, None)),
            Some(ErrorCode::Unauthenticated) => None,
            _ => Some(CardState::Failed(problem::sentence(&failure))),
        },
    }
}
