//! Every address that is not a page.

use leptos::prelude::*;
use shared::sentence::NOTHING_HERE;

use crate::components::page_heading::PageHeading;
use crate::session::HOME;

/// Says that there is nothing here, and leads home.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <div class="page page-narrow">
            <PageHeading title="Page not found" />
            <p class="lede">{NOTHING_HERE} " It may have moved, or have been mistyped."</p>
            <p>
                <a href=HOME class="button button-primary">
                    "Go to integrations"
                </a>
            </p>
        </div>
    }
}
