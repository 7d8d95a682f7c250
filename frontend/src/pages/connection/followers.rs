//! The card of the followers: the curve, and how far back it reaches.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::HistoryPoint;

use super::followers_plot::FollowersPlot;
use super::plot::{Plot, Reading};
use crate::api;
use crate::components::card::card;
use crate::components::part::{self, Part};
use crate::focus;
use crate::format;
use crate::problem;
use crate::providers::Provider;
use crate::session::Session;

/// Shown until the history is known. `index.html` paints the same file before the program arrives.
const SKELETON: &str = include_str!("plot_skeleton.html");

/// The heading's id, which takes the focus when what had it is gone.
const TITLE_ID: &str = "followers-title";

/// Time that the curve reaches back.
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

    /// Says from when the readings of a table are.
    fn caption(self) -> &'static str {
        match self {
            Self::Days(30) => "Followers in the last 30 days",
            Self::Days(_) => "Followers in the last 90 days",
            Self::All => "Followers since the account was connected",
        }
    }
}

/// The readings of a reach.
#[derive(Clone, PartialEq)]
struct History {
    reach: Reach,
    readings: Vec<Reading>,
}

/// The card, as far as it is known. Answers may come when the page is gone: then they change nothing.
#[derive(Clone, Copy)]
pub struct Followers {
    provider: &'static Provider,
    /// The id of the connection, unless it is the one in use.
    id: StoredValue<Option<String>>,
    session: Session,
    reach: RwSignal<Reach>,
    history: RwSignal<Part<History>>,
    /// Tells whether the curve's table is open.
    shows_table: RwSignal<bool>,
}

impl Followers {
    /// Returns a card of which nothing is known yet.
    pub fn new(provider: &'static Provider, id: Option<String>) -> Self {
        Self {
            provider,
            id: StoredValue::new(id),
            session: Session::expect(),
            reach: RwSignal::new(Reach::Days(30)),
            history: RwSignal::new(Part::Loading),
            shows_table: RwSignal::new(false),
        }
    }

    /// Forgets the readings, to be asked for again.
    pub fn forget(self) {
        self.history.try_set(Part::Loading);
    }

    /// Loads the readings of the chosen reach. What is shown stays until they are here.
    pub fn load(self) {
        let Some(reach) = self.reach.try_get_untracked() else { return };
        let from = match reach {
            Reach::Days(days) => Some(format::in_days(-days)),
            Reach::All => None,
        };
        let id = self.id.get_value();
        spawn_local(async move {
            let answer = self.session.checked(api::history(self.provider, id.as_deref(), from).await);
            // The person may have chosen another reach meanwhile, or left.
            if self.reach.try_get_untracked() != Some(reach) {
                return;
            }
            match answer {
                Ok(points) => {
                    let readings = points.iter().filter_map(reading).collect();
                    let history = Part::Ready(History { reach, readings });
                    if *self.history.read_untracked() != history {
                        focus::kept_through(|| self.history.set(history), TITLE_ID);
                    }
                }
                // What is shown is true, if not complete.
                Err(_) if self.shows(reach) => {}
                Err(failure) => self.history.set(Part::Failed(problem::sentence(&failure))),
            }
        });
    }

    fn shows(self, reach: Reach) -> bool {
        matches!(&*self.history.read_untracked(), Part::Ready(shown) if shown.reach == reach)
    }

    fn retry(self) {
        focus::kept_through(|| self.forget(), TITLE_ID);
        self.load();
    }

    fn choose(self, reach: Reach) {
        self.reach.set(reach);
        self.load();
    }

    /// The card.
    pub fn card(self) -> AnyView {
        let retry = Callback::new(move |()| self.retry());
        let busy = Signal::derive(move || match &*self.history.read() {
            Part::Loading => true,
            Part::Failed(_) => false,
            Part::Ready(history) => history.reach != self.reach.get(),
        });
        let choices = view! {
            <fieldset class="segments">
                <legend class="only-heard">"Reach of the curve"</legend>
                {Reach::CHOICES.map(|reach| self.choice(reach)).into_iter().collect_view()}
            </fieldset>
        };
        let body = move || match self.history.get() {
            Part::Loading => part::skeleton(SKELETON),
            Part::Failed(why) => part::failed(why, "followers-retry", retry),
            Part::Ready(history) => curve(&history, self.shows_table),
        };
        card(TITLE_ID, "Followers", Some(busy), choices.into_any(), body.into_any())
    }

    fn choice(self, reach: Reach) -> AnyView {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="reach"
                    prop:checked=move || self.reach.get() == reach
                    on:change=move |_| self.choose(reach)
                />
                <span>{reach.label()}</span>
            </label>
        }
        .into_any()
    }
}

/// A point of the curve, where the provider said how many followers there were.
fn reading(point: &HistoryPoint) -> Option<Reading> {
    Some(Reading { at: format::milliseconds(&point.at), followers: point.followers? })
}

fn curve(History { reach, readings }: &History, shows_table: RwSignal<bool>) -> AnyView {
    let count = readings
        .last()
        .map(|last| view! { <strong>{format::count(last.followers, "follower", "followers")}</strong> });
    let body = match Plot::of(readings) {
        Some(plot) => view! { <FollowersPlot plot caption=reach.caption() shows_table /> }.into_any(),
        None => view! { <p class="plot-empty">"The curve begins with the next sync."</p> }.into_any(),
    };
    view! {
        <div class="card-body">
            <p class="plot-summary">{count} " " {grown(*reach, readings).map(|grown| view! { <span>{grown}</span> })}</p>
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
