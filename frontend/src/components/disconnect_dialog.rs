//! Asks before a connection ends, and ends it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::ErrorCode;

use super::dialog::Dialog;
use super::form::FormState;
use super::icon::{self, Icon};
use crate::api;
use crate::problem;
use crate::session::Session;

/// Says what will be forgotten and what stays, then disconnects or not.
#[component]
pub fn DisconnectDialog(
    /// The account, without the `@`.
    username: String,
    /// Called when the connection has ended.
    #[prop(into)]
    on_done: Callback<()>,
    /// Called when the person keeps it.
    #[prop(into)]
    on_cancel: Callback<()>,
) -> impl IntoView {
    let session = Session::expect();
    let state = RwSignal::new(FormState::Ready);
    let working = move || state.get() == FormState::Busy;
    let cancel = Callback::new(move |()| {
        if state.get_untracked() != FormState::Busy {
            on_cancel.run(());
        }
    });
    let disconnect = move |_| {
        if state.get_untracked() == FormState::Busy {
            return;
        }
        state.set(FormState::Busy);
        spawn_local(async move {
            match session.checked(api::disconnect().await) {
                Ok(()) => on_done.run(()),
                // Ended already, in another tab for example.
                Err(failure) if failure.code() == Some(ErrorCode::NotConnected) => on_done.run(()),
                Err(failure) => {
                    state.try_set(FormState::Refused(problem::sentence(&failure)));
                }
            }
        });
    };
    view! {
        <Dialog title="Disconnect Instagram?" on_cancel=cancel>
            <p>
                "We forget our access to " <strong>"@" {username}</strong>
                " at once. Publishing and messages stop working here."
            </p>
            <p>
                "Your posts, messages and followers on Instagram stay as they are. You can connect again at any time."
            </p>
            {move || match state.get() {
                FormState::Refused(sentence) => {
                    Some(view! { <p class="form-error" role="alert"><Icon svg=icon::ALERT />{sentence}</p> }.into_any())
                }
                FormState::Ready | FormState::Busy => None,
            }}
            <div class="dialog-actions">
                <button type="button" class="button" autofocus on:click=move |_| cancel.run(())>
                    "Keep connected"
                </button>
                <button
                    type="button"
                    class="button button-danger"
                    aria-disabled=move || working().to_string()
                    on:click=disconnect
                >
                    {move || working().then(|| view! { <Icon svg=icon::SPINNER /> })}
                    {move || if working() { "Disconnecting…" } else { "Disconnect" }}
                </button>
            </div>
        </Dialog>
    }
}
