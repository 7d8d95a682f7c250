//! `/settings/…`: what a person sets up for themselves.

mod api_keys;
mod sessions;

use leptos::prelude::*;
use shared::ErrorCode;

use crate::api::ApiFailure;
use crate::components::field::FieldState;
use crate::components::form::{self, FormState};
use crate::components::page_heading::PageHeading;

pub use api_keys::{ApiKeys, PATH as API_KEYS};
pub use sessions::{PATH as SESSIONS, Sessions};

/// Shows the frame that the pages of the settings have in common. `path` is the page's own.
fn frame(path: &'static str, title: &'static str, lede: &'static str, cards: AnyView) -> AnyView {
    let link = |to: &'static str, label: &'static str| {
        let current = (to == path).then_some("page");
        view! { <a href=to aria-current=current>{label}</a> }.into_any()
    };
    view! {
        <div class="page">
            <nav class="sub-nav" aria-label="Settings">
                {link(API_KEYS, "API keys")} {link(SESSIONS, "Sessions")}
            </nav>
            <PageHeading title />
            <p class="lede">{lede}</p>
            <div class="cards">{cards}</div>
        </div>
    }
    .into_any()
}

/// Shows why the server said no; a wrong password under its field.
fn refuse(
    state: RwSignal<FormState>,
    password: FieldState,
    failure: &ApiFailure,
    fields: &[(&str, FieldState)],
) {
    if failure.code() == Some(ErrorCode::InvalidCredentials) {
        password.refuse("This is not your password");
        form::lead_to_mistake(state);
    } else {
        form::refuse(state, failure, fields);
    }
}
