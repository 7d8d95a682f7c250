//! A question that must be answered first.

use leptos::ev::Event;
use leptos::html;
use leptos::prelude::*;

/// A modal dialog, open for as long as it is in the page. The browser keeps the focus inside, and Escape calls
/// `on_cancel`. The element that has the attribute `autofocus` gets the focus.
#[component]
pub fn Dialog(
    /// The question; names the dialog.
    #[prop(into)]
    title: String,
    /// Called when the person presses Escape.
    on_cancel: Callback<()>,
    /// Explanation and buttons.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            // Fails only for a dialog that is open already.
            let _ = dialog.show_modal();
        }
    });
    view! {
        <dialog
            class="dialog"
            node_ref=dialog
            aria-labelledby="dialog-title"
            on:cancel=move |event: Event| {
                // The page decides when the dialog goes; while it works, Escape does nothing.
                event.prevent_default();
                on_cancel.run(());
            }
        >
            <h2 id="dialog-title">{title}</h2>
            {children()}
        </dialog>
    }
}
