//! `/integrations/{provider}`: all that is known about a connection.
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
use super::connection_card::{Account, ConnectionCard, Extent, disconnect_dialog};
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
    let (followers, timeline) = (Followers::new(provider), Timeline::new(provider));
    let load = move || {
        followers.load();
        timeline.load();
    };
    let follow = Callback::new(move |is_other| {
        if is_other {
            followers.forget();
            timeline.forget();
        }
        load();
    });
    let account = Account::new(provider, Extent::Whole, follow);
    require_session(load);
    let is_connected = Memo::new(move |_| match &*account.connections.read() {
        Part::Ready(connections) => !connections.is_empty(),
        Part::Loading | Part::Failed(_) => true,
    });
    let cards = move || view! { {followers.card()} {permissions_card(account)} {timeline.card()} }.into_any();
    view! {
        <div class="page connection-page">
            <nav class="crumbs" aria-label="Breadcrumb">
                <a class="link" href=HOME>
                    <Icon svg=icon::BACK />
                    "Integrations"
                </a>
            </nav>
            <PageHeading title=format!("{} connection", provider.name) />
            <div class="cards">
                <ConnectionCard account />
                {move || is_connected.get().then(cards)}
            </div>
            {disconnect_dialog(account)}
        </div>
    }
}
