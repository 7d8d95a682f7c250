//! `/integrations/{provider}`, `/integrations/{provider}?connection={id}`: all that is known about a connection.
//!
//! Each card loads by itself, at the same time as the others; one that fails leaves the others as they are.

mod event_list;
mod followers;
mod followers_plot;
mod permissions;
mod plot;
mod rows;
mod timeline;

use leptos::prelude::*;

use self::followers::Followers;
use self::permissions::permissions_card;
use self::timeline::Timeline;
use super::connection_card::{Account, Accounts, Extent, connection_card, disconnect_dialog};
use crate::address::Address;
use crate::components::icon::{self, Icon};
use crate::components::page_heading::PageHeading;
use crate::components::part::Part;
use crate::providers::Provider;
use crate::session::{HOME, require_session};

/// The page of a connection.
#[component]
pub fn ConnectionPage(
    /// Provider of the account.
    provider: &'static Provider,
) -> impl IntoView {
    // The one that the address names, else the one in use.
    let id = Address::expect().parameter("connection");
    let (followers, timeline) = (Followers::new(provider, id.clone()), Timeline::new(provider, id.clone()));
    let has_followers = RwSignal::new(provider.always_tells_followers);
    let load = move || {
        if has_followers.get_untracked() {
            followers.load();
        }
        timeline.load();
    };
    let follow = Callback::new(move |is_other| {
        if is_other {
            followers.forget();
            timeline.forget();
        }
        load();
    });
    let account = Account::new(provider, Extent::Whole, id, Accounts::new(), follow);
    require_session(load);
    Effect::new(move |_| {
        let told = account.watched().is_some_and(|connection| connection.followers.is_some());
        if told && !has_followers.get_untracked() {
            has_followers.set(true);
            followers.load();
        }
    });
    let is_connected = Memo::new(move |_| match &*account.integration.read() {
        Part::Ready(integration) => account.pick(integration).is_some(),
        Part::Loading | Part::Failed(_) => true,
    });
    let curve = move || has_followers.get().then(|| followers.card());
    let cards = move || view! { {curve} {permissions_card(account)} {timeline.card()} }.into_any();
    view! {
        <div class="page connection-page">
            <nav class="crumbs" aria-label="Breadcrumb">
                <a class="link" href=HOME>
                    <Icon svg=icon::BACK />
                    "Integrations"
                </a>
            </nav>
            <PageHeading title=format!("{} connection", provider.name()) />
            <div class="cards">
                {connection_card(account, ().into_any())}
                {move || is_connected.get().then(cards)}
            </div>
            {disconnect_dialog(account)}
        </div>
    }
}
