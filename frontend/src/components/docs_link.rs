//! A link to documentation.

use leptos::prelude::*;

use super::icon::{self, Icon};

/// Opens a page of documentation in a tab of its own.
pub fn docs_link(label: &'static str, address: impl Into<String>) -> AnyView {
    view! {
        <a class="link" href=address.into() target="_blank" rel="noopener">
            {label}
            <Icon svg=icon::EXTERNAL />
            <span class="only-heard">" (opens in a new tab)"</span>
        </a>
    }
    .into_any()
}
