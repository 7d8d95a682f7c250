//! A button that opens a menu, by the keyboard as well (WAI-ARIA's menu button pattern).

use leptos::ev::{self, KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Node};

use crate::focus;

/// A button with a panel under it. The panel opens on a click or an arrow key, and closes on Escape, on Tab, on a click
/// elsewhere and when an item was chosen.
///
/// `children` are the panel's content; what can be chosen has a role that starts with `menuitem`.
#[component]
pub fn Menu(
    /// The button's accessible name.
    #[prop(into)]
    label: String,
    /// The button's content.
    button: AnyView,
    /// The button's class.
    button_class: &'static str,
    /// The button's id.
    #[prop(into)]
    id: String,
    /// The panel's content.
    children: ChildrenFn,
) -> impl IntoView {
    let menu = State::new();
    let elsewhere = window_event_listener(ev::pointerdown, move |event| menu.pressed(&event));
    on_cleanup(move || elsewhere.remove());
    provide_context(MenuClose(Callback::new(move |()| menu.close())));

    let State { open, root, panel, trigger } = menu;
    view! {
        <div class="menu" node_ref=root>
            <button
                type="button"
                id=id
                class=button_class
                node_ref=trigger
                aria-label=label
                aria-haspopup="menu"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| if open.get_untracked() { menu.close() } else { menu.show(false) }
                on:keydown=move |event| menu.trigger_key(&event)
            >
                {button}
            </button>
            {move || {
                open.get()
                    .then(|| {
                        view! {
                            <div class="menu-panel" node_ref=panel on:keydown=move |event| menu.panel_key(&event)>
                                {children()}
                            </div>
                        }
                            .into_any()
                    })
            }}
        </div>
    }
}

/// State of a menu: its elements, and whether it is open.
#[derive(Clone, Copy)]
struct State {
    open: RwSignal<bool>,
    root: NodeRef<html::Div>,
    panel: NodeRef<html::Div>,
    trigger: NodeRef<html::Button>,
}

impl State {
    fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            root: NodeRef::new(),
            panel: NodeRef::new(),
            trigger: NodeRef::new(),
        }
    }

    /// Opens the panel and focuses its first item, or its last.
    fn show(self, from_end: bool) {
        self.open.set(true);
        request_animation_frame(move || {
            let items = self.panel.get_untracked().map(|panel| items_of(&panel)).unwrap_or_default();
            let item = if from_end { items.last() } else { items.first() };
            if let Some(item) = item {
                focus::focus(item);
            }
        });
    }

    fn close(self) {
        self.open.set(false);
        if let Some(trigger) = self.trigger.get_untracked() {
            focus::focus(&trigger);
        }
    }

    /// Closes the panel where something outside of it was pressed.
    fn pressed(self, event: &PointerEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        let is_inside = target
            .is_some_and(|target| self.root.get_untracked().is_some_and(|root| root.contains(Some(&target))));
        if !is_inside && self.open.get_untracked() {
            self.open.set(false);
        }
    }

    fn trigger_key(self, event: &KeyboardEvent) {
        match event.key().as_str() {
            "ArrowDown" => {
                event.prevent_default();
                self.show(false);
            }
            "ArrowUp" => {
                event.prevent_default();
                self.show(true);
            }
            // The focus is here until the panel is painted.
            "Escape" if self.open.get_untracked() => self.close(),
            _ => {}
        }
    }

    fn panel_key(self, event: &KeyboardEvent) {
        let Some(panel) = self.panel.get_untracked() else { return };
        let items = items_of(&panel);
        let active = document().active_element();
        let current = items.iter().position(|item| Some(item) == active.as_ref()).unwrap_or(0);
        let next = match event.key().as_str() {
            "Escape" => return self.close(),
            "Tab" => return self.open.set(false),
            "ArrowDown" => (current + 1) % items.len().max(1),
            "ArrowUp" => (current + items.len().max(1) - 1) % items.len().max(1),
            "Home" => 0,
            "End" => items.len().saturating_sub(1),
            _ => return,
        };
        event.prevent_default();
        if let Some(item) = items.get(next) {
            focus::focus(item);
        }
    }
}

/// Closes the menu around an item and gives the focus back to its button.
#[derive(Clone, Copy)]
struct MenuClose(Callback<()>);

/// One thing to choose.
#[component]
pub fn MenuItem(
    /// Called when the item is chosen.
    #[prop(into)]
    on_choose: Callback<()>,
    /// Tells whether the item destroys something.
    #[prop(optional)]
    danger: bool,
    /// Its words.
    children: Children,
) -> impl IntoView {
    let menu = expect_context::<MenuClose>();
    view! {
        <button
            type="button"
            role="menuitem"
            tabindex="-1"
            class="menu-item"
            class:menu-item-danger=danger
            on:click=move |_| {
                menu.0.run(());
                on_choose.run(());
            }
        >
            {children()}
        </button>
    }
}

fn items_of(panel: &Element) -> Vec<Element> {
    let Ok(found) = panel.query_selector_all("[role^=menuitem]") else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}
