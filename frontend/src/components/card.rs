//! A card with a heading.

use leptos::prelude::*;

/// Shows a card. The heading's id takes the focus when what had it is gone; `side` stands beside the heading. A card that
/// waits for an answer says so through `busy`.
pub fn card(
    id: impl Into<String>,
    title: &'static str,
    busy: Option<Signal<bool>>,
    side: AnyView,
    body: AnyView,
) -> AnyView {
    let (id, named_by) = {
        let id = id.into();
        (id.clone(), id)
    };
    view! {
        <section
            class="card"
            aria-labelledby=named_by
            aria-busy=busy.map(|busy| move || busy.get().to_string())
        >
            <div class="card-head">
                <h2 class="card-title" id=id tabindex="-1">
                    {title}
                </h2>
                {side}
            </div>
            {body}
        </section>
    }
    .into_any()
}
