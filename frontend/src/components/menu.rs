//! A button that opens a menu, by the keyboard as well (WAI-ARIA's menu button pattern).

use leptos::ev::{self, KeyboardEvent};
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
    /// What the button is called.
    #[prop(into)]
    label: String,
    /// What the button shows.
    button: AnyView,
    /// The button's class.
    button_class: &'static str,
    /// The button's id.
    id: &'static str,
    /// The panel's content.
    children: ChildrenFn,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let panel = NodeRef::<html::Div>::new();
    let trigger = NodeRef::<html::Button>::new();

    let close = move || {
        open.set(false);
        if let Some(trigger) = trigger.get_untracked() {
            focus::focus(&trigger);
        }
    };
    let show = move |from_end: bool| {
        open.set(true);
        request_animation_frame(move || {
            let items = panel.get_untracked().map(|panel| items_of(&panel)).unwrap_or_default();
            let item = if from_end { items.last() } else { items.first() };
            if let Some(item) = item {
                focus::focus(item);
            }
        });
    };

    let elsewhere = window_event_listener(ev::pointerdown, move |event| {
        let inside = event
            .target()
            .and_then(|target| target.dyn_into::<Node>().ok())
            .is_some_and(|target| root.get_untracked().is_some_and(|root| root.contains(Some(&target))));
        if !inside && open.get_untracked() {
            open.set(false);
        }
    });
    on_cleanup(move || elsewhere.remove());

    let on_trigger_key = move |event: KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            show(false);
        }
        "ArrowUp" => {
            event.prevent_default();
            show(true);
        }
        // The focus is here until the panel is painted.
        "Escape" if open.get_untracked() => close(),
        _ => {}
    };
    let on_panel_key = move |event: KeyboardEvent| {
        let Some(panel) = panel.get_untracked() else { return };
        let items = items_of(&panel);
        let active = document().active_element();
        let current = items.iter().position(|item| Some(item) == active.as_ref()).unwrap_or(0);
        let next = match event.key().as_str() {
            "Escape" => return close(),
            "Tab" => return open.set(false),
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
    };
    provide_context(MenuClose(Callback::new(move |()| close())));

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
                on:click=move |_| if open.get_untracked() { close() } else { show(false) }
                on:keydown=on_trigger_key
            >
                {button}
            </button>
            {move || {
                open.get()
                    .then(|| {
                        view! {
                            <div class="menu-panel" node_ref=panel on:keydown=on_panel_key>
                                {children()}
                            </div>
                        }
                            .into_any()
                    })
            }}
        </div>
    }
}

/// Closes the menu around an item and gives the focus back to its button.
#[derive(Clone, Copy)]
struct MenuClose(Callback<()>);

/// One thing to choose.
#[component]
pub fn MenuItem(
    /// What happens.
    #[prop(into)]
    on_choose: Callback<()>,
    /// Whether it destroys something.
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
