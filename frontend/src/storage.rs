//! Values that the browser remembers.
//!
//! A browser may refuse storage (private windows, policies). Everything here then behaves as if nothing was stored.

use leptos::prelude::window;
use web_sys::{Storage, UrlSearchParams};

use crate::callback::{CallbackQuery, Pending};
use crate::connect::Purpose;
use crate::json;

const PENDING_QUERY: &str = "callback.query";
const PENDING_ANSWER: &str = "callback.answer";
const PURPOSE: &str = "connect.purpose";
const CONNECTION: &str = "connect.connection";
const RETURN_TO: &str = "connect.returnTo";
const BEFORE: &str = "connect.before";
const THEME: &str = "theme";
const SIGNED_IN: &str = "session.signedIn";

/// Returns the callback page's unspent code or answer, if any. Only this tab sees it, and it goes with the
/// tab.
pub fn pending() -> Option<Pending> {
    let storage = session_storage()?;
    let kept = |key| storage.get_item(key).ok()?;
    if let Some(answer) = kept(PENDING_ANSWER) {
        return json::read(&answer).map(Pending::Answer);
    }
    let params = UrlSearchParams::new_with_str(&kept(PENDING_QUERY)?).ok()?;
    CallbackQuery::from_params(|name| params.get(name)).map(Pending::Query)
}

/// Keeps what the callback page has in hand, in place of what it had.
pub fn keep_pending(pending: &Pending) {
    clear_pending();
    let Some(storage) = session_storage() else { return };
    let _ = match pending {
        Pending::Query(query) => storage.set_item(PENDING_QUERY, &text_of(query)),
        Pending::Answer(answer) => match json::write(answer) {
            Some(text) => storage.set_item(PENDING_ANSWER, &text),
            None => Ok(()),
        },
    };
}

/// The query as it stood in the address.
fn text_of(query: &CallbackQuery) -> String {
    let pairs = query.pairs().map(|(name, value)| format!("{name}={}", js_sys::encode_uri_component(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Forgets what the callback page had in hand.
pub fn clear_pending() {
    if let Some(storage) = session_storage() {
        let _ = storage.remove_item(PENDING_QUERY);
        let _ = storage.remove_item(PENDING_ANSWER);
    }
}

/// Returns the purpose for which this tab last left for a provider, and the connection to reconnect.
pub fn attempt() -> (Purpose, Option<String>) {
    let purpose = kept(PURPOSE).unwrap_or_default();
    (Purpose::of_name(&purpose), kept(CONNECTION).filter(|id| !id.is_empty()))
}

/// Returns the path to which this tab was to come back from the provider.
pub fn return_to() -> Option<String> {
    kept(RETURN_TO)
}

/// Returns the [`callback::mark`](crate::callback::mark) of the connection before this tab last left for a
/// provider. `None` if the tab did not leave, or the mark is not known.
pub fn mark_before() -> Option<String> {
    kept(BEFORE)
}

/// Keeps why this tab leaves for a provider and for which connection, where it is to come back to, and the mark of what is
/// connected now.
pub fn keep_attempt(purpose: Purpose, connection_id: Option<&str>, return_to: &str, before: &str) {
    if let Some(storage) = session_storage() {
        let _ = storage.set_item(PURPOSE, purpose.name());
        let _ = storage.set_item(CONNECTION, connection_id.unwrap_or_default());
        let _ = storage.set_item(RETURN_TO, return_to);
        let _ = storage.set_item(BEFORE, before);
    }
}

/// The remembered theme's name. `index.html` reads the same key before the first paint.
pub fn theme() -> Option<String> {
    local_storage()?.get_item(THEME).ok()?
}

/// Tells whether somebody was signed in here when it was last known. It proves nothing: the cookie does.
pub fn was_signed_in() -> bool {
    local_storage().is_some_and(|storage| storage.get_item(SIGNED_IN).is_ok_and(|mark| mark.is_some()))
}

/// Remembers whether somebody is signed in.
pub fn set_signed_in(is_signed_in: bool) {
    let Some(storage) = local_storage() else { return };
    let _ = if is_signed_in { storage.set_item(SIGNED_IN, "") } else { storage.remove_item(SIGNED_IN) };
}

/// Remembers a theme by name; `None` forgets it.
pub fn set_theme(name: Option<&str>) {
    let Some(storage) = local_storage() else { return };
    let _ = match name {
        Some(name) => storage.set_item(THEME, name),
        None => storage.remove_item(THEME),
    };
}

fn kept(key: &str) -> Option<String> {
    session_storage()?.get_item(key).ok()?
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}
