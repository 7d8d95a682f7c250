//! A failure in words, with the ways on.

use std::time::Duration;

use leptos::prelude::*;

use crate::components::docs_link::docs_link;
use crate::problem::{Problem, WayOn, wait_in_words};

/// The id of the first way on, to which the focus goes when a failure appears.
pub const FIRST_WAY_ID: &str = "first-way-on";

/// Says what went wrong and offers what can be done.
#[component]
pub fn ProblemNotice(
    /// The failure to show.
    problem: Problem,
    /// Called with the way that was chosen. Docs are links and do not call.
    on_choose: Callback<WayOn>,
) -> impl IntoView {
    let left = countdown(problem.wait.unwrap_or(0));
    let ways = problem
        .ways
        .into_iter()
        .enumerate()
        .map(|(index, way)| match way {
            WayOn::Docs(label, address) => docs_link(label, address),
            way => way_button(way, index == 0, left, on_choose).into_any(),
        })
        .collect_view();
    view! {
        <div class="problem">
            <p class="problem-sentence" role="alert">
                {problem.sentence}
            </p>
            <div class="problem-ways">{ways}</div>
        </div>
    }
}

fn way_button(way: WayOn, first: bool, left: RwSignal<u64>, on_choose: Callback<WayOn>) -> impl IntoView {
    // Only the first way is what the wait is about.
    let waiting = move || first && left.get() > 0;
    let label = way.label();
    view! {
        <button
            type="button"
            class="button"
            class:button-primary=first
            id=first.then_some(FIRST_WAY_ID)
            aria-disabled=move || waiting().to_string()
            on:click=move |_| if !(first && left.get_untracked() > 0) { on_choose.run(way.clone()) }
        >
            {move || {
                if waiting() {
                    format!("{label} in {}", wait_in_words(left.get()))
                } else {
                    label.clone()
                }
            }}
        </button>
    }
}

/// Counts seconds down to zero.
fn countdown(seconds: u64) -> RwSignal<u64> {
    let left = RwSignal::new(seconds);
    if seconds > 0 {
        let tick = move || {
            left.try_update(|left| *left = left.saturating_sub(1));
        };
        if let Ok(timer) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || timer.clear());
        }
    }
    left
}
