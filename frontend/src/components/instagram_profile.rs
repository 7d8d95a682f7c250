//! A connected account: who it is, and how the connection does.

use std::time::Duration;

use leptos::prelude::*;
use shared::{Connection, ConnectionStatus, Timestamp};

use super::avatar::Avatar;
use super::icon::{self, Icon};
use crate::format;

/// How often relative times are told anew.
const TICK: Duration = Duration::from_secs(60);

/// Picture, names and counts, then when it was connected, synced and will expire.
#[component]
pub fn InstagramProfile(
    /// The connection.
    connection: Connection,
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
        <Life connection />
    }
}

/// The quiet line, and a bar of how much of the token's life is left.
#[component]
fn Life(connection: Connection) -> impl IntoView {
    let now = RwSignal::new(format::now());
    let tick = move || {
        now.try_set(format::now());
    };
    if let Ok(timer) = set_interval_with_handle(tick, TICK) {
        on_cleanup(move || timer.clear());
    }
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
            <ul class="facts life-facts">
                <li>
                    "Connected " {time(&connection.connected_at, move || format::date(connected))}
                    {heard(connected)}
                </li>
                <li>
                    "Synced "
                    {time(&connection.last_sync, move || format::relative(synced, now.get()))}
                    {heard(synced)}
                </li>
                {expiry}
            </ul>
        </div>
    }
}

/// A time in short; the exact one shows on pointing at it.
fn time<F: Fn() -> String + Send + 'static>(when: &Timestamp, short: F) -> impl IntoView + use<F> {
    let title = format::exact(format::milliseconds(when));
    view! {
        <time datetime=when.as_str().to_owned() title=title>
            {short}
        </time>
    }
}

/// The exact time for a screen reader, which does not read titles.
fn heard(milliseconds: f64) -> impl IntoView {
    view! { <span class="only-heard">{format!(", {}", format::exact(milliseconds))}</span> }
}
