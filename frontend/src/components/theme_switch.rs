//! System, light or dark.

use leptos::prelude::*;

use crate::theme::Theme;

/// The three choices, as items of the menu around them. Choosing leaves the menu open, so that one sees the effect.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(Theme::remembered());
    let choose = move |theme: Theme| {
        theme.choose();
        chosen.set(theme);
    };
    let options = Theme::ALL.map(|theme| {
        view! {
            <button
                type="button"
                role="menuitemradio"
                tabindex="-1"
                class="theme-option"
                aria-checked=move || (chosen.get() == theme).to_string()
                on:click=move |_| choose(theme)
            >
                {theme.label()}
            </button>
        }
    });
    view! {
        <div class="theme-switch" role="group" aria-label="Theme">
            <span class="theme-label" aria-hidden="true">
                "Theme"
            </span>
            <div class="theme-options" role="none">
                {options.into_iter().collect_view()}
            </div>
        </div>
    }
}
