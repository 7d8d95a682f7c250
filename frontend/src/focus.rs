//! Where the keyboard is. Focus must never be lost when what had it goes away.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Focuses the element with this id as soon as the page shows it.
pub fn soon(id: &'static str) {
    request_animation_frame(move || {
        if let Some(element) = document().get_element_by_id(id) {
            focus(&element);
        }
    });
}

/// Focuses the first field of the form that is marked as wrong, once the marks are in the page.
pub fn first_invalid_field_soon() {
    request_animation_frame(|| {
        if let Ok(Some(element)) = document().query_selector("[aria-invalid=true]") {
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
