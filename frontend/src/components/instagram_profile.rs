//! A connected account: who it is, and how the connection does.

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus};

use super::avatar::Avatar;
use super::icon::{self, Icon};
use super::moment::{heard, time};
use crate::connect::DETAILS;
use crate::format;
use crate::ticking::ticking_now;

/// Picture, names and counts, then when it was connected, synced and will expire.
#[component]
pub fn InstagramProfile(
    /// The connection.
    connection: Connection,
    /// Whether to lead on to all that is known about the connection.
    #[prop(optional)]
    details: bool,
) -> impl IntoView {
    let name = connection.name.clone().unwrap_or_else(|| connection.username.clone());
    let profile_url =
        format!("https://www.instagram.com/{}/", js_sys::encode_uri_component(&connection.username));
    let counts = [
        connection.followers.map(|count| format::count(count, "follower", "followers")),
        connection.following.map(|count| format::count(count, "following", "following")),
        connection.media_count.map(|count| format::count(count, "post", "posts")),
    ];
    view! {
        <div class="profile">
            <Avatar picture=connection.profile_picture_url.clone() name=name.clone() class="avatar-large" />
            <div class="profile-text">
                <p class="profile-name">{name}</p>
                <a class="link profile-username" href=profile_url target="_blank" rel="noopener">
                    {format!("@{}", connection.username)}
                    <Icon svg=icon::EXTERNAL />
                    <span class="only-heard">" on Instagram (opens in a new tab)"</span>
                </a>
                <ul class="facts profile-counts">
                    {counts.into_iter().flatten().map(|count| view! { <li>{count}</li> }).collect_view()}
                </ul>
            </div>
        </div>
        <Life connection details />
    }
}

/// The quiet line, and a bar of how much of the token's life is left.
#[component]
fn Life(connection: Connection, details: bool) -> impl IntoView {
    let now = ticking_now();
    let dead = connection.status == ConnectionStatus::NeedsReauthorization;
    let connected = format::milliseconds(&connection.connected_at);
    let synced = format::milliseconds(&connection.last_sync);
    let expires = format::milliseconds(&connection.expires_at);
    let share = move || format!("{}%", format::life_left(expires, now.get()));
    let needs_refresh = connection.needs_refresh;
    // Where Instagram has ended the access, the date on which it would have ended by itself says nothing.
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
                {details.then(details_link)}
            </div>
        </div>
    }
}

fn details_link() -> impl IntoView {
    view! {
        <a class="link" href=DETAILS>
            "View details"
            <span class="only-heard">" of the Instagram connection"</span>
            <Icon svg=icon::FORWARD />
        </a>
    }
}
