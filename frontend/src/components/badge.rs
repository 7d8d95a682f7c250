//! A state in one glance: an icon, a word and a colour.

use leptos::prelude::*;

use super::icon::Icon;

/// Shows an icon and a word, in the colour of a class.
pub fn badge(class: &'static str, svg: &'static str, word: &'static str) -> AnyView {
    view! {
        <span class=format!("badge {class}")>
            <Icon svg />
            {word}
        </span>
    }
    .into_any()
}
