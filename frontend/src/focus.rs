//! Keyboard focus. It must never be lost when the element with the focus goes away.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Focuses the element with this id as soon as the page shows it.
pub fn soon(id: impl Into<String>) {
    soon_on_first([id.into()]);
}

/// Focuses the first of these ids that the page shows by then.
pub fn soon_on_first<const N: usize>(ids: [String; N]) {
    request_animation_frame(move || {
        if let Some(element) = ids.iter().find_map(|id| document().get_element_by_id(id)) {
            focus(&element);
        }
    });
}

/// Makes a change of the page. If that takes away what has the focus, the element with this id gets it.
pub fn kept_through(change: impl FnOnce(), id: impl Into<String>) {
    let id = id.into();
    let before = is_somewhere();
    change();
    request_animation_frame(move || {
        if before
            && !is_somewhere()
            && let Some(element) = document().get_element_by_id(&id)
        {
            focus(&element);
        }
    });
}

/// Tells whether any element has the focus.
fn is_somewhere() -> bool {
    document().active_element().is_some_and(|active| active.tag_name() != "BODY")
}

/// Tells whether a change of the page would close something that the person is using: an open menu or dialog.
pub fn is_in_use() -> bool {
    document().query_selector("[aria-expanded=true], dialog[open]").ok().flatten().is_some()
}

/// Focuses the first field of the form that is marked as wrong, once the marks are in the page. Behind a dialog nothing can have
/// the focus.
pub fn first_invalid_field_soon() {
    request_animation_frame(|| {
        let wrong = ["dialog[open] [aria-invalid=true]", "[aria-invalid=true]"];
        if let Some(element) = wrong.iter().find_map(|wrong| document().query_selector(wrong).ok()?) {
            focus(&element);
        }
    });
}

/// Focuses an element.
pub fn focus(element: &web_sys::Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // Fails only for elements outside of a document.
        let _ = element.focus();
    }
}
