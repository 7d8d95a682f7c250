//! Choices among a few, each a [`FieldState`] like a text that is typed.

use leptos::prelude::*;

use super::field::FieldState;
use super::icon::{self, Icon};

/// One thing to choose.
#[derive(Clone, Copy)]
pub struct Choice {
    /// The choice as the field holds it: one word.
    pub value: &'static str,
    /// Name of the choice.
    pub label: &'static str,
    /// Purpose of the choice.
    pub purpose: &'static str,
}

/// Boxes to tick. The field's text is the values that are ticked, with blanks between them.
pub fn checkboxes(state: FieldState, legend: &'static str, choices: &[Choice]) -> AnyView {
    let boxes = choices.iter().map(|&choice| checkbox(state, choice)).collect_view();
    let error = move || {
        state
            .error()
            .map(|why| view! { <span class="field-error"><Icon svg=icon::ALERT />{why}</span> }.into_any())
    };
    view! {
        <fieldset class="field choices">
            <legend>{legend}</legend>
            {boxes}
            <p class="field-note" id="choices-note">
                {error}
            </p>
        </fieldset>
    }
    .into_any()
}

fn checkbox(state: FieldState, Choice { value, label, purpose }: Choice) -> AnyView {
    let is_ticked = move || state.chosen().split(' ').any(|ticked| ticked == value);
    let tick = move |_| {
        let before = state.text();
        let others = before.split(' ').filter(|ticked| !ticked.is_empty() && *ticked != value);
        let ticked = (!untrack(is_ticked)).then_some(value);
        state.typed(others.chain(ticked).collect::<Vec<_>>().join(" "));
    };
    let note = format!("{value}-note");
    view! {
        <div class="choice">
            <input
                type="checkbox"
                id=value
                aria-describedby=format!("{note} choices-note")
                aria-invalid=move || state.error().is_some().to_string()
                prop:checked=is_ticked
                on:change=tick
            />
            <label for=value>{label}</label>
            <p class="row-note" id=note>
                {purpose}
            </p>
        </div>
    }
    .into_any()
}

/// A few values side by side, of which one is chosen.
pub fn segments(
    state: FieldState,
    legend: &'static str,
    choices: &[(&'static str, &'static str)],
) -> AnyView {
    let choices = choices
        .iter()
        .map(|&(value, label)| {
            view! {
                <label class="segment">
                    <input
                        type="radio"
                        name="segments"
                        prop:checked=move || state.chosen() == value
                        on:change=move |_| state.typed(value.to_owned())
                    />
                    <span>{label}</span>
                </label>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <fieldset class="field">
            <legend>{legend}</legend>
            <div class="segments">{choices}</div>
        </fieldset>
    }
    .into_any()
}
