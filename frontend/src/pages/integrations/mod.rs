//! `/integrations`: what is connected.

mod other_accounts;

use leptos::prelude::*;

use self::other_accounts::{Attempt, other_accounts};
use super::connection_card::{Account, Accounts, Extent, connection_card, disconnect_dialog};
use crate::components::page_heading::PageHeading;
use crate::providers::Provider;
use crate::providers::instagram::INSTAGRAM;
use crate::providers::spotify::SPOTIFY;

/// The page with the providers' cards.
#[component]
pub fn Integrations() -> impl IntoView {
    let accounts = Accounts::new();
    view! {
        <div class="page">
            <PageHeading title="Integrations" />
            <p class="lede">"Connect the accounts that your application works with."</p>
            <div class="cards">
                <InstagramConnectionCard accounts />
                <SpotifyIntegrationCard accounts />
            </div>
        </div>
    }
}

/// Shows the connected accounts of Instagram.
#[component]
fn InstagramConnectionCard(
    /// The accounts of the page.
    accounts: Accounts,
) -> impl IntoView {
    integration(&INSTAGRAM, accounts)
}

/// Shows the connected accounts of Spotify.
#[component]
fn SpotifyIntegrationCard(
    /// The accounts of the page.
    accounts: Accounts,
) -> impl IntoView {
    integration(&SPOTIFY, accounts)
}

/// Shows the connected accounts of a provider: the one in use, and the others below it.
fn integration(provider: &'static Provider, accounts: Accounts) -> AnyView {
    let attempt = Attempt::new();
    let settle = Callback::new(move |is_other| {
        if is_other {
            attempt.settle();
        }
    });
    let account = Account::new(provider, Extent::Summary, None, accounts, settle);
    view! { {connection_card(account, other_accounts(account, attempt))} {disconnect_dialog(account)} }
        .into_any()
}
