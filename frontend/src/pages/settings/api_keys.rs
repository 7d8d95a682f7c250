//! `/settings/api-keys`: the keys of a person's own programs.

use std::borrow::Cow;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ApiKey, CreateApiKey, CreatedApiKey, Sensitive, validation};

use super::{frame, refuse};
use crate::api;
use crate::clipboard;
use crate::components::card::card;
use crate::components::choices::{Choice, checkboxes, segments};
use crate::components::confirm_dialog::{Question, confirm_dialog};
use crate::components::docs_link::docs_link;
use crate::components::entry_list::{Entries, Entry, Fact, Kind, entry_list};
use crate::components::field::{Field, FieldKind, FieldState};
use crate::components::form::{self, Form, FormState};
use crate::components::icon::{self, Icon};
use crate::components::toast::Toasts;
use crate::focus;
use crate::format;
use crate::scopes;
use crate::session::{Session, require_session};

/// This page's path.
pub const PATH: &str = "/settings/api-keys";

const LIST: Kind = Kind {
    title: "Your keys",
    title_id: "keys-title",
    end: "Revoke",
    empty: "No keys yet. Make one for each program, so that you can revoke it alone.",
};

const REVOKE: Question = Question {
    title: Cow::Borrowed("Revoke this key?"),
    keep: "Keep key",
    action: "Revoke key",
    busy: "Revoking…",
};

/// Lifetimes of a key: days, and their label.
const LIVES: [(&str, &str); 4] = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "Never")];

/// The key that is being made.
#[derive(Clone)]
enum Making {
    /// None.
    Nothing,
    /// The person says what it is for.
    Asking,
    /// It is made, and shown this once.
    Made(CreatedApiKey),
}

#[derive(Clone, Copy)]
struct Page {
    session: Session,
    toasts: Toasts,
    keys: Entries,
    making: RwSignal<Making>,
    /// The key to revoke, while the dialog asks.
    revoking: RwSignal<Option<Entry>>,
}

/// The page of the keys.
#[component]
pub fn ApiKeys() -> impl IntoView {
    let page = Page {
        session: Session::expect(),
        toasts: Toasts::expect(),
        keys: Entries::new(),
        making: RwSignal::new(Making::Nothing),
        revoking: RwSignal::new(None),
    };
    require_session(move || page.load());
    let retry = Callback::new(move |()| {
        page.keys.forget(LIST);
        page.load();
    });
    let revoke = Callback::new(move |key| page.revoking.set(Some(key)));
    // While one is being made, its own card has the buttons.
    let new = move || {
        matches!(*page.making.read(), Making::Nothing).then(|| {
            view! {
                <button type="button" class="button" id="new-key" on:click=move |_| page.ask()>
                    "New key"
                </button>
            }
            .into_any()
        })
    };
    let cards = view! {
        {move || match page.making.get() {
            Making::Nothing => ().into_any(),
            Making::Asking => new_key(page),
            Making::Made(made) => made_key(page, made.key),
        }}
        {entry_list(LIST, page.keys, new.into_any(), retry, revoke)}
        {move || page.revoking.get().map(|key| revoke_dialog(page, key))}
    };
    let lede =
        "Keys let programs of yours use this service as you. Each can do what you tick, and nothing else.";
    frame(PATH, "API keys", lede, cards.into_any())
}

/// Asks what the key is for.
fn new_key(page: Page) -> AnyView {
    let name = FieldState::new(validation::key_name);
    let scopes = FieldState::with("connections:read", |ticked| validation::chosen(ticked.len()));
    let life = FieldState::with("90", |_| None);
    // A host application's user has no password here.
    let email = untrack(|| page.session.user().and_then(|user| user.email));
    let password = FieldState::new(validation::present_password);
    let mut fields = vec![name, scopes];
    fields.extend(email.is_some().then_some(password));
    let state = RwSignal::new(FormState::Ready);
    let create = move || {
        let body = CreateApiKey {
            name: name.text().trim().to_owned(),
            scopes: scopes.text().split(' ').map(str::to_owned).collect(),
            expires_at: life.text().parse().ok().map(format::in_days),
            password: Some(password.text()).filter(|text| !text.is_empty()).map(Into::into),
        };
        state.set(FormState::Busy);
        spawn_local(async move {
            match page.session.checked(api::create_api_key(&body).await) {
                Ok(made) => page.show(made),
                Err(failure) => {
                    let fields = [("name", name), ("scopes", scopes), ("password", password)];
                    refuse(state, password, &failure, &fields);
                }
            }
        });
    };
    let choices = scopes::OFFERED.map(|scope| Choice {
        value: scope.as_str(),
        label: scopes::label(scope),
        purpose: scopes::purpose(scope),
    });
    let cancel = view! {
        <div class="card-side">
            <button type="button" class="button" on:click=move |_| page.close("new-key")>
                "Cancel"
            </button>
        </div>
    };
    let form = view! {
        <Form state fields action="Create key" busy="Creating key…" on_submit=create>
            <Field
                state=name
                id="key-name"
                label="Name"
                kind=FieldKind::Text
                autocomplete="off"
                hint="The program that will use it"
            />
            {checkboxes(scopes, "What it may do", &choices)}
            {segments(life, "Ends after", &LIVES)}
            {email.map(|email| password_field(password, email))}
        </Form>
    };
    card("new-key-title", "New key", None, cancel.into_any(), form.into_any())
}

/// Asks for the password: a key outlives the session.
fn password_field(password: FieldState, email: String) -> AnyView {
    view! {
        // Tells a password manager whose password it is.
        <input type="email" autocomplete="username" value=email hidden />
        <Field
            state=password
            id="key-password"
            label="Your password"
            kind=FieldKind::Password
            autocomplete="current-password"
            hint="A key goes on working when you sign out"
        />
    }
    .into_any()
}

/// Shows a key, this once.
fn made_key(page: Page, key: Sensitive) -> AnyView {
    let is_copied = RwSignal::new(false);
    let text = key.expose().to_owned();
    let copy = move |_| {
        let key = key.clone();
        spawn_local(async move {
            if clipboard::copy(key.expose()).await {
                is_copied.try_set(true);
                page.toasts.show("Key copied");
            } else {
                page.toasts.fail("Your browser does not let us copy. Select the key and copy it yourself.");
            }
        });
    };
    let body = view! {
        <div class="card-body">
            <p class="notice notice-warning">
                "Copy it now and keep it in a safe place. It will not be shown again."
            </p>
            <div class="secret">
                <code>{text}</code>
                <button type="button" class="button button-primary" on:click=copy>
                    {move || view! { <Icon svg=if is_copied.get() { icon::CHECK } else { icon::COPY } /> }}
                    {move || if is_copied.get() { "Copied" } else { "Copy" }}
                </button>
            </div>
            <div class="made-foot">
                {docs_link("How programs use it", api::reference())}
                <button type="button" class="button" on:click=move |_| page.close(LIST.title_id)>
                    "Done"
                </button>
            </div>
        </div>
    };
    card("made-title", "Your new key", None, ().into_any(), body.into_any())
}

fn revoke_dialog(page: Page, key: Entry) -> AnyView {
    let state = RwSignal::new(FormState::Ready);
    let Entry { id, title, .. } = key;
    let button = format!("end-{id}");
    let revoke = {
        let title = title.clone();
        Callback::new(move |()| {
            state.set(FormState::Busy);
            let (id, title) = (id.clone(), title.clone());
            spawn_local(async move {
                match page.session.checked(api::revoke_api_key(&id).await) {
                    Ok(()) => page.forget(&id, &title),
                    Err(failure) => form::refuse(state, &failure, &[]),
                }
            });
        })
    };
    let keep = Callback::new(move |()| {
        page.revoking.set(None);
        focus::soon(button.clone());
    });
    let words = view! {
        <p>"Programs that use " <strong>{title}</strong> " are refused from now on. This cannot be undone."</p>
    };
    confirm_dialog(REVOKE, state, words.into_any(), revoke, keep)
}

/// A key as the list shows it.
fn entry(key: ApiKey) -> Entry {
    let now = format::now();
    let has_ended = key.expires_at.as_ref().is_some_and(|end| format::milliseconds(end) <= now);
    let labels: Vec<_> = key.scopes.iter().map(|&scope| scopes::label(scope)).collect();
    Entry {
        id: key.id,
        icon: icon::KEY,
        title: key.name,
        hint: Some(key.hint + "…"),
        note: labels.join(", "),
        facts: vec![
            Fact::On("Created", key.created_at),
            key.last_used_at.map_or(Fact::Words("Never used"), |at| Fact::Ago("Used", at)),
            match key.expires_at {
                Some(end) if has_ended => Fact::On("Ended", end),
                Some(end) => Fact::On("Ends", end),
                None => Fact::Words("Never ends"),
            },
        ],
        mark: has_ended.then_some(("badge-quiet", icon::CLOCK, "Ended")),
        can_end: true,
    }
}

impl Page {
    fn load(self) {
        spawn_local(async move {
            self.keys.show(self.session.checked(api::api_keys().await), entry);
        });
    }

    fn ask(self) {
        self.making.set(Making::Asking);
        focus::soon("key-name");
    }

    fn show(self, made: CreatedApiKey) {
        let new = entry(made.api_key.clone());
        self.keys.change(|keys| keys.insert(0, new));
        self.making.try_set(Making::Made(made));
        focus::soon("made-title");
    }

    fn close(self, id: &'static str) {
        self.making.set(Making::Nothing);
        focus::soon(id);
    }

    fn forget(self, id: &str, title: &str) {
        self.revoking.try_set(None);
        self.keys.change(|keys| keys.retain(|key| key.id != id));
        self.toasts.show(format!("“{title}” is revoked"));
        focus::soon(LIST.title_id);
    }
}
