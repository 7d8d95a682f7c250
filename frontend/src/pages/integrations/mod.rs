//! `/integrations`: what is connected.

mod other_accounts;

use leptos::prelude::*;

use self::other_accounts::{Attempt, other_accounts_card};
use super::connection_card::{Account, ConnectionCard, Extent, disconnect_dialog};
use crate::components::page_heading::PageHeading;
use crate::providers::Provider;
use crate::providers::instagram::INSTAGRAM;

/// The page with the providers' cards.
#[component]
pub fn Integrations() -> impl IntoView {
    view! {
        <div class="page">
            <PageHeading title="Integrations" />
            <p class="lede">"Connect the accounts that your application works with."</p>
            <div class="cards">
                <InstagramConnectionCard />
            </div>
        </div>
    }
}

/// Shows the connected accounts of Instagram.
#[component]
fn InstagramConnectionCard() -> impl IntoView {
    integration(&INSTAGRAM)
}

/// Shows the connected accounts of a provider: the application's account, and the others beside it.
fn integration(provider: &'static Provider) -> AnyView {
    let attempt = Attempt::new();
    let settle = Callback::new(move |is_other| {
        if is_other {
            attempt.settle();
        }
    });
    let account = Account::new(provider, Extent::Summary, settle);
    view! {
        <ConnectionCard account />
        {other_accounts_card(account, attempt)}
        {disconnect_dialog(account)}
    }
    .into_any()
}
