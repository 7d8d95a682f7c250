//! `/auth/{provider}/callback`: the provider sends the browser here, and the connection is finished.
//!
//! `crate::callback` decides what comes next; this file does it and shows it.

mod problem_notice;
mod step_list;

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{CallbackAnswer, Connection, ErrorCode, SaveConnection};
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use self::problem_notice::{FIRST_WAY_ID, ProblemNotice};
use self::step_list::{Progress, StepList};
use crate::address::Address;
use crate::api::{self, ApiFailure};
use crate::callback::{self, CallbackQuery, Move, Pending, Step};
use crate::components::page_heading::{HEADING_ID, PageHeading};
use crate::components::toast::Toasts;
use crate::connect::{self, Purpose};
use crate::focus;
use crate::freshness;
use crate::problem::{Problem, WayOn};
use crate::providers::Provider;
use crate::session::{self, Session, sign_in_path};
use crate::storage;

/// Nothing is shown before: most connections are made by then, and a page that flashes is worse than none.
const SHOW_AFTER: Duration = Duration::from_millis(300);

/// Time to wait before the page looks again whether another run has finished.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// State of the page.
#[derive(Clone)]
enum Stage {
    /// A step is under way.
    Working(Step),
    /// It stopped at a step, and the person decides.
    Stopped(Step, Progress, Problem),
    /// The browser is about to leave for the provider.
    Leaving,
}

/// The page that finishes a connection: the architecture document's `InstagramCallbackHandler`, for every provider.
#[component]
pub fn CallbackHandler(
    /// Provider of the account.
    provider: &'static Provider,
) -> impl IntoView {
    let handler = Handler::new(provider);
    let waited = RwSignal::new(false);
    let timer = set_timeout_with_handle(move || waited.set(true), SHOW_AFTER);
    on_cleanup(move || {
        if let Ok(timer) = timer {
            timer.clear();
        }
    });
    let shows = Memo::new(move |_| waited.get() || matches!(*handler.stage.read(), Stage::Stopped(..)));

    handler.start();

    // Coming back from the provider with the browser's Back button shows this page as it was left: about to leave.
    freshness::when_restored(move || {
        if matches!(*handler.stage.read_untracked(), Stage::Leaving) {
            handler.stage.set(Stage::Working(Step::Access));
            handler.start();
        }
    });

    view! {
        {move || shows.get().then(|| view! {
            <div class="page page-narrow">
                <PageHeading title=format!("Connecting {}", provider.name()) />
                <div class="card callback">{move || handler.view(handler.stage.get())}</div>
            </div>
        }.into_any())}
    }
}

/// Reads what the provider put into the address, and takes it out of the address bar and the history at once: a code must
/// not end up in a bookmark, a screenshot or a reload.
fn take_query(provider: &Provider) -> Option<CallbackQuery> {
    let search = location().search().unwrap_or_default();
    let params = UrlSearchParams::new_with_str(&search).ok()?;
    let query = CallbackQuery::from_params(|name| params.get(name));
    // Fails only for another origin, which this path is not.
    let _ = window()
        .history()
        .and_then(|h| h.replace_state_with_url(&JsValue::NULL, "", Some(&provider.callback_path())));
    query
}

/// Does what `crate::callback` decides.
#[derive(Clone, Copy)]
struct Handler {
    provider: &'static Provider,
    session: Session,
    toasts: Toasts,
    stage: RwSignal<Stage>,
    /// What is connected when all is done, and where to go then.
    outcome: StoredValue<Outcome>,
    address: Address,
}

/// Facts about the connection being made.
#[derive(Clone, Default)]
struct Outcome {
    /// Of the connection, once it is saved.
    id: Option<String>,
    username: String,
    return_to: Option<String>,
}

impl Handler {
    fn new(provider: &'static Provider) -> Self {
        Self {
            provider,
            session: Session::expect(),
            toasts: Toasts::expect(),
            stage: RwSignal::new(Stage::Working(Step::Access)),
            outcome: StoredValue::new(Outcome::default()),
            address: Address::expect(),
        }
    }

    /// Begins with what the address brought, or what this tab had in hand before a reload.
    fn start(self) {
        self.run(callback::first_move(take_query(self.provider), storage::pending(self.provider)));
    }

    /// Shows a stage.
    fn view(self, stage: Stage) -> AnyView {
        let provider = self.provider;
        match stage {
            Stage::Working(step) => {
                view! { <StepList provider current=step progress=Progress::Running /> }.into_any()
            }
            Stage::Leaving => {
                let leaving = format!("Going to {}…", provider.name());
                view! { <p class="card-text" role="status">{leaving}</p> }.into_any()
            }
            Stage::Stopped(step, progress, problem) => {
                let choose = Callback::new(move |way| self.choose(&way));
                view! {
                    <StepList provider current=step progress />
                    <ProblemNotice problem on_choose=choose />
                }
                .into_any()
            }
        }
    }

    fn run(self, first: Move) {
        spawn_local(async move {
            let mut next = Some(first);
            while let Some(step) = next {
                next = self.step(step).await;
            }
        });
    }

    /// Makes one move and answers with the next, or `None` where the page waits or is left.
    async fn step(self, next: Move) -> Option<Move> {
        match next {
            Move::Exchange(query) => Some(self.exchange(query).await),
            Move::Save(answer) => self.save(answer).await,
            Move::AskAboutOther { came, expected } => {
                self.stop(
                    Step::Saving,
                    Progress::Paused,
                    Problem::other_account(self.provider, &came, &expected),
                );
                None
            }
            Move::LookForConnection { tries, username } => self.look_for_connection(tries, username).await,
            Move::SignIn => {
                self.stop(Step::Access, Progress::Paused, Problem::sign_in());
                None
            }
            Move::Fail(step, failure) => {
                self.stop(step, Progress::Failed, Problem::of_connecting(self.provider, &failure));
                None
            }
        }
    }

    async fn exchange(self, query: CallbackQuery) -> Move {
        let step = if query.error.is_some() { Step::Consent } else { Step::Access };
        self.stage.try_set(Stage::Working(step));
        storage::keep_pending(self.provider, &Pending::Query(query.clone()));
        match self.session.checked(api::exchange(self.provider, &query).await) {
            Ok(answer) => {
                storage::keep_pending(self.provider, &Pending::Answer(answer.clone()));
                callback::after_exchange(answer)
            }
            Err(failure) => {
                self.forget_unless_usable(Step::Access, &failure);
                callback::after_failed_exchange(failure)
            }
        }
    }

    async fn save(self, answer: CallbackAnswer) -> Option<Move> {
        self.stage.try_set(Stage::Working(Step::Saving));
        let username = answer.user.username.clone();
        let return_to = answer.return_to.clone();
        self.outcome.try_set_value(Outcome { username: username.clone(), return_to, ..Outcome::default() });
        let saved = async {
            let user = self.session.require_user().await?;
            let body = SaveConnection {
                user_id: user.id,
                access_token: answer.access_token,
                provider_account_id: answer.user_id,
                expires_in: Some(answer.expires_in),
                user: Some(answer.user),
            };
            self.session.checked(api::save(self.provider, &body).await)
        };
        match saved.await {
            Ok(id) => {
                storage::clear_pending(self.provider);
                self.finish(id).await;
                None
            }
            Err(failure) => {
                self.forget_unless_usable(Step::Saving, &failure);
                Some(callback::after_failed_save(failure, username))
            }
        }
    }

    /// After saving: what was left out on the provider's page is the last thing that may need the person.
    async fn finish(self, id: String) {
        // Saved is saved, even when this last look fails.
        let all = self.connections().await.unwrap_or_default();
        let saved = all.into_iter().find(|connection| connection.id == id);
        self.outcome.try_update_value(|outcome| outcome.id = Some(id));
        match saved.map(|connection| connection.missing_scopes).filter(|missing| !missing.is_empty()) {
            Some(missing) => {
                self.stop(Step::Done, Progress::Paused, Problem::left_out(self.provider, &missing));
            }
            None => self.leave(),
        }
    }

    async fn connections(self) -> Result<Vec<Connection>, ApiFailure> {
        self.session.checked(api::connections(self.provider).await)
    }

    async fn look_for_connection(self, tries: u8, username: Option<String>) -> Option<Move> {
        let before = storage::marks_before(self.provider);
        let is_success =
            |found: &Connection| callback::is_success(found, username.as_deref(), before.as_deref());
        match self.connections().await {
            Ok(all) => match all.into_iter().find(is_success) {
                Some(Connection { username, .. }) => {
                    self.outcome.try_update_value(|outcome| outcome.username = username);
                    self.leave();
                }
                None => self.give_up_looking(tries, username),
            },
            Err(failure) if failure.code() == Some(ErrorCode::Unauthenticated) => return Some(Move::SignIn),
            Err(failure) => return Some(Move::Fail(Step::Access, failure)),
        }
        None
    }

    fn give_up_looking(self, tries: u8, username: Option<String>) {
        if tries > 1 {
            let again = Move::LookForConnection { tries: tries - 1, username };
            set_timeout(move || self.run(again), LOOK_AGAIN_AFTER);
        } else {
            self.stop(Step::Access, Progress::Failed, Problem::stale_link());
        }
    }

    fn stop(self, step: Step, progress: Progress, problem: Problem) {
        self.stage.try_set(Stage::Stopped(step, progress, problem));
        focus::soon(FIRST_WAY_ID);
    }

    fn leave(self) {
        let outcome = self.outcome.try_get_value().unwrap_or_default();
        self.stage.try_set(Stage::Working(Step::Done));
        self.toasts.show(format!("Connected as {}", self.provider.handle(&outcome.username)));
        self.go(&self.origin());
    }

    /// Leaves this page without an entry in the history: Back leads to where the person was before connecting.
    fn go(self, path: &str) {
        self.address.replace(path);
    }

    /// Returns the path from which the person came: the server's record, else this tab's.
    fn origin(self) -> String {
        let told = self.outcome.try_get_value().and_then(|outcome| outcome.return_to);
        session::destination(told.or_else(|| storage::return_to(self.provider)))
    }

    fn choose(self, way: &WayOn) {
        // The button that was pressed goes away with what was wrong.
        focus::soon(HEADING_ID);
        match way {
            WayOn::TryAgain => match storage::pending(self.provider) {
                Some(pending) => self.run(callback::first_move(None, Some(pending))),
                None => self.begin_again(),
            },
            WayOn::StartAgain => self.begin_again(),
            WayOn::Reconnect(_) => self.begin(Purpose::Reconnect, storage::attempt(self.provider).1),
            WayOn::ConnectAgain => {
                let saved = self.outcome.try_get_value().and_then(|outcome| outcome.id);
                self.begin(Purpose::Reconnect, saved);
            }
            WayOn::UseAnotherAccount => self.begin(Purpose::AnotherAccount, None),
            WayOn::ContinueWithout => self.leave(),
            WayOn::ConnectOther(_) => self.save_other(),
            WayOn::SignIn => self.go(&sign_in_path(&self.provider.callback_path())),
            WayOn::Back => {
                storage::clear_pending(self.provider);
                self.go(&self.origin());
            }
            // A link of its own.
            WayOn::Docs(..) => {}
        }
    }

    /// Saves what is in hand, though it is of another account than the one to reconnect: the person says so.
    fn save_other(self) {
        if let Some(Pending::Answer(answer)) = storage::pending(self.provider) {
            let answer = callback::agreed(answer);
            // A reload from here on goes on saving.
            storage::keep_pending(self.provider, &Pending::Answer(answer.clone()));
            self.run(Move::Save(answer));
        } else {
            self.stop(Step::Saving, Progress::Failed, Problem::stale_link());
        }
    }

    fn begin_again(self) {
        let (purpose, connection_id) = storage::attempt(self.provider);
        self.begin(purpose, connection_id);
    }

    fn begin(self, purpose: Purpose, connection_id: Option<String>) {
        storage::clear_pending(self.provider);
        let return_to = self.origin();
        self.stage.set(Stage::Leaving);
        spawn_local(async move {
            // The last attempt may have saved something: nothing that this page was left with says so.
            let before = callback::marks(&api::connections(self.provider).await.unwrap_or_default());
            let which = connection_id.as_deref();
            if let Err(failure) =
                connect::begin(self.session, self.provider, &return_to, purpose, which, &before).await
            {
                let next = if failure.code() == Some(ErrorCode::Unauthenticated) {
                    Move::SignIn
                } else {
                    Move::Fail(Step::Consent, failure)
                };
                self.run(next);
            }
        });
    }

    fn forget_unless_usable(self, step: Step, failure: &ApiFailure) {
        if !callback::stays_usable(step, failure) {
            storage::clear_pending(self.provider);
        }
    }
}
