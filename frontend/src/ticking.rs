//! The time, told anew once a minute.

use std::time::Duration;

use leptos::prelude::*;

use crate::format;

/// Time after which relative times are told anew.
const TICK: Duration = Duration::from_secs(60);

/// Milliseconds since 1970 by the browser's clock, kept current for as long as the component around this lives.
pub fn ticking_now() -> RwSignal<f64> {
    let now = RwSignal::new(format::now());
    let tick = move || {
        now.try_set(format::now());
    };
    if let Ok(timer) = set_interval_with_handle(tick, TICK) {
        on_cleanup(move || timer.clear());
    }
    now
}
