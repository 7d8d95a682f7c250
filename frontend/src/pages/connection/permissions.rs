//! Permissions that the provider has granted for the account, and those that it has not.

use leptos::prelude::*;
use shared::Connection;

use crate::components::badge::badge;
use crate::components::card::card;
use crate::components::icon::{self, Icon};
use crate::components::part::{self, Part};
use crate::connect::Purpose;
use crate::pages::connection_card::{Account, Doing};
use crate::providers::Permission;

/// The card: every permission that is asked for, what it is for, and whether it is granted.
pub fn permissions_card(account: Account) -> AnyView {
    let retry = Callback::new(move |()| account.retry());
    let rows = move |Connection { scopes, missing_scopes, .. }: Connection| {
        // What was asked for, the server's configuration decides.
        let row = |permission: &'static Permission| {
            let is_in = |names: &[String]| names.iter().any(|name| name == permission.scope);
            let is_granted = is_in(&scopes);
            (is_granted || is_in(&missing_scopes)).then(|| row(permission, is_granted, account))
        };
        view! { <ul class="rows">{account.provider.permissions.iter().filter_map(row).collect_view()}</ul> }
    };
    let body = move || match account.integration.get() {
        Part::Loading => part::skeleton(part::ROWS),
        Part::Failed(why) => part::failed(why, "permissions-retry", retry),
        Part::Ready(integration) => account.pick(&integration).cloned().map(rows).into_any(),
    };
    card("permissions-title", "Permissions", None, ().into_any(), body.into_any())
}

fn row(permission: &'static Permission, is_granted: bool, account: Account) -> AnyView {
    let (purpose, end) = if is_granted {
        (permission.purpose.to_owned(), badge("badge-good", icon::CHECK, "Granted"))
    } else {
        let purpose = format!("Without it we cannot {}.", permission.loss);
        (purpose, missing(permission, account))
    };
    view! {
        <li class="row">
            <span class="row-icon">
                <Icon svg=permission.icon />
            </span>
            <div class="row-text">
                <p class="row-title">{permission.label}</p>
                <p class="row-note">{purpose}</p>
            </div>
            <div class="row-end">{end}</div>
        </li>
    }
    .into_any()
}

fn missing(permission: &'static Permission, account: Account) -> AnyView {
    let is_leaving = move || account.doing.get() == Doing::Leaving;
    view! {
        {badge("badge-warning", icon::ALERT, "Missing")}
        <button
            type="button"
            class="button button-primary"
            aria-disabled=move || is_leaving().to_string()
            on:click=move |_| account.connect(Purpose::Reconnect)
        >
            {move || is_leaving().then(|| view! { <Icon svg=icon::SPINNER /> })}
            "Grant"
            <span class="only-heard">{format!(" {}", permission.label)}</span>
        </button>
    }
    .into_any()
}
