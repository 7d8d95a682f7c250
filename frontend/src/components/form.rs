//! A form with one button.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::field::FieldState;
use super::icon::{self, Icon};
use crate::api::ApiFailure;
use crate::focus;
use crate::problem;

/// State of a form.
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
    /// State of the form; the page moves it on.
    state: RwSignal<FormState>,
    /// Fields that are checked, in the order of the page.
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
            {refusal(state)}
            <button type="submit" class="button button-primary button-wide" aria-disabled=move || is_busy().to_string()>
                {busy_label(state, action, busy)}
            </button>
        </form>
    }
}

/// Shows what the server refused: under the fields that it names, else as a whole.
pub fn refuse(state: RwSignal<FormState>, failure: &ApiFailure, fields: &[(&str, FieldState)]) {
    let told = match failure {
        ApiFailure::Refused(body) => body.fields.as_ref(),
        ApiFailure::Unreachable | ApiFailure::Unreadable => None,
    };
    let mut placed = false;
    for (name, field) in fields {
        if let Some(why) = told.and_then(|told| told.get(*name)) {
            field.refuse(why);
            placed = true;
        }
    }
    if placed {
        lead_to_mistake(state);
    } else {
        state.try_set(FormState::Refused(problem::sentence(failure)));
    }
}

/// Lets the person mend a field that was refused.
pub fn lead_to_mistake(state: RwSignal<FormState>) {
    state.try_set(FormState::Ready);
    focus::first_invalid_field_soon();
}

/// Shows the server's refusal. The element is there before, so that a screen reader announces its text.
pub fn refusal(state: RwSignal<FormState>) -> AnyView {
    view! {
        <div role="alert">
            {move || match state.get() {
                FormState::Refused(why) => {
                    Some(view! { <p class="form-error"><Icon svg=icon::ALERT />{why}</p> }.into_any())
                }
                FormState::Ready | FormState::Busy => None,
            }}
        </div>
    }
    .into_any()
}

/// Shows a button's text, and that its action is under way.
pub fn busy_label(state: RwSignal<FormState>, action: &'static str, busy: &'static str) -> AnyView {
    let is_busy = move || *state.read() == FormState::Busy;
    let label = move || if is_busy() { busy } else { action };
    view! { {move || is_busy().then(|| view! { <Icon svg=icon::SPINNER /> }.into_any())} {label} }.into_any()
}
