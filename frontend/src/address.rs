//! The address: which page it names, and how to get to another.
//!
//! A handful of fixed addresses needs no patterns, nested routes or loading on demand, and a router crate that has them all
//! is many times the code of this file.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, UrlSearchParams};

/// Links that the browser follows by itself, whatever they lead to, are left out.
const LINKS: &str = "a[href]:not([target], [download], [rel~=external])";

/// The page's address, shared as a context.
#[derive(Clone, Copy)]
pub struct Address {
    path: RwSignal<String>,
    search: RwSignal<String>,
}

impl Address {
    /// Puts the address into the context. From now on it follows the browser's Back and Forward, and links to this site
    /// lead to another page without loading the program anew.
    pub fn provide() {
        let address = Self { path: RwSignal::default(), search: RwSignal::default() };
        address.read();
        provide_context(address);
        // Both listen for as long as the program runs.
        window_event_listener(ev::popstate, move |_| address.read());
        window_event_listener(ev::click, move |click| {
            let is_plain = click.button() == 0
                && !(click.alt_key() || click.ctrl_key() || click.meta_key() || click.shift_key());
            if is_plain
                && !click.default_prevented()
                && let Some(target) = link(&click).and_then(|link| path_here(&link))
            {
                click.prevent_default();
                address.go(&target);
            }
        });
    }

    /// The address of the app around this component.
    pub fn expect() -> Self {
        expect_context()
    }

    /// `/integrations`; tracked.
    pub fn path(self) -> String {
        self.path.get()
    }

    /// `?next=%2Fintegrations`, or nothing; tracked.
    pub fn search(self) -> String {
        self.search.get()
    }

    /// A parameter of the search; not tracked.
    pub fn parameter(self, name: &str) -> Option<String> {
        UrlSearchParams::new_with_str(&self.search.get_untracked()).ok()?.get(name)
    }

    /// Goes to a path of this site, search included. Back leads here again, unless it is here already.
    pub fn go(self, to: &str) {
        let here = self.path.get_untracked() + &self.search.get_untracked();
        if to != here {
            // This and the other way fail only for a path of another site.
            let _ = window()
                .history()
                .and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(to)));
        }
        self.arrive();
    }

    /// Goes to a path of this site in place of this page: Back leads to the page before it.
    pub fn replace(self, to: &str) {
        let _ = window()
            .history()
            .and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(to)));
        self.arrive();
    }

    fn arrive(self) {
        window().scroll_to_with_x_and_y(0.0, 0.0);
        self.read();
    }

    /// Takes over what the address bar says.
    fn read(self) {
        let location = location();
        // First, since a page reads it when its path is new.
        self.search.set(location.search().unwrap_or_default());
        let path = location.pathname().unwrap_or_default();
        // The same page is not built anew.
        if self.path.with_untracked(|here| *here != path) {
            self.path.set(path);
        }
    }
}

/// The link that was clicked on.
fn link(click: &ev::MouseEvent) -> Option<HtmlAnchorElement> {
    let target: Element = click.target()?.dyn_into().ok()?;
    target.closest(LINKS).ok()??.dyn_into().ok()
}

/// Returns the path and query of a link to this site; `None` for a link to another site.
fn path_here(link: &HtmlAnchorElement) -> Option<String> {
    let is_here = location().origin().is_ok_and(|origin| origin == link.origin());
    is_here.then(|| link.pathname() + &link.search())
}
