//! The program's frame: routes, the top bar, and what is shared by all pages.

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Redirect, Route, Router};
use leptos_router::hooks::use_location;
use leptos_router::{NavigateOptions, path};
use wasm_bindgen::JsCast;

use crate::components::icon::{self, Icon};
use crate::components::page_heading::RouteChanges;
use crate::components::person_menu::PersonMenu;
use crate::components::toast::{ToastRegion, Toasts};
use crate::connect::DETAILS;
use crate::pages::{InstagramCallbackHandler, InstagramConnection, Integrations, NotFound, SignIn, SignUp};
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
    Session::provide();
    Toasts::provide();
    RouteChanges::provide();
    view! {
        <Router>
            // External to the router, which would take the click and leave the focus where it is.
            <a class="skip-link" href="#content" rel="external">"Skip to content"</a>
            <TopBar />
            <main id="content" class="content" tabindex="-1">
                <FlatRoutes fallback=NotFound>
                    <Route path=path!("/") view=Home />
                    <Route path=path!("/integrations") view=Integrations />
                    <Route path=path!("/integrations/instagram") view=InstagramConnection />
                    <Route path=path!("/auth/instagram/callback") view=InstagramCallbackHandler />
                    <Route path=path!("/sign-in") view=SignIn />
                    <Route path=path!("/sign-up") view=SignUp />
                </FlatRoutes>
            </main>
            <ToastRegion />
        </Router>
    }
}

#[component]
fn Home() -> impl IntoView {
    view! { <Redirect path=HOME options=NavigateOptions { replace: true, ..Default::default() } /> }
}

/// The same markup stands in `index.html`.
#[component]
fn TopBar() -> impl IntoView {
    let session = Session::expect();
    let path = use_location().pathname;
    // Someone who is about to sign in has nowhere to navigate to.
    let shows_nav = move || session.state() != SessionState::SignedOut && !path.read().starts_with("/sign-");
    view! {
        <header class="top-bar">
            <div class="top-bar-row">
                <a href=HOME class="brand" aria-label="Instagram Connect, home">
                    <Icon svg=icon::BRAND />
                    <span class="brand-name">"Instagram Connect"</span>
                </a>
                {move || shows_nav().then(|| nav(path))}
                <div class="top-bar-end">
                    <PersonMenu />
                </div>
            </div>
        </header>
    }
}

fn nav(path: Memo<String>) -> impl IntoView {
    view! {
        <nav class="top-nav" aria-label="Main">
            <a href=HOME aria-current=move || place(&path.read())>
                "Integrations"
            </a>
        </nav>
    }
}

/// What a path is to the link home: the page itself, or one below it.
fn place(path: &str) -> Option<&'static str> {
    match path {
        HOME => Some("page"),
        DETAILS => Some("true"),
        _ => None,
    }
}
