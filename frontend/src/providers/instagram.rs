//! Instagram.

use shared::{Connection, Provider as Id, ProviderProfile, permission};

use super::{Expiring, Permission, Provider};
use crate::components::icon;
use crate::format::count;

/// Instagram, as the web app shows it.
pub static INSTAGRAM: Provider = Provider {
    id: Id::Instagram,
    // In its own colours.
    logo: include_str!("instagram.svg"),
    sigil: "@",
    home: "https://www.instagram.com/",
    offer: "Connect a professional account to show its profile, publish posts and answer messages.",
    permissions: &PERMISSIONS,
    facts,
    always_tells_followers: true,
    life_days: 60.0,
    refresh_moves_end: true,
    expiring: Expiring {
        badge: "Renewal delayed",
        sentence: "We have not been able to renew this yet and keep trying. If you want to be safe, reconnect.",
        delayed_days: Some(10.0),
    },
    without_access: "Publishing, messages and updates stop until you reconnect.",
    disconnecting_stops: "Publishing and messages stop working here.",
    disconnecting_keeps: "Your posts, messages and followers on Instagram stay as they are.",
    docs: "https://github.com/instagram-connect/instagram-connect/blob/main/docs/oauth-setup.md",
};

static PERMISSIONS: [Permission; 3] = [
    Permission {
        scope: permission::BASIC,
        is_default: true,
        icon: icon::PROFILE,
        label: "Read your profile and posts",
        purpose: "Shows your profile here, and keeps its numbers current.",
        loss: "show your profile",
    },
    Permission {
        scope: permission::CONTENT_PUBLISH,
        is_default: true,
        icon: icon::PUBLISH,
        label: "Publish posts, reels and stories",
        purpose: "Lets us post what you prepare here, when you say so.",
        loss: "publish for you",
    },
    Permission {
        scope: permission::MANAGE_MESSAGES,
        is_default: true,
        icon: icon::MESSAGE,
        label: "Read and answer messages",
        purpose: "Brings your messages here, and sends your answers.",
        loss: "answer messages for you",
    },
];

fn facts(connection: &Connection) -> Vec<String> {
    let ProviderProfile::Instagram { following, media_count, .. } = &connection.of_provider else {
        return Vec::new();
    };
    let counts = [
        connection.followers.map(|followers| count(followers, "follower", "followers")),
        following.map(|following| count(following, "following", "following")),
        media_count.map(|posts| count(posts, "post", "posts")),
    ];
    counts.into_iter().flatten().collect()
}
