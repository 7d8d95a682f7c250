//! The callback's steps, ticked off as they happen.

use leptos::prelude::*;

use crate::callback::Step;
use crate::components::icon::{self, Icon};
use crate::providers::Provider;

/// Progress of the current step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is under way.
    Running,
    /// It waits for the person.
    Paused,
    /// It failed.
    Failed,
}

/// Returns the state of a step, for eyes (a class and an icon) and for ears (a word).
fn parts(step: Step, current: Step, progress: Progress) -> (&'static str, &'static str, &'static str) {
    if step < current || (step == current && step == Step::Done) {
        return ("step-done", icon::CHECK, "done");
    }
    if step > current {
        return ("step-waiting", icon::DASHED, "not yet");
    }
    match progress {
        Progress::Running => ("step-running", icon::SPINNER, "under way"),
        Progress::Paused => ("step-paused", icon::DASHED, "waits for you"),
        Progress::Failed => ("step-failed", icon::CROSS, "failed"),
    }
}

/// The list. Steps before `current` are done, those after it wait.
#[component]
pub fn StepList(
    /// Provider of the account.
    provider: &'static Provider,
    /// The step that it has come to.
    current: Step,
    /// Progress of that step.
    progress: Progress,
) -> impl IntoView {
    let steps = Step::ALL.map(|step| {
        let (class, svg, state) = parts(step, current, progress);
        view! {
            <li class=format!("step {class}") aria-current=(step == current).then_some("step")>
                <Icon svg />
                <span>{step.label(provider)}</span>
                <span class="only-heard">{format!(" ({state})")}</span>
            </li>
        }
    });
    view! { <ol class="steps">{steps.into_iter().collect_view()}</ol> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_tick_in_their_order() {
        let states = |current, progress| Step::ALL.map(|step| parts(step, current, progress).2);
        assert_eq!(states(Step::Access, Progress::Running), ["done", "under way", "not yet", "not yet"]);
        assert_eq!(states(Step::Saving, Progress::Failed), ["done", "done", "failed", "not yet"]);
        assert_eq!(states(Step::Done, Progress::Running), ["done", "done", "done", "done"]);
    }
}
