//! Instagram.

use shared::{Connection, permission};

use super::{Expiring, Permission, Provider};
use crate::components::icon;
use crate::format::count;

/// Instagram, as the web app shows it.
pub static INSTAGRAM: Provider = Provider {
    slug: "instagram",
    name: "Instagram",
    // In its own colours.
    logo: include_str!("instagram.svg"),
    offer: "Connect a professional account to show its profile, publish posts and answer messages.",
    permissions: &PERMISSIONS,
    facts,
    profile_url,
    life_days: 60.0,
    expiring: Expiring {
        days: 10.0,
        badge: "Renewal delayed",
        sentence: "We have not been able to renew this yet and keep trying. If you want to be safe, reconnect.",
    },
    without_access: "Publishing, messages and updates stop until you reconnect.",
    disconnecting_stops: "Publishing and messages stop working here.",
    disconnecting_keeps: "Your posts, messages and followers on Instagram stay as they are.",
    docs: "https://github.com/instagram-connect/instagram-connect/blob/main/docs/oauth-setup.md",
};

static PERMISSIONS: [Permission; 3] = [
    Permission {
        scope: permission::BASIC,
        icon: icon::PROFILE,
        label: "Read your profile and posts",
        purpose: "Shows your profile here, and keeps its numbers current.",
        loss: "show your profile",
    },
    Permission {
        scope: permission::CONTENT_PUBLISH,
        icon: icon::PUBLISH,
        label: "Publish posts, reels and stories",
        purpose: "Lets us post what you prepare here, when you say so.",
        loss: "publish for you",
    },
    Permission {
        scope: permission::MANAGE_MESSAGES,
        icon: icon::MESSAGE,
        label: "Read and answer messages",
        purpose: "Brings your messages here, and sends your answers.",
        loss: "answer messages for you",
    },
];

fn facts(connection: &Connection) -> Vec<String> {
    let counts = [
        connection.followers.map(|followers| count(followers, "follower", "followers")),
        connection.following.map(|following| count(following, "following", "following")),
        connection.media_count.map(|posts| count(posts, "post", "posts")),
    ];
    counts.into_iter().flatten().collect()
}

fn profile_url(connection: &Connection) -> String {
    format!("https://www.instagram.com/{}/", js_sys::encode_uri_component(&connection.username))
}
