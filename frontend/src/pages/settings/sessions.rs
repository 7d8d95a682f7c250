//! `/settings/sessions`: where a person is signed in, their password, and the end of their account.
//!
//! A host application's user has no password here and no account to delete: their page has the sessions alone.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{BrowserSession, ChangePassword, DeleteAccount, ErrorCode, validation};

use super::frame;
use crate::address::Address;
use crate::api::{self, ApiFailure};
use crate::components::confirm_dialog::{Question, confirm_dialog};
use crate::components::entry_list::{Entries, Entry, Fact, Kind, entry_list};
use crate::components::field::{Field, FieldKind, FieldState};
use crate::components::form::{self, Form, FormState};
use crate::components::icon;
use crate::components::toast::Toasts;
use crate::focus;
use crate::problem;
use crate::session::{Session, require_session};
use crate::user_agent;

/// This page's path.
pub const PATH: &str = "/settings/sessions";

const LIST: Kind = Kind {
    title: "Your sessions",
    title_id: "sessions-title",
    end: "End",
    empty: "You are signed in nowhere.",
};

const DELETE: Question = Question {
    title: "Delete your account?",
    keep: "Keep account",
    action: "Delete account",
    busy: "Deleting account…",
};

#[derive(Clone, Copy)]
struct Page {
    session: Session,
    toasts: Toasts,
    address: Address,
    sessions: Entries,
    /// Whether the dialog asks if the account is to be deleted.
    deleting: RwSignal<bool>,
}

/// The page of the sessions.
#[component]
pub fn Sessions() -> impl IntoView {
    require_session();
    let page = Page {
        session: Session::expect(),
        toasts: Toasts::expect(),
        address: Address::expect(),
        sessions: Entries::new(),
        deleting: RwSignal::new(false),
    };
    page.load();
    let retry = Callback::new(move |()| {
        page.sessions.forget(LIST);
        page.load();
    });
    let end = Callback::new(move |entry| page.end(entry));
    let has_others = Memo::new(move |_| page.sessions.can_end_any());
    let end_others = move || {
        has_others.get().then(|| {
            view! {
                <button type="button" class="button" on:click=move |_| page.end_others()>
                    "End all others"
                </button>
            }
            .into_any()
        })
    };
    let email = Memo::new(move |_| page.session.user().and_then(|user| user.email));
    let cards = view! {
        {entry_list(LIST, page.sessions, end_others.into_any(), retry, end)}
        {move || email.get().map(|email| view! { {password(page, email)} {delete_account(page)} }.into_any())}
    };
    frame(PATH, "Sessions", "Where and how you sign in.", cards.into_any())
}

fn password(page: Page, email: String) -> AnyView {
    let current = FieldState::new(|text| text.is_empty().then_some("Enter your password"));
    let new = FieldState::new(validation::password);
    let state = RwSignal::new(FormState::Ready);
    let change = move || {
        let body =
            ChangePassword { current_password: current.text().into(), new_password: new.text().into() };
        state.set(FormState::Busy);
        spawn_local(async move {
            match page.session.checked(api::change_password(&body).await) {
                Ok(()) => {
                    state.try_set(FormState::Ready);
                    current.clear();
                    new.clear();
                    page.toasts.show("Password changed. All other sessions have ended.");
                    page.load();
                }
                Err(failure) => {
                    refuse(state, current, &failure, &[("currentPassword", current), ("newPassword", new)]);
                }
            }
        });
    };
    view! {
        <section class="card" aria-labelledby="password-title">
            <div class="card-head">
                <h2 class="card-title" id="password-title">
                    "Password"
                </h2>
            </div>
            <Form state fields=vec![current, new] action="Change password" busy="Changing password…" on_submit=change>
                // Tells a password manager whose password it is.
                <input type="email" autocomplete="username" value=email hidden />
                <Field
                    state=current
                    id="current-password"
                    label="Current password"
                    kind=FieldKind::Password
                    autocomplete="current-password"
                />
                <Field
                    state=new
                    id="new-password"
                    label="New password"
                    kind=FieldKind::Password
                    autocomplete="new-password"
                    hint="At least 10 characters. All other sessions end."
                />
            </Form>
        </section>
    }
    .into_any()
}

fn delete_account(page: Page) -> AnyView {
    view! {
        <section class="card" aria-labelledby="delete-title">
            <div class="card-head">
                <h2 class="card-title" id="delete-title">
                    "Delete account"
                </h2>
                <div class="card-side">
                    <button
                        type="button"
                        class="button"
                        id="delete-account"
                        on:click=move |_| page.deleting.set(true)
                    >
                        "Delete account"
                    </button>
                </div>
            </div>
            <div class="card-body">
                <p class="card-text">
                    "Ends your connections and deletes all that this service keeps about you. It cannot be undone."
                </p>
            </div>
            {move || page.deleting.get().then(|| delete_dialog(page))}
        </section>
    }
    .into_any()
}

fn delete_dialog(page: Page) -> AnyView {
    let password = FieldState::new(|text| text.is_empty().then_some("Enter your password"));
    let state = RwSignal::new(FormState::Ready);
    let delete = Callback::new(move |()| {
        if !password.check() {
            focus::first_invalid_field_soon();
            return;
        }
        state.set(FormState::Busy);
        let body = DeleteAccount { password: password.text().into() };
        spawn_local(async move {
            match page.session.checked(api::delete_account(&body).await) {
                Ok(()) => page.leave(),
                Err(failure) => refuse(state, password, &failure, &[("password", password)]),
            }
        });
    });
    let keep = Callback::new(move |()| {
        page.deleting.set(false);
        focus::soon("delete-account");
    });
    let words = view! {
        <p>
            "Your connections end at once, and their history, your API keys, your sessions and your account are deleted. "
            <strong>"This cannot be undone."</strong>
        </p>
        <p>"What is on Instagram stays as it is."</p>
        <Field
            state=password
            id="password"
            label="Your password"
            kind=FieldKind::Password
            autocomplete="current-password"
        />
    };
    confirm_dialog(DELETE, state, words.into_any(), delete, keep)
}

/// Shows why the server said no; a wrong password under its field.
fn refuse(
    state: RwSignal<FormState>,
    password: FieldState,
    failure: &ApiFailure,
    fields: &[(&str, FieldState)],
) {
    if failure.code() == Some(ErrorCode::InvalidCredentials) {
        password.refuse("This is not your password");
        form::lead_to_mistake(state);
    } else {
        form::refuse(state, failure, fields);
    }
}

/// A session as the list shows it.
fn entry(session: BrowserSession) -> Entry {
    let browser = session.user_agent.as_deref();
    Entry {
        icon: if user_agent::is_handheld(browser) { icon::PHONE } else { icon::COMPUTER },
        title: user_agent::in_words(browser),
        hint: None,
        note: String::new(),
        facts: vec![
            Fact::On("Signed in", session.created_at),
            // The server knows it to a day.
            if session.current {
                Fact::Words("In use now")
            } else {
                Fact::On("Last used", session.last_used_at)
            },
        ],
        mark: session.current.then_some(("badge-good", icon::CHECK, "This browser")),
        can_end: !session.current,
        id: session.id,
    }
}

impl Page {
    fn load(self) {
        spawn_local(async move {
            self.sessions.show(self.session.checked(api::sessions().await), entry);
        });
    }

    fn end(self, entry: Entry) {
        spawn_local(async move {
            let ended = self.session.checked(api::end_session(&entry.id).await);
            self.show_end(ended, "Session ended", |session| session.id != entry.id);
        });
    }

    fn end_others(self) {
        spawn_local(async move {
            let ended = self.session.checked(api::end_other_sessions().await);
            self.show_end(ended, "All other sessions ended", |session| !session.can_end);
        });
    }

    /// Shows what is left, or why nothing has changed.
    fn show_end(self, ended: Result<(), ApiFailure>, done: &str, stays: impl Fn(&Entry) -> bool) {
        match ended {
            Ok(()) => {
                self.sessions.change(|sessions| sessions.retain(stays));
                self.toasts.show(done);
                focus::soon(LIST.title_id);
            }
            Err(failure) => self.toasts.fail(problem::sentence(&failure)),
        }
    }

    /// After the account was deleted.
    fn leave(self) {
        self.address.replace("/sign-in");
        self.session.signed_out();
        self.toasts.show("Your account is deleted");
    }
}
