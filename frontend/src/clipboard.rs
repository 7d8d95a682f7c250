//! Copying.

use js_sys::Reflect;
use js_sys::futures::JsFuture;
use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Copies a text. Answers whether it did: browsers refuse where the page did not come over a safe way, for example.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    let clipboard = Reflect::get(&navigator, &JsValue::from_str("clipboard"));
    // Where the browser refuses, there is no clipboard at all.
    if clipboard.is_ok_and(|clipboard| clipboard.is_undefined()) {
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
