//! A card with a list of things that can be ended, one by one.

use leptos::prelude::*;
use shared::Timestamp;

use super::badge::badge;
use super::card::card;
use super::icon::Icon;
use super::moment::{heard, time};
use super::part::{self, Part};
use crate::api::ApiFailure;
use crate::focus;
use crate::format;
use crate::problem;
use crate::ticking::ticking_now;

/// One thing of the list.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// Names it to the server.
    pub id: String,
    /// Icon for the entry's kind of thing.
    pub icon: &'static str,
    /// The person's name for the entry.
    pub title: String,
    /// Beginning of the entry, where it is a text.
    pub hint: Option<String>,
    /// Further remark on the entry; empty for none.
    pub note: String,
    /// Its times.
    pub facts: Vec<Fact>,
    /// Badge that sets the entry apart from the others: the class of its colour, an icon, and a word.
    pub mark: Option<(&'static str, &'static str, &'static str)>,
    /// Tells whether the entry can be ended here.
    pub can_end: bool,
}

/// A fact of an entry.
#[derive(Clone, PartialEq)]
pub enum Fact {
    /// In words.
    Words(&'static str),
    /// `Created Nov 10, 2025`.
    On(&'static str, Timestamp),
    /// `Used 5 minutes ago`.
    Ago(&'static str, Timestamp),
}

/// Kind of things in a list: the list's texts.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The list's heading.
    pub title: &'static str,
    /// The heading's id, which takes the focus when what had it is gone.
    pub title_id: &'static str,
    /// The button that ends an entry.
    pub end: &'static str,
    /// Text of the empty list.
    pub empty: &'static str,
}

/// The things of a list, as far as they are known. What is done to them may come when the page is gone.
#[derive(Clone, Copy)]
pub struct Entries(RwSignal<Part<Vec<Entry>>>);

impl Entries {
    /// Before they are known.
    pub fn new() -> Self {
        Self(RwSignal::new(Part::Loading))
    }

    /// Forgets them, to be asked for again; `kind` has what takes the focus meanwhile.
    pub fn forget(self, kind: Kind) {
        focus::kept_through(|| self.0.set(Part::Loading), kind.title_id);
    }

    /// Shows what the server has answered.
    pub fn show<T>(self, answer: Result<Vec<T>, ApiFailure>, entry: fn(T) -> Entry) {
        self.0.try_set(match answer {
            Ok(things) => Part::Ready(things.into_iter().map(entry).collect()),
            Err(failure) => Part::Failed(problem::sentence(&failure)),
        });
    }

    /// Changes them, where they are known.
    pub fn change(self, change: impl FnOnce(&mut Vec<Entry>)) {
        self.0.try_update(|entries| entries.change(change));
    }

    /// Tells whether any entry can be ended; tracked.
    pub fn can_end_any(self) -> bool {
        match &*self.0.read() {
            Part::Ready(entries) => entries.iter().any(|entry| entry.can_end),
            Part::Loading | Part::Failed(_) => false,
        }
    }
}

/// The card. `action` stands beside its heading.
pub fn entry_list(
    kind: Kind,
    Entries(entries): Entries,
    action: AnyView,
    on_retry: Callback<()>,
    on_end: Callback<Entry>,
) -> AnyView {
    let now = ticking_now();
    let busy = Signal::derive(move || entries.read().is_loading());
    let body = move || match entries.get() {
        Part::Loading => part::skeleton(part::ROWS),
        Part::Failed(why) => part::failed(why, "retry", on_retry),
        Part::Ready(entries) if entries.is_empty() => part::words(kind.empty),
        Part::Ready(entries) => {
            let rows = entries.into_iter().map(|entry| row(entry, kind.end, now, on_end)).collect_view();
            view! { <ul class="rows">{rows}</ul> }.into_any()
        }
    };
    let side = view! { <div class="card-side">{action}</div> };
    card(kind.title_id, kind.title, Some(busy), side.into_any(), body.into_any())
}

fn row(entry: Entry, end: &'static str, now: RwSignal<f64>, on_end: Callback<Entry>) -> AnyView {
    let Entry { id, icon, title, hint, note, facts, mark, can_end } = entry.clone();
    let facts = facts.iter().map(|fact| view! { <li>{words(fact, now)}</li> }.into_any()).collect_view();
    let name = title.clone();
    let hint = hint.map(|hint| view! { <code class="row-hint">{hint}</code> }.into_any());
    let mark = mark.map(|(class, svg, word)| badge(class, svg, word));
    let note = (!note.is_empty()).then(|| view! { <p class="row-note">{note}</p> }.into_any());
    let button = can_end.then(|| {
        view! {
            <button
                type="button"
                class="button"
                id=format!("end-{id}")
                on:click=move |_| on_end.run(entry.clone())
            >
                {end}
                <span class="only-heard">{format!(" {name}")}</span>
            </button>
        }
        .into_any()
    });
    view! {
        <li class="row">
            <span class="row-icon">
                <Icon svg=icon />
            </span>
            <div class="row-text">
                <p class="row-title">{title} {hint} {mark}</p>
                {note}
                <ul class="facts row-note">{facts}</ul>
            </div>
            <div class="row-end">{button}</div>
        </li>
    }
    .into_any()
}

fn words(fact: &Fact, now: RwSignal<f64>) -> AnyView {
    let (before, when, is_relative) = match fact {
        Fact::Words(words) => return words.into_any(),
        Fact::On(before, when) => (*before, when, false),
        Fact::Ago(before, when) => (*before, when, true),
    };
    let at = format::milliseconds(when);
    let short = move || if is_relative { format::ago(at, now.get()) } else { format::date(at) };
    view! { {before} " " {time(when, short)} {heard(at)} }.into_any()
}
