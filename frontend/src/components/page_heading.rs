//! A page's `h1` and title.

use leptos::html;
use leptos::prelude::*;

use crate::focus;

/// Notes whether this visit has shown a page before.
#[derive(Clone, Copy)]
pub struct RouteChanges(StoredValue<bool>);

impl RouteChanges {
    /// Puts the note into the context.
    pub fn provide() {
        provide_context(Self(StoredValue::new(false)));
    }

    /// Tells whether a page was shown before this one, and notes that one was from now on.
    fn note(self) -> bool {
        let changed = self.0.get_value();
        self.0.set_value(true);
        changed
    }
}

/// The heading's id, which takes the focus while what had it is loaded again.
pub const HEADING_ID: &str = "page-heading";

/// The page's one `h1`. It also names the document, and takes the focus when the route has changed, so that a screen
/// reader reads where one is now. The first page of a visit leaves the focus to the browser.
#[component]
pub fn PageHeading(
    /// Title of the page.
    #[prop(into)]
    title: String,
) -> impl IntoView {
    document().set_title(&format!("{title} · Instagram Connect"));
    let changed = expect_context::<RouteChanges>().note();
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |_| {
        if let Some(heading) = heading.get()
            && changed
        {
            focus::focus(&heading);
        }
    });
    view! {
        <h1 node_ref=heading id=HEADING_ID tabindex="-1">
            {title}
        </h1>
    }
}
