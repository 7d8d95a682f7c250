//! Short confirmations of what was done. Failures are shown where they happened instead.

use std::time::Duration;

use leptos::prelude::*;

use super::icon::{self, Icon};

/// How long a toast stays: enough to read a sentence twice.
const STAYS: Duration = Duration::from_secs(6);

/// A confirmation. Numbered, so that an old one's timer does not take a new one away.
#[derive(Clone, PartialEq, Eq)]
struct Toast {
    number: u32,
    text: String,
}

/// Shows toasts, one at a time; shared as a context.
#[derive(Clone, Copy)]
pub struct Toasts(RwSignal<Option<Toast>>);

impl Toasts {
    /// Puts it into the context.
    pub fn provide() {
        provide_context(Self(RwSignal::new(None)));
    }

    /// The app's toasts.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Shows a sentence, in place of the one before.
    pub fn show(self, text: impl Into<String>) {
        let number = self.0.with_untracked(|toast| toast.as_ref().map_or(0, |toast| toast.number + 1));
        self.0.set(Some(Toast { number, text: text.into() }));
        set_timeout(move || self.close(number), STAYS);
    }

    fn close(self, number: u32) {
        if self.0.with_untracked(|toast| toast.as_ref().is_some_and(|toast| toast.number == number)) {
            self.0.set(None);
        }
    }
}

/// Where toasts appear. The region is always in the page, since screen readers announce only what changes in a region
/// that they know.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = Toasts::expect();
    view! {
        <div class="toast-region" role="status" aria-live="polite">
            {move || {
                toasts
                    .0
                    .get()
                    .map(|toast| {
                        let number = toast.number;
                        view! {
                            <div class="toast">
                                <Icon svg=icon::CHECK />
                                <span>{toast.text}</span>
                                <button
                                    type="button"
                                    class="toast-close"
                                    aria-label="Dismiss"
                                    on:click=move |_| toasts.close(number)
                                >
                                    <Icon svg=icon::CROSS />
                                </button>
                            </div>
                        }
                    })
            }}
        </div>
    }
}
