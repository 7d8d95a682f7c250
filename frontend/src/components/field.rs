//! A labelled text field that says what is wrong with it.

use leptos::prelude::*;

use super::icon::{self, Icon};

/// Kind of text in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Plain text.
    Text,
    /// An email address.
    Email,
    /// A password, with a button that shows it.
    Password,
}

/// A field's text, and what is wrong with it.
#[derive(Clone, Copy)]
pub struct FieldState {
    text: RwSignal<String>,
    /// The error under the field. Only leaving the field or submitting sets it: typing never raises an error.
    error: RwSignal<Option<String>>,
    rule: fn(&str) -> Option<&'static str>,
}

impl FieldState {
    /// A field with this text in it.
    pub fn with(text: &str, rule: fn(&str) -> Option<&'static str>) -> Self {
        let field = Self::new(rule);
        field.text.set(text.to_owned());
        field
    }

    /// An empty field with a rule of [`shared::validation`]'s kind: what is wrong, or `None`.
    pub fn new(rule: fn(&str) -> Option<&'static str>) -> Self {
        Self { text: RwSignal::new(String::new()), error: RwSignal::new(None), rule }
    }

    /// Returns the typed text.
    pub fn text(self) -> String {
        self.text.get_untracked()
    }

    /// Applies the rule and shows what is wrong. Answers whether all is well.
    pub fn check(self) -> bool {
        let error = self.text.with_untracked(|text| (self.rule)(text));
        self.error.set(error.map(str::to_owned));
        error.is_none()
    }

    /// Shows what the server found wrong.
    pub fn refuse(self, why: &str) {
        self.error.try_set(Some(why.to_owned()));
    }

    /// Returns the choice, where the field is a choice; tracked.
    pub fn chosen(self) -> String {
        self.text.get()
    }

    /// Returns the error that is shown; tracked.
    pub fn error(self) -> Option<String> {
        self.error.get()
    }

    /// Empties the field.
    pub fn clear(self) {
        self.text.try_set(String::new());
        self.error.try_set(None);
    }

    /// Takes over what was typed or chosen.
    pub fn typed(self, text: String) {
        self.text.set(text);
        // A mistake that is being mended goes as soon as it is mended.
        if self.error.with_untracked(Option::is_some)
            && self.text.with_untracked(|text| (self.rule)(text)).is_none()
        {
            self.error.set(None);
        }
    }

    fn left(self) {
        // Passing through an empty field by the keyboard is no mistake yet. A field that is taken away while it has the focus is
        // left, too, when its text is gone already.
        if self.text.try_with_untracked(String::is_empty) == Some(false) {
            self.check();
        }
    }
}

/// Label, field, and under it a hint or an error.
#[component]
pub fn Field(
    /// State of the field.
    state: FieldState,
    /// The input's id and name.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// Kind of text that is typed.
    kind: FieldKind,
    /// Text that a password manager or the browser may fill in, as a value of `autocomplete`.
    autocomplete: &'static str,
    /// Advice to read before typing.
    #[prop(optional)]
    hint: Option<&'static str>,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    let input_type = move || match kind {
        FieldKind::Text => "text",
        FieldKind::Email => "email",
        FieldKind::Password if shown.get() => "text",
        FieldKind::Password => "password",
    };
    let note_id = format!("{id}-note");
    let described_by = {
        let note_id = note_id.clone();
        move || (hint.is_some() || state.error.read().is_some()).then(|| note_id.clone())
    };
    let note = move || match state.error.get() {
        Some(error) => {
            Some(view! { <span class="field-error"><Icon svg=icon::ALERT />{error}</span> }.into_any())
        }
        None => hint.map(|hint| view! { <span>{hint}</span> }.into_any()),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="field-box">
                <input
                    id=id
                    name=id
                    type=input_type
                    autocomplete=autocomplete
                    autocapitalize=(kind != FieldKind::Text).then_some("none")
                    spellcheck="false"
                    aria-invalid=move || state.error.read().is_some().to_string()
                    aria-describedby=described_by
                    prop:value=state.text
                    on:input=move |event| state.typed(event_target_value(&event))
                    on:blur=move |_| state.left()
                />
                {(kind == FieldKind::Password).then(|| show_button(shown))}
            </div>
            <p class="field-note" id=note_id>
                {note}
            </p>
        </div>
    }
}

fn show_button(shown: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            type="button"
            class="field-show"
            aria-label="Show password"
            aria-pressed=move || shown.get().to_string()
            on:click=move |_| shown.update(|shown| *shown = !*shown)
        >
            {move || view! { <Icon svg=if shown.get() { icon::EYE_OFF } else { icon::EYE } /> }}
        </button>
    }
}
