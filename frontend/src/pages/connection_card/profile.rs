//! A connected account: who it is, and how the connection does.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use super::account::{Account, Extent};
use crate::components::avatar::Avatar;
use crate::components::badge::badge;
use crate::components::icon::{self, Icon};
use crate::components::moment::{heard, time};
use crate::format;
use crate::providers::Provider;
use crate::ticking::ticking_now;

/// Shows picture, names and counts, then when it was connected, synced and will expire. In a summary, a link leads to all
/// that is known about the connection, and where there are several, a badge says that this one is in use.
pub(super) fn profile(account: Account, connection: &Connection) -> AnyView {
    let provider = account.provider;
    let leads_on = account.extent == Extent::Summary;
    let is_one_of_several = leads_on && account.connections().len() > 1;
    let in_use = is_one_of_several.then(|| badge("badge-quiet", icon::CHECK, "In use"));
    let name = connection.name.clone().unwrap_or_else(|| connection.username.clone());
    let facts = (provider.facts)(connection);
    view! {
        <div class="profile">
            <Avatar picture=connection.profile_picture_url.clone() name=name.clone() class="avatar-large" />
            <div class="profile-text">
                <p class="profile-name">{name} {in_use}</p>
                <a class="link profile-username" href=provider.profile_url(connection) target="_blank" rel="noopener">
                    {provider.handle(&connection.username)}
                    <Icon svg=icon::EXTERNAL />
                    <span class="only-heard">{format!(" on {} (opens in a new tab)", provider.name())}</span>
                </a>
                {(!facts.is_empty()).then(|| {
                    let facts = facts.into_iter().map(|fact| view! { <li>{fact}</li> }).collect_view();
                    view! { <ul class="facts profile-counts">{facts}</ul> }
                })}
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
        <a class="link" href=provider.connection_path(None)>
            "View details"
            <span class="only-heard">{format!(" of the {} connection", provider.name())}</span>
            <Icon svg=icon::FORWARD />
        </a>
    }
    .into_any()
}
