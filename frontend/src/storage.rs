//! Values that the browser remembers.
//!
//! A browser may refuse storage (private windows, policies). Everything here then behaves as if nothing was stored.

use leptos::prelude::window;
use web_sys::{Storage, UrlSearchParams};

use crate::callback::{CallbackQuery, Pending};
use crate::connect::Purpose;
use crate::json;
use crate::providers::Provider;

/// Each provider has these of its own: two tabs' worth of connecting may be under way in one.
const PENDING_QUERY: &str = "callback.query";
const PENDING_ANSWER: &str = "callback.answer";
const PURPOSE: &str = "connect.purpose";
const CONNECTION: &str = "connect.connection";
const RETURN_TO: &str = "connect.returnTo";
const BEFORE: &str = "connect.before";
const THEME: &str = "theme";
const SIGNED_IN: &str = "session.signedIn";

/// Returns the unspent code or answer of the provider's callback page, if any. Only this tab sees it, and it goes with the
/// tab.
pub fn pending(provider: &Provider) -> Option<Pending> {
    if let Some(answer) = kept(provider, PENDING_ANSWER) {
        return json::read(&answer).map(Pending::Answer);
    }
    let params = UrlSearchParams::new_with_str(&kept(provider, PENDING_QUERY)?).ok()?;
    CallbackQuery::from_params(|name| params.get(name)).map(Pending::Query)
}

/// Keeps what the provider's callback page has in hand, in place of what it had.
pub fn keep_pending(provider: &Provider, pending: &Pending) {
    clear_pending(provider);
    match pending {
        Pending::Query(query) => keep(provider, PENDING_QUERY, &text_of(query)),
        Pending::Answer(answer) => {
            if let Some(text) = json::write(answer) {
                keep(provider, PENDING_ANSWER, &text);
            }
        }
    }
}

/// The query as it stood in the address.
fn text_of(query: &CallbackQuery) -> String {
    let pairs = query.pairs().map(|(name, value)| format!("{name}={}", js_sys::encode_uri_component(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Forgets what the provider's callback page had in hand.
pub fn clear_pending(provider: &Provider) {
    if let Some(storage) = session_storage() {
        let _ = storage.remove_item(&key(provider, PENDING_QUERY));
        let _ = storage.remove_item(&key(provider, PENDING_ANSWER));
    }
}

/// Returns the purpose for which this tab last left for the provider, and the connection to reconnect.
pub fn attempt(provider: &Provider) -> (Purpose, Option<String>) {
    let purpose = kept(provider, PURPOSE).unwrap_or_default();
    (Purpose::of_name(&purpose), kept(provider, CONNECTION).filter(|id| !id.is_empty()))
}

/// Returns the path to which this tab was to come back from the provider.
pub fn return_to(provider: &Provider) -> Option<String> {
    kept(provider, RETURN_TO)
}

/// Returns the [`callback::marks`](crate::callback::marks) of the connections before this tab last left for the
/// provider. `None` if the tab did not leave, or the marks are not known.
pub fn marks_before(provider: &Provider) -> Option<String> {
    kept(provider, BEFORE)
}

/// Keeps why this tab leaves for a provider and for which connection, where it is to come back to, and the marks of what is
/// connected now.
pub fn keep_attempt(
    provider: &Provider,
    purpose: Purpose,
    connection_id: Option<&str>,
    return_to: &str,
    before: &str,
) {
    keep(provider, PURPOSE, purpose.name());
    keep(provider, CONNECTION, connection_id.unwrap_or_default());
    keep(provider, RETURN_TO, return_to);
    keep(provider, BEFORE, before);
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

/// Returns the key of what is kept for a provider.
fn key(provider: &Provider, what: &str) -> String {
    format!("{}.{what}", provider.slug())
}

fn kept(provider: &Provider, what: &str) -> Option<String> {
    session_storage()?.get_item(&key(provider, what)).ok()?
}

fn keep(provider: &Provider, what: &str, value: &str) {
    if let Some(storage) = session_storage() {
        let _ = storage.set_item(&key(provider, what), value);
    }
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}
