//! A connected account: who it is, and how the connection does.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use crate::components::avatar::Avatar;
use crate::components::icon::{self, Icon};
use crate::components::moment::{heard, time};
use crate::format;
use crate::providers::Provider;
use crate::ticking::ticking_now;

/// Shows picture, names and counts, then when it was connected, synced and will expire. With `leads_on`, a link leads to all
/// that is known about the connection.
pub(super) fn profile(provider: &'static Provider, connection: &Connection, leads_on: bool) -> AnyView {
    let name = connection.name.clone().unwrap_or_else(|| connection.username.clone());
    let facts = (provider.facts)(connection);
    view! {
        <div class="profile">
            <Avatar picture=connection.profile_picture_url.clone() name=name.clone() class="avatar-large" />
            <div class="profile-text">
                <p class="profile-name">{name}</p>
                <a class="link profile-username" href=(provider.profile_url)(connection) target="_blank" rel="noopener">
                    {format!("@{}", connection.username)}
                    <Icon svg=icon::EXTERNAL />
                    <span class="only-heard">{format!(" on {} (opens in a new tab)", provider.name)}</span>
                </a>
                <ul class="facts profile-counts">
                    {facts.into_iter().map(|fact| view! { <li>{fact}</li> }).collect_view()}
                </ul>
            </div>
        </div>
        {life(provider, connection, leads_on)}
    }
    .into_any()
}

/// The quiet line, and a bar of how much of the token's life is left.
fn life(provider: &'static Provider, connection: &Connection, leads_on: bool) -> AnyView {
    let now = ticking_now();
    let dead = connection.status == ConnectionStatus::NeedsReauthorization;
    let connected = format::milliseconds(&connection.connected_at);
    let synced = format::milliseconds(&connection.last_sync);
    let expires = format::milliseconds(&connection.expires_at);
    let share = move || format!("{}%", format::life_left(expires, now.get(), provider.life_days));
    let needs_refresh = connection.needs_refresh;
    // Where the provider has ended the access, the date on which it would have ended by itself says nothing.
    let bar = (!dead).then(|| {
        view! {
            <div class="life-bar" class:life-bar-warning=needs_refresh aria-hidden="true">
                <div class="life-left" style:inline-size=share></div>
            </div>
        }
    });
    let expiry = (!dead).then(|| {
        let before = move || if expires < now.get() { "Expired " } else { "Expires " };
        view! {
            <li>
                {before} {time(&connection.expires_at, move || format::date(expires))}
                {move || format!(" ({})", format::relative(expires, now.get()))} {heard(expires)}
            </li>
        }
    });
    view! {
        <div class="life">
            {bar}
            <div class="life-foot">
                <ul class="facts life-facts">
                    <li>
                        "Connected " {time(&connection.connected_at, move || format::date(connected))}
                        {heard(connected)}
                    </li>
                    <li>
                        "Synced "
                        {time(&connection.last_sync, move || format::ago(synced, now.get()))}
                        {heard(synced)}
                    </li>
                    {expiry}
                </ul>
                {leads_on.then(|| details_link(provider))}
            </div>
        </div>
    }
    .into_any()
}

fn details_link(provider: &Provider) -> AnyView {
    view! {
        <a class="link" href=provider.connection_path()>
            "View details"
            <span class="only-heard">{format!(" of the {} connection", provider.name)}</span>
            <Icon svg=icon::FORWARD />
        </a>
    }
    .into_any()
}
