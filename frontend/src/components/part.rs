//! A part of a page that is loaded by itself.

use leptos::prelude::*;

/// State of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<T> {
    /// Not known yet.
    Loading,
    /// It could not be loaded, for this reason.
    Failed(String),
    /// It is known.
    Ready(T),
}

impl<T> Part<T> {
    /// Returns the value, if it is known.
    pub fn ready(self) -> Option<T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Loading | Self::Failed(_) => None,
        }
    }

    /// Changes what is known, if anything is.
    pub fn change(&mut self, change: impl FnOnce(&mut T)) {
        if let Self::Ready(value) = self {
            change(value);
        }
    }

    /// Tells whether the part is being loaded for the first time.
    pub fn is_loading(&self) -> bool {
        matches!(self, Self::Loading)
    }
}

/// Rows before their data, as HTML.
pub const ROWS: &str = include_str!("rows_skeleton.html");

/// A card's content before its data, as HTML.
pub fn skeleton(html: &'static str) -> AnyView {
    view! {
        <div class="card-body">
            <span class="only-heard">"Loading…"</span>
            <div class="skeleton" inner_html=html></div>
        </div>
    }
    .into_any()
}

/// A card's content where there are words alone, such as that there is nothing.
pub fn words(words: &'static str) -> AnyView {
    view! {
        <div class="card-body">
            <p class="card-text">{words}</p>
        </div>
    }
    .into_any()
}

/// A card's content when it could not be loaded. `id` is that of the button.
pub fn failed(why: String, id: impl Into<String>, retry: Callback<()>) -> AnyView {
    view! {
        <div class="card-body part-failed">
            <p class="card-text" role="alert">
                {why}
            </p>
            <button type="button" class="button" id=id.into() on:click=move |_| retry.run(())>
                "Retry"
            </button>
        </div>
    }
    .into_any()
}
