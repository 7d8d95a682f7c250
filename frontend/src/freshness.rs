//! Keeping what a page shows true while nobody touches it.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;

use crate::format;

/// Age after which an answer is stale while the page is visible.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// Age in milliseconds after which coming back to the page asks again. Coming back raises two events: the
/// page is visible, and the window has the focus.
const RETURN_AFTER_MS: f64 = 2_000.0;

/// Calls `ask` once a minute while the page is visible, and whenever the person comes back to it, for as long as the
/// component around this lives. A page in the background asks for nothing.
pub fn keep_fresh(ask: impl Fn() + Copy + 'static) {
    let asked = StoredValue::new(format::now());
    let ask_now = move || {
        asked.set_value(format::now());
        ask();
    };
    let returned = move |_| {
        if !document().hidden() && format::now() - asked.get_value() > RETURN_AFTER_MS {
            ask_now();
        }
    };
    let listeners = ["visibilitychange", "focus"].map(|event| window_event_listener_untyped(event, returned));
    let tick = move || {
        if !document().hidden() {
            ask_now();
        }
    };
    let timer = set_interval_with_handle(tick, STALE_AFTER);
    on_cleanup(move || {
        listeners.into_iter().for_each(WindowListenerHandle::remove);
        if let Ok(timer) = timer {
            timer.clear();
        }
    });
}

/// Calls `then` when the browser's Back button shows the page as it was left, for as long as the component around this
/// lives.
pub fn when_restored(then: impl Fn() + 'static) {
    let listener = window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            then();
        }
    });
    on_cleanup(move || listener.remove());
}
