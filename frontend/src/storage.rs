//! What the browser remembers.
//!
//! A browser may refuse storage (private windows, policies). Everything here then behaves as if nothing was stored.

use leptos::prelude::window;
use web_sys::Storage;

use crate::callback::Pending;

const PENDING: &str = "instagram-connect.callback";
const THEME: &str = "theme";

/// What the callback page has in hand, if anything. Only this tab sees it, and it ends with the tab.
pub fn pending() -> Option<Pending> {
    let text = session_storage()?.get_item(PENDING).ok()??;
    serde_json::from_str(&text).ok()
}

/// Keeps what the callback page has in hand, in place of what it had.
pub fn keep_pending(pending: &Pending) {
    if let (Some(storage), Ok(text)) = (session_storage(), serde_json::to_string(pending)) {
        let _ = storage.set_item(PENDING, &text);
    }
}

/// Forgets what the callback page had in hand.
pub fn clear_pending() {
    if let Some(storage) = session_storage() {
        let _ = storage.remove_item(PENDING);
    }
}

/// The remembered theme's name. `index.html` reads the same key before the first paint.
pub fn theme() -> Option<String> {
    local_storage()?.get_item(THEME).ok()?
}

/// Remembers a theme by name; `None` forgets it.
pub fn set_theme(name: Option<&str>) {
    let Some(storage) = local_storage() else { return };
    let _ = match name {
        Some(name) => storage.set_item(THEME, name),
        None => storage.remove_item(THEME),
    };
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}
