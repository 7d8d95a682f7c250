//! Asks before a connection ends, and ends it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::account::{Account, Asked};
use crate::api;
use crate::components::confirm_dialog::{Question, confirm_dialog};
use crate::components::form::{self, FormState};
use crate::focus;

/// The id of the button that disconnects the connection of an id.
pub fn disconnect_id(id: &str) -> String {
    format!("disconnect-{id}")
}

/// The dialog, while it asks.
pub fn disconnect_dialog(account: Account) -> AnyView {
    (move || account.asking.get().map(|asked| dialog(account, asked))).into_any()
}

/// Says what will be forgotten and what stays, then disconnects or not.
fn dialog(account: Account, asked: Asked) -> AnyView {
    let Account { provider, asking, session, toasts, .. } = account;
    let state = RwSignal::new(FormState::Ready);
    let Asked { id, handle } = asked.clone();
    let next = account.connections().into_iter().find(|other| other.id != id);
    let keep = Callback::new(move |()| {
        asking.set(None);
        // What had opened the dialog.
        focus::soon_on_first([disconnect_id(&id), provider.more_id(), provider.action_id()]);
    });
    let disconnect = Callback::new(move |()| {
        let asked = asked.clone();
        state.set(FormState::Busy);
        spawn_local(async move {
            match session.checked(api::disconnect(provider, &asked.id).await) {
                // The page may be gone by now.
                Ok(revoke_url) if asking.try_set(None).is_none() => {
                    toasts.show(format!("{} disconnected", asked.handle));
                    account.revoke_url.set(revoke_url);
                    account.show_what_is_left(&asked);
                }
                Ok(_) => {}
                Err(failure) => form::refuse(state, &failure, &[]),
            }
        });
    });
    let question = Question {
        title: format!("Disconnect {}?", provider.name()).into(),
        keep: "Keep connected",
        action: "Disconnect",
        busy: "Disconnecting…",
    };
    let stops = match next {
        // The provider's other accounts work on.
        Some(next) => format!("Your application works with {} then.", provider.handle(&next.username)),
        None => provider.disconnecting_stops.to_owned(),
    };
    let words = view! {
        <p>"We forget our access to " <strong>{handle}</strong> " at once. " {stops}</p>
        <p>{provider.disconnecting_keeps} " You can connect again at any time."</p>
    };
    confirm_dialog(question, state, words.into_any(), disconnect, keep)
}
