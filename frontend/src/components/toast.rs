//! Short confirmations of what was done, and failures of what has no place of its own to show them.

use std::time::Duration;

use leptos::prelude::*;

use super::icon::{self, Icon};
use crate::focus;

/// Time that a toast stays: enough to read a sentence twice.
const STAYS: Duration = Duration::from_secs(6);

/// Kind of message in a toast.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Done,
    UnderWay,
    Failed,
}

/// The toast that is shown. Its number keeps the end of an old toast from taking a new one away.
#[derive(Clone, PartialEq, Eq)]
struct Toast {
    number: u32,
    text: String,
    kind: Kind,
}

/// A toast that tells of something under way.
#[derive(Clone, Copy)]
pub struct UnderWay(u32);

/// Shows toasts, one at a time; shared as a context.
#[derive(Clone, Copy)]
pub struct Toasts(RwSignal<Option<Toast>>, StoredValue<u32>);

impl Toasts {
    /// Puts it into the context.
    pub fn provide() {
        provide_context(Self(RwSignal::new(None), StoredValue::new(0)));
    }

    /// The app's toasts.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Shows what was done, in place of the toast before.
    pub fn show(self, text: impl Into<String>) {
        let number = self.put(text.into(), Kind::Done);
        set_timeout(move || self.close(number), STAYS);
    }

    /// Shows what has failed, in place of the toast before, until it is dismissed or something else is shown.
    pub fn fail(self, text: impl Into<String>) {
        self.put(text.into(), Kind::Failed);
    }

    /// Shows what is under way, in place of the toast before, until [`end`](Self::end) or the next toast.
    pub fn begin(self, text: &str) -> UnderWay {
        UnderWay(self.put(text.to_owned(), Kind::UnderWay))
    }

    /// Takes the toast of something away that is no longer under way.
    pub fn end(self, toast: UnderWay) {
        self.close(toast.0);
    }

    fn put(self, text: String, kind: Kind) -> u32 {
        let number = self.1.get_value();
        self.1.set_value(number.wrapping_add(1));
        self.0.set(Some(Toast { number, text, kind }));
        number
    }

    fn close(self, number: u32) {
        if self.0.with_untracked(|toast| toast.as_ref().is_some_and(|toast| toast.number == number)) {
            let has_focus = document().query_selector(".toast :focus").ok().flatten().is_some();
            self.0.set(None);
            if has_focus {
                focus::soon("content");
            }
        }
    }
}

/// Region in which toasts appear. It is always in the page, since screen readers announce only the changes in
/// a known region.
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
                        let (class, svg) = match toast.kind {
                            Kind::Done => ("toast", icon::CHECK),
                            Kind::UnderWay => ("toast", icon::SPINNER),
                            Kind::Failed => ("toast toast-bad", icon::ALERT),
                        };
                        view! {
                            <div class=class>
                                <Icon svg />
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
                            .into_any()
                    })
            }}
        </div>
    }
}
