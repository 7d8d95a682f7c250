//! What Instagram lets us do for the account, and what it does not.

use leptos::prelude::*;
use shared::permission;

use super::icon::{self, Icon};
use crate::permissions;

/// The icon of a permission.
pub fn icon_of(permission: &str) -> &'static str {
    match permission {
        permission::CONTENT_PUBLISH => icon::PUBLISH,
        permission::MANAGE_MESSAGES => icon::MESSAGE,
        _ => icon::PROFILE,
    }
}

/// Every permission that is asked for: what it is for, and whether it is granted.
#[component]
pub fn PermissionList(
    /// The permissions that were granted.
    granted: Vec<String>,
    /// Whether the browser is about to leave for Instagram.
    is_leaving: Signal<bool>,
    /// Called to have a missing one granted.
    on_grant: Callback<()>,
) -> impl IntoView {
    let lines = permission::ALL.map(move |name| {
        let is_granted = granted.iter().any(|scope| scope == name);
        let purpose =
            if is_granted { permissions::purpose(name).to_owned() } else { permissions::without(name) };
        view! {
            <li class="row">
                <span class="row-icon">
                    <Icon svg=icon_of(name) />
                </span>
                <div class="row-text">
                    <p class="row-title">{permissions::label(name)}</p>
                    <p class="row-note">{purpose}</p>
                </div>
                <div class="row-end">
                    {if is_granted { badge("badge-good", icon::CHECK, "Granted") } else { missing(name, is_leaving, on_grant) }}
                </div>
            </li>
        }
    });
    view! { <ul class="rows">{lines.into_iter().collect_view()}</ul> }
}

fn missing(name: &'static str, is_leaving: Signal<bool>, on_grant: Callback<()>) -> AnyView {
    view! {
        {badge("badge-warning", icon::ALERT, "Missing")}
        <button
            type="button"
            class="button button-primary"
            aria-disabled=move || is_leaving.get().to_string()
            on:click=move |_| on_grant.run(())
        >
            {move || is_leaving.get().then(|| view! { <Icon svg=icon::SPINNER /> })}
            "Grant"
            <span class="only-heard">{format!(" {}", permissions::label(name))}</span>
        </button>
    }
    .into_any()
}

/// An icon and a word, in the colour of a class.
pub fn badge(class: &'static str, svg: &'static str, word: &'static str) -> AnyView {
    view! {
        <span class=format!("badge {class}")>
            <Icon svg />
            {word}
        </span>
    }
    .into_any()
}
