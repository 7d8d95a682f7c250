//! Times in a sentence: short for eyes, exact on pointing and for ears.

use leptos::prelude::*;
use shared::Timestamp;

use crate::format;

/// A time in short; the exact one shows on pointing at it.
pub fn time(when: &Timestamp, short: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    let title = format::exact(format::milliseconds(when));
    // One type for all of them: the view below is compiled once.
    let short = Signal::derive(short);
    view! {
        <time datetime=when.as_str().to_owned() title=title>
            {move || short.get()}
        </time>
    }
    .into_any()
}

/// The exact time for a screen reader, which does not read titles.
pub fn heard(milliseconds: f64) -> AnyView {
    view! { <span class="only-heard">{format!(", {}", format::exact(milliseconds))}</span> }.into_any()
}
