//! A form with one button.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::field::FieldState;
use super::icon::{self, Icon};
use crate::focus;

/// Where a form is.
#[derive(Clone, PartialEq, Eq)]
pub enum FormState {
    /// Waits for the person.
    Ready,
    /// Waits for the server.
    Busy,
    /// The server said no, in these words, to the form as a whole.
    Refused(String),
}

/// Checks its fields on submit, leads to the first that is wrong, and shows that it is busy.
#[component]
pub fn Form(
    /// Where it is; the page moves it on.
    state: RwSignal<FormState>,
    /// What is checked, in the order of the page.
    fields: Vec<FieldState>,
    /// The button's words.
    action: &'static str,
    /// The button's words while busy.
    busy: &'static str,
    /// Called when every field is well.
    #[prop(into)]
    on_submit: Callback<()>,
    /// The fields.
    children: Children,
) -> impl IntoView {
    let is_busy = move || *state.read() == FormState::Busy;
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if state.with_untracked(|state| *state == FormState::Busy) {
            return;
        }
        // Every field is checked, so that all mistakes show at once.
        let wrong = fields.iter().filter(|field| !field.check()).count();
        if wrong == 0 {
            on_submit.run(());
        } else {
            state.set(FormState::Ready);
            focus::first_invalid_field_soon();
        }
    };
    view! {
        <form class="form" novalidate on:submit=submit>
            {children()}
            <div role="alert">
                {move || match state.get() {
                    FormState::Refused(why) => {
                        Some(view! { <p class="form-error"><Icon svg=icon::ALERT />{why}</p> }.into_any())
                    }
                    FormState::Ready | FormState::Busy => None,
                }}
            </div>
            <button type="submit" class="button button-primary button-wide" aria-disabled=move || is_busy().to_string()>
                {move || is_busy().then(|| view! { <Icon svg=icon::SPINNER /> })}
                {move || if is_busy() { busy } else { action }}
            </button>
        </form>
    }
}
