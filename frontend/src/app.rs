//! The program's frame: routes, the top bar, and what is shared by all pages.

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::tachys::reactive_graph::OwnedView;
use wasm_bindgen::JsCast;

use crate::address::Address;
use crate::components::icon::{self, Icon};
use crate::components::page_heading::RouteChanges;
use crate::components::person_menu::PersonMenu;
use crate::components::toast::{ToastRegion, Toasts};
use crate::pages::{
    API_KEYS, ApiKeys, CallbackHandler, ConnectionPage, Integrations, NotFound, SESSIONS, Sessions, SignIn,
    SignUp,
};
use crate::providers;
use crate::session::{HOME, Session, SessionState};

/// Takes over from the plain HTML that `index.html` painted.
pub fn start() {
    let root = document()
        .get_element_by_id("app")
        .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
        .expect("index.html has an element with the id app");
    // Emptied and filled in one go, so that no frame is painted in between.
    root.set_inner_html("");
    mount_to(root, App).forget();
}

#[component]
fn App() -> impl IntoView {
    Address::provide();
    Session::provide();
    Toasts::provide();
    RouteChanges::provide();
    view! {
        // External: the browser moves the focus along.
        <a class="skip-link" href="#content" rel="external">"Skip to content"</a>
        <TopBar />
        <main id="content" class="content" tabindex="-1">
            <Pages />
        </main>
        <ToastRegion />
    }
}

/// The page that the address names.
#[component]
fn Pages() -> impl IntoView {
    let address = Address::expect();
    let app = Owner::current().unwrap_or_default();
    move || {
        let path = address.path();
        // Signals must outlive the view that uses them: a field that goes away with the focus still hears that it lost it.
        // So a page has an owner of its own, which ends after the view has been taken away.
        let owner = app.child();
        // Only another path makes another page, whatever a page reads while it is built.
        let view = owner.with(|| untrack(|| page(address, &path)));
        OwnedView::new_with_owner(view, owner)
    }
}

/// The page of a path.
fn page(address: Address, path: &str) -> AnyView {
    match path.trim_end_matches('/') {
        "" => moved(address, HOME),
        "/settings" => moved(address, API_KEYS),
        HOME => view! { <Integrations /> }.into_any(),
        API_KEYS => view! { <ApiKeys /> }.into_any(),
        SESSIONS => view! { <Sessions /> }.into_any(),
        "/sign-in" => view! { <SignIn /> }.into_any(),
        "/sign-up" => view! { <SignUp /> }.into_any(),
        path => page_of_provider(path).unwrap_or_else(|| view! { <NotFound /> }.into_any()),
    }
}

/// The page of a path that names a provider.
fn page_of_provider(path: &str) -> Option<AnyView> {
    providers::ALL.into_iter().find_map(|provider| {
        if path == provider.connection_path(None) {
            Some(view! { <ConnectionPage provider /> }.into_any())
        } else {
            (path == provider.callback_path()).then(|| view! { <CallbackHandler provider /> }.into_any())
        }
    })
}

/// Replaces an address that only leads to another, and shows nothing.
fn moved(address: Address, to: &str) -> AnyView {
    address.replace(to);
    ().into_any()
}

/// The same markup stands in `index.html`.
#[component]
fn TopBar() -> impl IntoView {
    let session = Session::expect();
    let address = Address::expect();
    // Someone who is about to sign in has nowhere to navigate to.
    let shows_nav =
        move || session.state() != SessionState::SignedOut && !address.path().starts_with("/sign-");
    view! {
        <header class="top-bar">
            <div class="top-bar-row">
                <a href=HOME class="brand" aria-label="Instagram Connect, home">
                    <Icon svg=icon::BRAND />
                    <span class="brand-name">"Instagram Connect"</span>
                </a>
                {move || shows_nav().then(|| nav(address))}
                <div class="top-bar-end">
                    <PersonMenu />
                </div>
            </div>
        </header>
    }
}

fn nav(address: Address) -> AnyView {
    view! {
        <nav class="top-nav" aria-label="Main">
            <a href=HOME aria-current=move || place(&address.path(), HOME, HOME)>
                "Integrations"
            </a>
            <a href=API_KEYS aria-current=move || place(&address.path(), API_KEYS, "/settings")>
                "Settings"
            </a>
        </nav>
    }
    .into_any()
}

/// Returns a link's `aria-current`: `page` on the link's own page, `true` on another page of the same part.
fn place(path: &str, page: &str, part: &str) -> Option<&'static str> {
    if path == page { Some("page") } else { path.starts_with(part).then_some("true") }
}
