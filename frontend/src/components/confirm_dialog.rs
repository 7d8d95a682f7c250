//! Asks before something ends for good.

use std::borrow::Cow;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::dialog::Dialog;
use super::form::{FormState, busy_label, refusal};

/// Texts of a dialog: its question and its buttons.
#[derive(Clone)]
pub struct Question {
    /// The question; names the dialog.
    pub title: Cow<'static, str>,
    /// The safe way out.
    pub keep: &'static str,
    /// Text of the button that ends the thing.
    pub action: &'static str,
    /// The same while it is under way.
    pub busy: &'static str,
}

/// Says in `words` what will be gone, and asks. `on_confirm` moves `state` on; while it is busy, the dialog stays.
pub fn confirm_dialog(
    question: Question,
    state: RwSignal<FormState>,
    words: AnyView,
    on_confirm: Callback<()>,
    on_cancel: Callback<()>,
) -> AnyView {
    let is_busy = move || *state.read_untracked() == FormState::Busy;
    let cancel = Callback::new(move |()| {
        if !is_busy() {
            on_cancel.run(());
        }
    });
    let confirm = move |event: SubmitEvent| {
        event.prevent_default();
        if !is_busy() {
            on_confirm.run(());
        }
    };
    view! {
        <Dialog title=question.title on_cancel=cancel>
            <form novalidate on:submit=confirm>
                {words} {refusal(state)}
                <div class="dialog-actions">
                    <button type="button" class="button" autofocus on:click=move |_| cancel.run(())>
                        {question.keep}
                    </button>
                    <button
                        type="submit"
                        class="button button-danger"
                        aria-disabled=move || (*state.read() == FormState::Busy).to_string()
                    >
                        {busy_label(state, question.action, question.busy)}
                    </button>
                </div>
            </form>
        </Dialog>
    }
    .into_any()
}
