//! `/settings/sessions`: where a person is signed in, their password, and the end of their account.
//!
//! A host application's user has no password here and no account to delete: their page has the sessions alone.

use std::borrow::Cow;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ApiKey, BrowserSession, ChangePassword, DeleteAccount, validation};

use super::{frame, refuse};
use crate::address::Address;
use crate::api::{self, ApiFailure};
use crate::components::card::card;
use crate::components::confirm_dialog::{Question, confirm_dialog};
use crate::components::entry_list::{Entries, Entry, Fact, Kind, entry_list};
use crate::components::field::{Field, FieldKind, FieldState};
use crate::components::form::{Form, FormState};
use crate::components::icon;
use crate::components::part;
use crate::components::toast::Toasts;
use crate::focus;
use crate::format;
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
    title: Cow::Borrowed("Delete your account?"),
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
    /// Tells whether the dialog asks if the account is to be deleted.
    deleting: RwSignal<bool>,
}

/// The page of the sessions.
#[component]
pub fn Sessions() -> impl IntoView {
    let page = Page {
        session: Session::expect(),
        toasts: Toasts::expect(),
        address: Address::expect(),
        sessions: Entries::new(),
        deleting: RwSignal::new(false),
    };
    require_session(move || page.load());
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
    let current = FieldState::new(validation::present_password);
    let new = FieldState::new(validation::password);
    let state = RwSignal::new(FormState::Ready);
    // The names of the keys that work, and whether they are to be revoked.
    let (keys, revokes) = (RwSignal::new(Vec::new()), RwSignal::new(false));
    page.find_keys(keys);
    let change = move || {
        let body = ChangePassword {
            current_password: current.text().into(),
            new_password: new.text().into(),
            revoke_api_keys: revokes.get_untracked(),
        };
        state.set(FormState::Busy);
        spawn_local(async move {
            match page.session.checked(api::change_password(&body).await) {
                Ok(left) => {
                    state.try_set(FormState::Ready);
                    current.clear();
                    new.clear();
                    revokes.try_set(false);
                    let left = working(left);
                    page.toasts.show(changed(&left));
                    keys.try_set(left);
                    page.load();
                }
                Err(failure) => {
                    refuse(state, current, &failure, &[("currentPassword", current), ("newPassword", new)]);
                }
            }
        });
    };
    let form = view! {
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
            {move || {
                let keys = keys.read();
                (!keys.is_empty()).then(|| revoke_choice(revokes, &keys))
            }}
        </Form>
    };
    card("password-title", "Password", None, ().into_any(), form.into_any())
}

/// Offers to revoke the keys of these names along with the change.
fn revoke_choice(revokes: RwSignal<bool>, keys: &[String]) -> AnyView {
    view! {
        <div class="choice">
            <input
                type="checkbox"
                id="revoke-keys"
                aria-describedby="revoke-keys-note"
                prop:checked=revokes
                on:change=move |event| revokes.set(event_target_checked(&event))
            />
            <label for="revoke-keys">"Revoke my API keys, too"</label>
            <p class="row-note" id="revoke-keys-note">
                {format!("Else they go on working: {}", keys.join(", "))}
            </p>
        </div>
    }
    .into_any()
}

/// Returns the names of the keys that have not ended.
fn working(keys: Vec<ApiKey>) -> Vec<String> {
    let now = format::now();
    let works = |key: &ApiKey| key.expires_at.as_ref().is_none_or(|end| format::milliseconds(end) > now);
    keys.into_iter().filter(works).map(|key| key.name).collect()
}

fn changed(left: &[String]) -> String {
    let changed = "Password changed. All other sessions have ended.";
    match left {
        [] => changed.to_owned(),
        left => format!("{changed} API keys that still work: {}", left.join(", ")),
    }
}

fn delete_account(page: Page) -> AnyView {
    let ask = view! {
        <div class="card-side">
            <button type="button" class="button" id="delete-account" on:click=move |_| page.deleting.set(true)>
                "Delete account"
            </button>
        </div>
    };
    let what =
        "Ends your connections and deletes all that this service keeps about you. It cannot be undone.";
    let body = view! {
        {part::words(what)}
        {move || page.deleting.get().then(|| delete_dialog(page))}
    };
    card("delete-title", "Delete account", None, ask.into_any(), body.into_any())
}

fn delete_dialog(page: Page) -> AnyView {
    let password = FieldState::new(validation::present_password);
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
        <p>"What is on Instagram and Spotify stays as it is."</p>
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

    /// Finds the names of the keys that work. Where they do not come, there is nothing to offer; the answer to a change of the
    /// password names them all the same.
    fn find_keys(self, keys: RwSignal<Vec<String>>) {
        spawn_local(async move {
            if let Ok(found) = self.session.checked(api::api_keys().await) {
                keys.try_set(working(found));
            }
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
