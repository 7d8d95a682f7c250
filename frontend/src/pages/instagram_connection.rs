//! `/integrations/instagram`: all that is known about the connection.
//!
//! Each card loads by itself, at the same time as the others; one that fails leaves the others as they are.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{Connection, ConnectionEvent, ErrorCode};

use crate::api::{self, ApiFailure};
use crate::callback;
use crate::components::account_card::{Account, AccountCard, Doing, Requests};
use crate::components::disconnect_dialog::DisconnectDialog;
use crate::components::event_list::{EventList, LIST_ID};
use crate::components::followers_plot::FollowersPlot;
use crate::components::icon::{self, Icon};
use crate::components::instagram_card::{ACTION_ID, MORE_ID};
use crate::components::page_heading::{HEADING_ID, PageHeading};
use crate::components::part::{self, Part};
use crate::components::permission_list::PermissionList;
use crate::components::toast::Toasts;
use crate::connect::{self, DETAILS, Purpose};
use crate::focus;
use crate::format;
use crate::freshness;
use crate::plot::{Plot, Reading};
use crate::problem::{self, Problem};
use crate::session::{HOME, Session, require_session};

/// Shown until the history is known. `index.html` paints the same file before the program arrives.
const PLOT_SKELETON: &str = include_str!("../../plot_skeleton.html");

/// Shown until a list is known.
const ROWS_SKELETON: &str = include_str!("../../rows_skeleton.html");

/// How far back the curve reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Days(i32),
    All,
}

impl Reach {
    const CHOICES: [Self; 3] = [Self::Days(30), Self::Days(90), Self::All];

    fn label(self) -> String {
        match self {
            Self::Days(days) => format!("{days} days"),
            Self::All => "All".to_owned(),
        }
    }
}

/// The readings of a reach.
#[derive(Clone, PartialEq)]
struct History {
    reach: Reach,
    readings: Vec<Reading>,
}

/// The part of the timeline that is loaded.
#[derive(Clone, PartialEq)]
struct Timeline {
    events: Vec<ConnectionEvent>,
    /// Where it goes on, if it does.
    next: Option<String>,
    more: More,
}

/// What the button below the timeline does.
#[derive(Clone, PartialEq)]
enum More {
    Offered,
    Loading,
    Failed(String),
}

/// What all cards work with.
#[derive(Clone, Copy)]
struct Page {
    session: Session,
    toasts: Toasts,
    account: Account,
    reach: RwSignal<Reach>,
    history: RwSignal<Part<History>>,
    /// Whether the curve's table is open.
    shows_table: RwSignal<bool>,
    timeline: RwSignal<Part<Timeline>>,
    /// What to disconnect, while the dialog asks.
    asking: RwSignal<Option<Connection>>,
}

/// The page of the connection.
#[component]
pub fn InstagramConnection() -> impl IntoView {
    let page = Page::new();
    require_session(move || {
        page.load_connection();
        page.load_history();
        page.load_timeline();
    });
    freshness::keep_fresh(move || page.look_again());

    // Coming back from Instagram with the browser's Back button shows this page as it was left.
    let restored = window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            page.account.doing.set(Doing::Nothing);
            page.look_again();
        }
    });
    on_cleanup(move || restored.remove());

    let requests = Requests {
        sync: Callback::new(move |()| page.act(Doing::Syncing)),
        refresh: Callback::new(move |()| page.act(Doing::Refreshing)),
        connect: Callback::new(move |purpose| page.connect(purpose)),
        disconnect: Callback::new(move |()| page.asking.set(page.connection())),
        retry: Callback::new(move |()| page.retry_connection()),
    };
    let is_connected = Memo::new(move |_| !matches!(*page.account.connection.read(), Part::Ready(None)));
    let disconnected = move || {
        let ended = page.asking.get_untracked();
        page.asking.set(None);
        if let Some(ended) = ended {
            page.toasts.show(format!("@{} disconnected", ended.username));
        }
        page.show_what_is_left();
    };
    let kept = move || {
        page.asking.set(None);
        focus::soon(MORE_ID);
    };
    view! {
        <div class="page connection-page">
            <nav class="crumbs" aria-label="Breadcrumb">
                <a class="link" href=HOME>
                    <Icon svg=icon::BACK />
                    "Integrations"
                </a>
            </nav>
            <PageHeading title="Instagram connection" />
            <div class="cards">
                <AccountCard account=page.account requests />
                {move || {
                    is_connected.get().then(|| view! { {followers(page)} {permissions(page)} {timeline(page)} }.into_any())
                }}
            </div>
            {move || {
                page.asking
                    .get()
                    .map(|connection| view! { <DisconnectDialog connection on_done=disconnected on_cancel=kept /> })
            }}
        </div>
    }
}

/// The curve, and how far back it reaches.
fn followers(page: Page) -> AnyView {
    let choices = Reach::CHOICES.map(|reach| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="reach"
                    prop:checked=move || page.reach.get() == reach
                    on:change=move |_| page.choose_reach(reach)
                />
                <span>{reach.label()}</span>
            </label>
        }
    });
    let retry = Callback::new(move |()| {
        focus::kept_through(|| page.history.set(Part::Loading), "followers-title");
        page.load_history();
    });
    let busy = move || match &*page.history.read() {
        Part::Loading => true,
        Part::Failed(_) => false,
        Part::Ready(history) => history.reach != page.reach.get(),
    };
    view! {
        <section class="card" aria-labelledby="followers-title" aria-busy=move || busy().to_string()>
            <div class="card-head">
                <h2 class="card-title" id="followers-title" tabindex="-1">
                    "Followers"
                </h2>
                <fieldset class="segments">
                    <legend class="only-heard">"Reach of the curve"</legend>
                    {choices.into_iter().collect_view()}
                </fieldset>
            </div>
            {move || match page.history.get() {
                Part::Loading => part::skeleton(PLOT_SKELETON),
                Part::Failed(why) => part::failed(why, "followers-retry", retry),
                Part::Ready(history) => curve(history, page.shows_table),
            }}
        </section>
    }
    .into_any()
}

fn curve(History { reach, readings }: History, shows_table: RwSignal<bool>) -> AnyView {
    let count = readings
        .last()
        .map(|last| view! { <strong>{format::count(last.followers, "follower", "followers")}</strong> });
    let body = match Plot::of(&readings) {
        Some(plot) => {
            let caption = match reach {
                Reach::Days(30) => "Followers in the last 30 days",
                Reach::Days(_) => "Followers in the last 90 days",
                Reach::All => "Followers since the account was connected",
            };
            view! { <FollowersPlot plot caption shows_table /> }.into_any()
        }
        None => view! { <p class="plot-empty">"The curve begins with the next sync."</p> }.into_any(),
    };
    view! {
        <div class="card-body">
            <p class="plot-summary">{count} " " {grown(reach, &readings).map(|grown| view! { <span>{grown}</span> })}</p>
            {body}
        </div>
    }
    .into_any()
}

/// `+120 in 30 days`; nothing where there is only one reading.
fn grown(reach: Reach, readings: &[Reading]) -> Option<String> {
    let (first, last) = (readings.first()?, readings.last()?);
    if first.at >= last.at {
        return None;
    }
    let change = if first.followers == last.followers {
        "no change".to_owned()
    } else {
        format::change(first.followers, last.followers)
    };
    let reaches_back = |days: i32| last.at - first.at > f64::from(days - 1) * format::DAY_MS;
    Some(match reach {
        Reach::Days(days) if reaches_back(days) => format!("{change} in {days} days"),
        // A date is not broken.
        _ => format!("{change} since {}", format::date(first.at).replace(' ', "\u{a0}")),
    })
}

fn permissions(page: Page) -> AnyView {
    let grant = Callback::new(move |()| page.connect(Purpose::Reconnect));
    let retry = Callback::new(move |()| page.retry_connection());
    view! {
        <section class="card" aria-labelledby="permissions-title">
            <div class="card-head">
                <h2 class="card-title" id="permissions-title" tabindex="-1">
                    "Permissions"
                </h2>
            </div>
            {move || match page.account.connection.get() {
                Part::Loading => part::skeleton(ROWS_SKELETON),
                Part::Failed(why) => part::failed(why, "permissions-retry", retry),
                Part::Ready(connection) => {
                    connection
                        .map(|connection| {
                            let is_leaving = Signal::derive(move || page.account.doing.get() == Doing::Leaving);
                            view! { <PermissionList granted=connection.scopes is_leaving on_grant=grant /> }
                        })
                        .into_any()
                }
            }}
        </section>
    }
    .into_any()
}

fn timeline(page: Page) -> AnyView {
    let retry = Callback::new(move |()| {
        focus::kept_through(|| page.timeline.set(Part::Loading), "timeline-title");
        page.load_timeline();
    });
    // The list stays in the page while events are added to it.
    let shape = Memo::new(move |_| match &*page.timeline.read() {
        Part::Loading => Part::Loading,
        Part::Failed(why) => Part::Failed(why.clone()),
        Part::Ready(timeline) => Part::Ready(timeline.events.is_empty()),
    });
    let events = Signal::derive(move || match &*page.timeline.read() {
        Part::Ready(timeline) => timeline.events.clone(),
        Part::Loading | Part::Failed(_) => Vec::new(),
    });
    view! {
        <section
            class="card"
            aria-labelledby="timeline-title"
            aria-busy=move || page.timeline.read().is_loading().to_string()
        >
            <div class="card-head">
                <h2 class="card-title" id="timeline-title" tabindex="-1">
                    "Timeline"
                </h2>
            </div>
            {move || match shape.get() {
                Part::Loading => part::skeleton(ROWS_SKELETON),
                Part::Failed(why) => part::failed(why, "timeline-retry", retry),
                Part::Ready(true) => {
                    view! {
                        <div class="card-body">
                            <p class="card-text">"Nothing has happened yet."</p>
                        </div>
                    }
                        .into_any()
                }
                Part::Ready(false) => view! { <EventList events /> {more_events(page)} }.into_any(),
            }}
        </section>
    }
    .into_any()
}

/// The button below the timeline, while it goes on.
fn more_events(page: Page) -> AnyView {
    let more = Memo::new(move |_| match &*page.timeline.read() {
        Part::Ready(Timeline { next: Some(_), more, .. }) => Some(more.clone()),
        _ => None,
    });
    (move || {
        more.get().map(|more| {
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
                        id="show-more"
                        aria-disabled=busy.to_string()
                        on:click=move |_| page.load_more()
                    >
                        {busy.then(|| view! { <Icon svg=icon::SPINNER /> })}
                        "Show more"
                    </button>
                </div>
            }
            .into_any()
        })
    })
    .into_any()
}

impl Page {
    fn new() -> Self {
        Self {
            session: Session::expect(),
            toasts: Toasts::expect(),
            account: Account {
                connection: RwSignal::new(Part::Loading),
                doing: RwSignal::new(Doing::Nothing),
                problem: RwSignal::new(None),
            },
            reach: RwSignal::new(Reach::Days(30)),
            history: RwSignal::new(Part::Loading),
            shows_table: RwSignal::new(false),
            timeline: RwSignal::new(Part::Loading),
            asking: RwSignal::new(None),
        }
    }

    fn connection(self) -> Option<Connection> {
        self.account.connection.get_untracked().ready()?
    }

    fn load_connection(self) {
        spawn_local(async move {
            let answer = self.ask_for_connection().await;
            self.show_connection(answer);
        });
    }

    fn retry_connection(self) {
        self.session.ask_again();
        focus::kept_through(|| self.account.connection.set(Part::Loading), HEADING_ID);
        spawn_local(async move {
            let answer = self.ask_for_connection().await;
            self.show_connection(answer);
            focus::soon(ACTION_ID);
        });
    }

    /// After a disconnect: another account may have been connected before, and be the one to show now.
    fn show_what_is_left(self) {
        self.account.problem.set(None);
        self.account.connection.set(Part::Loading);
        focus::soon(HEADING_ID);
        spawn_local(async move {
            let answer = self.ask_for_connection().await;
            let goes_on = matches!(answer, Ok(Some(_)));
            self.show_connection(answer);
            focus::soon(ACTION_ID);
            if goes_on && self.timeline.try_set(Part::Loading).is_none() {
                self.history.set(Part::Loading);
                self.load_history();
                self.load_timeline();
            }
        });
    }

    async fn ask_for_connection(self) -> Result<Option<Connection>, ApiFailure> {
        match self.session.checked(api::connection().await) {
            Ok(connection) => Ok(Some(connection)),
            Err(failure) if failure.code() == Some(ErrorCode::NotConnected) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn show_connection(self, answer: Result<Option<Connection>, ApiFailure>) {
        match answer {
            // The page may be gone by now.
            Ok(connection) => drop(self.account.connection.try_set(Part::Ready(connection))),
            // The visitor is sent to sign in.
            Err(failure) if failure.code() == Some(ErrorCode::Unauthenticated) => {}
            Err(failure) => {
                self.account.connection.try_set(Part::Failed(problem::sentence(&failure)));
            }
        }
    }

    /// Asks anew, without being asked to: nothing that the person has in hand may go away for it, and a server that
    /// does not answer changes nothing.
    fn look_again(self) {
        // What is asked for already will be here.
        let is_known = move || self.account.connection.try_with_untracked(Part::is_loading) == Some(false);
        let is_free = move || self.account.doing.try_get_untracked() == Some(Doing::Nothing);
        let idle = move || is_known() && is_free() && !focus::is_in_use();
        if !idle() {
            return;
        }
        spawn_local(async move {
            let Ok(newer) = self.ask_for_connection().await else { return };
            let newer = Part::Ready(newer);
            let Some(before) = self.account.connection.try_get_untracked() else { return };
            if idle() && before != newer {
                focus::kept_through(|| self.account.connection.set(newer), ACTION_ID);
                self.load_history();
                self.load_timeline();
            }
        });
    }

    fn choose_reach(self, reach: Reach) {
        self.reach.set(reach);
        self.load_history();
    }

    /// Loads the readings of the chosen reach. What is shown stays until they are here.
    fn load_history(self) {
        // The page may be gone by now.
        let Some(reach) = self.reach.try_get_untracked() else { return };
        let from = match reach {
            Reach::Days(days) => Some(format::in_days(-days)),
            Reach::All => None,
        };
        spawn_local(async move {
            let answer = self.session.checked(api::history(from).await);
            // The person may have chosen another reach meanwhile, or left.
            if self.reach.try_get_untracked() != Some(reach) {
                return;
            }
            match answer {
                Ok(points) => {
                    let reading = |point: shared::HistoryPoint| {
                        Some(Reading { at: format::milliseconds(&point.at), followers: point.followers? })
                    };
                    let readings = points.into_iter().filter_map(reading).collect();
                    let history = Part::Ready(History { reach, readings });
                    if *self.history.read_untracked() != history {
                        focus::kept_through(|| self.history.set(history), "followers-title");
                    }
                }
                // What is shown is true, if not complete.
                Err(_) if matches!(&*self.history.read_untracked(), Part::Ready(shown) if shown.reach == reach) =>
                    {}
                Err(failure) => self.history.set(Part::Failed(problem::sentence(&failure))),
            }
        });
    }

    /// Loads the newest events, and puts them in front of those that are shown.
    fn load_timeline(self) {
        spawn_local(async move {
            let answer = self.session.checked(api::events(None).await);
            let Some(shown) = self.timeline.try_get_untracked() else { return };
            let shown = shown.ready();
            match answer {
                Ok(newest) => {
                    let joined = shown.and_then(|shown| {
                        let events = crate::timeline::joined(&newest.events, &shown.events)?;
                        Some(Timeline { events, ..shown })
                    });
                    let anew = || Timeline {
                        events: newest.events.clone(),
                        next: newest.next_cursor.clone(),
                        more: More::Offered,
                    };
                    self.timeline.set(Part::Ready(joined.unwrap_or_else(anew)));
                }
                // What is shown is true, if not complete.
                Err(_) if shown.is_some() => {}
                Err(failure) => self.timeline.set(Part::Failed(problem::sentence(&failure))),
            }
        });
    }

    /// Loads the events that come after those that are shown.
    fn load_more(self) {
        let Some(shown) = self.timeline.get_untracked().ready() else { return };
        let Some(cursor) = shown.next.filter(|_| shown.more != More::Loading) else { return };
        self.change_timeline(|timeline| timeline.more = More::Loading);
        spawn_local(async move {
            match self.session.checked(api::events(Some(&cursor)).await) {
                Ok(older) => self.change_timeline(|timeline| {
                    // The list may have been loaded anew meanwhile; then these may not be what comes after it.
                    if timeline.next.as_deref() == Some(cursor.as_str()) {
                        timeline.events.extend(older.events);
                        timeline.next = older.next_cursor;
                    }
                    timeline.more = More::Offered;
                }),
                Err(failure) => self.change_timeline(|timeline| {
                    timeline.more = More::Failed(problem::sentence(&failure));
                }),
            }
        });
    }

    fn change_timeline(self, change: impl FnOnce(&mut Timeline)) {
        let Some(Part::Ready(mut timeline)) = self.timeline.try_get_untracked() else { return };
        change(&mut timeline);
        let goes_on = timeline.next.is_some();
        let id = if goes_on { "show-more" } else { LIST_ID };
        focus::kept_through(|| self.timeline.set(Part::Ready(timeline)), id);
    }

    /// Syncs or refreshes, and shows what came of it.
    fn act(self, what: Doing) {
        let refreshes = what == Doing::Refreshing;
        self.account.doing.set(what);
        self.account.problem.set(None);
        let under_way = self.toasts.begin(if refreshes { problem::REFRESHING } else { problem::SYNCING });
        spawn_local(async move {
            let answer = if refreshes { api::refresh().await } else { api::sync().await };
            let answer = self.session.checked(answer);
            self.toasts.end(under_way);
            if self.account.doing.try_get_untracked().is_none() {
                return;
            }
            match answer {
                Ok(connection) => {
                    let said = if refreshes {
                        let until = format::date(format::milliseconds(&connection.expires_at));
                        format!("Access renewed until {until}")
                    } else {
                        problem::SYNCED.to_owned()
                    };
                    self.toasts.show(said);
                    focus::kept_through(
                        || self.account.connection.set(Part::Ready(Some(connection))),
                        ACTION_ID,
                    );
                }
                Err(failure) if failure.is_of_connection() => {
                    let answer = self.ask_for_connection().await;
                    focus::kept_through(|| self.show_connection(answer), ACTION_ID);
                }
                Err(failure) => {
                    let problem = if refreshes {
                        Problem::of_refreshing(&failure)
                    } else {
                        Problem::of_syncing(&failure)
                    };
                    self.account.problem.try_set(Some(problem));
                }
            }
            self.account.doing.try_set(Doing::Nothing);
            self.load_history();
            self.load_timeline();
        });
    }

    fn connect(self, purpose: Purpose) {
        if self.account.doing.get_untracked() != Doing::Nothing {
            return;
        }
        self.account.doing.set(Doing::Leaving);
        self.account.problem.set(None);
        let connection = self.connection();
        let before = callback::mark(connection.as_ref());
        spawn_local(async move {
            let which = connection.filter(|_| purpose == Purpose::Reconnect).map(|connection| connection.id);
            let which = which.as_deref();
            if let Err(failure) = connect::begin(self.session, DETAILS, purpose, which, &before).await {
                self.account.problem.try_set(Some(Problem::of_connecting(&failure)));
                self.account.doing.try_set(Doing::Nothing);
                // Another card may have asked: what went wrong stands above this.
                focus::soon(ACTION_ID);
            }
        });
    }
}
