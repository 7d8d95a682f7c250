//! The card of the timeline: what happened to the connection, and the way to what was before.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ConnectionEvent, EventsAnswer};

use super::event_list::{EventList, LIST_ID};
use super::rows;
use crate::api::{self, ApiFailure};
use crate::components::card::card;
use crate::components::icon::{self, Icon};
use crate::components::part::{self, Part};
use crate::focus;
use crate::problem;
use crate::providers::Provider;
use crate::session::Session;

/// The heading's id, which takes the focus when what had it is gone.
const TITLE_ID: &str = "timeline-title";

/// The id of the button below the list.
const MORE_ID: &str = "show-more";

/// The part of the timeline that is loaded.
#[derive(Clone, PartialEq)]
struct Loaded {
    events: Vec<ConnectionEvent>,
    /// Cursor of the next events, if there are more.
    next: Option<String>,
    more: More,
}

/// State of the button below the timeline.
#[derive(Clone, PartialEq)]
enum More {
    Offered,
    Loading,
    Failed(String),
}

/// The card, as far as it is known. Answers may come when the page is gone: then they change nothing.
#[derive(Clone, Copy)]
pub struct Timeline {
    provider: &'static Provider,
    /// The id of the connection, unless it is the one in use.
    id: StoredValue<Option<String>>,
    session: Session,
    loaded: RwSignal<Part<Loaded>>,
}

impl Timeline {
    /// Returns a card of which nothing is known yet.
    pub fn new(provider: &'static Provider, id: Option<String>) -> Self {
        let (id, loaded) = (StoredValue::new(id), RwSignal::new(Part::Loading));
        Self { provider, id, session: Session::expect(), loaded }
    }

    /// Forgets the events, to be asked for again.
    pub fn forget(self) {
        self.loaded.try_set(Part::Loading);
    }

    async fn ask(self, cursor: Option<&str>) -> Result<EventsAnswer, ApiFailure> {
        let id = self.id.try_get_value().flatten();
        self.session.checked(api::events(self.provider, id.as_deref(), cursor).await)
    }

    /// Loads the newest events, and puts them in front of those that are shown.
    pub fn load(self) {
        spawn_local(async move {
            let answer = self.ask(None).await;
            let Some(shown) = self.loaded.try_get_untracked() else { return };
            let shown = shown.ready();
            match answer {
                Ok(newest) => {
                    let joined = shown.and_then(|shown| {
                        let events = rows::joined(&newest.events, &shown.events)?;
                        Some(Loaded { events, ..shown })
                    });
                    let anew =
                        || Loaded { events: newest.events, next: newest.next_cursor, more: More::Offered };
                    self.loaded.set(Part::Ready(joined.unwrap_or_else(anew)));
                }
                // What is shown is true, if not complete.
                Err(_) if shown.is_some() => {}
                Err(failure) => self.loaded.set(Part::Failed(problem::sentence(&failure))),
            }
        });
    }

    /// Loads the events that come after those that are shown.
    fn load_more(self) {
        let Some(shown) = self.loaded.get_untracked().ready() else { return };
        let Some(cursor) = shown.next.filter(|_| shown.more != More::Loading) else { return };
        self.change(|loaded| loaded.more = More::Loading);
        spawn_local(async move {
            match self.ask(Some(&cursor)).await {
                Ok(older) => self.change(|loaded| {
                    // The list may have been loaded anew meanwhile; then these may not be what comes after it.
                    if loaded.next.as_deref() == Some(cursor.as_str()) {
                        loaded.events.extend(older.events);
                        loaded.next = older.next_cursor;
                    }
                    loaded.more = More::Offered;
                }),
                Err(failure) => self.change(|loaded| {
                    loaded.more = More::Failed(problem::sentence(&failure));
                }),
            }
        });
    }

    fn change(self, change: impl FnOnce(&mut Loaded)) {
        let Some(Part::Ready(mut loaded)) = self.loaded.try_get_untracked() else { return };
        change(&mut loaded);
        let id = if loaded.next.is_some() { MORE_ID } else { LIST_ID };
        focus::kept_through(|| self.loaded.set(Part::Ready(loaded)), id);
    }

    fn retry(self) {
        focus::kept_through(|| self.forget(), TITLE_ID);
        self.load();
    }

    /// The card.
    pub fn card(self) -> AnyView {
        let retry = Callback::new(move |()| self.retry());
        // The list stays in the page while events are added to it.
        let shape = Memo::new(move |_| match &*self.loaded.read() {
            Part::Loading => Part::Loading,
            Part::Failed(why) => Part::Failed(why.clone()),
            Part::Ready(loaded) => Part::Ready(loaded.events.is_empty()),
        });
        let events = Signal::derive(move || match &*self.loaded.read() {
            Part::Ready(loaded) => loaded.events.clone(),
            Part::Loading | Part::Failed(_) => Vec::new(),
        });
        let busy = Signal::derive(move || self.loaded.read().is_loading());
        let body = move || match shape.get() {
            Part::Loading => part::skeleton(part::ROWS),
            Part::Failed(why) => part::failed(why, "timeline-retry", retry),
            Part::Ready(true) => part::words("Nothing has happened yet."),
            Part::Ready(false) => view! { <EventList events /> {self.more()} }.into_any(),
        };
        card(TITLE_ID, "Timeline", Some(busy), ().into_any(), body.into_any())
    }

    /// The button below the timeline, while it goes on.
    fn more(self) -> AnyView {
        let more = Memo::new(move |_| match &*self.loaded.read() {
            Part::Ready(Loaded { next: Some(_), more, .. }) => Some(more.clone()),
            _ => None,
        });
        (move || more.get().map(|more| self.more_button(more))).into_any()
    }

    fn more_button(self, more: More) -> AnyView {
        let busy = more == More::Loading;
        let why = match more {
            More::Failed(why) => Some(view! { <p role="alert">{why}</p> }),
            More::Offered | More::Loading => None,
        };
        view! {
            <div class="rows-foot">
                {why}
                <button
                    type="button"
                    class="button"
                    id=MORE_ID
                    aria-disabled=busy.to_string()
                    on:click=move |_| self.load_more()
                >
                    {busy.then(|| view! { <Icon svg=icon::SPINNER /> })}
                    "Show more"
                </button>
            </div>
        }
        .into_any()
    }
}
