//! Asks before a connection ends, and ends it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Connection;

use super::confirm_dialog::{Question, confirm_dialog};
use super::form::FormState;
use crate::api;
use crate::problem;
use crate::session::Session;

const QUESTION: Question = Question {
    title: "Disconnect Instagram?",
    keep: "Keep connected",
    action: "Disconnect",
    busy: "Disconnecting…",
};

/// Says what will be forgotten and what stays, then disconnects or not.
#[component]
pub fn DisconnectDialog(
    /// What to end.
    connection: Connection,
    /// Called when the connection has ended.
    #[prop(into)]
    on_done: Callback<()>,
    /// Called when the person keeps it.
    #[prop(into)]
    on_cancel: Callback<()>,
) -> impl IntoView {
    let session = Session::expect();
    let state = RwSignal::new(FormState::Ready);
    let Connection { id, username, .. } = connection;
    let disconnect = Callback::new(move |()| {
        let id = id.clone();
        state.set(FormState::Busy);
        spawn_local(async move {
            match session.checked(api::disconnect(&id).await) {
                // The page may be gone by now.
                Ok(()) => drop(on_done.try_run(())),
                Err(failure) => {
                    state.try_set(FormState::Refused(problem::sentence(&failure)));
                }
            }
        });
    });
    let words = view! {
        <p>
            "We forget our access to " <strong>"@" {username}</strong>
            " at once. Publishing and messages stop working here."
        </p>
        <p>
            "Your posts, messages and followers on Instagram stay as they are. You can connect again at any time."
        </p>
    };
    confirm_dialog(QUESTION, state, words.into_any(), disconnect, on_cancel)
}
