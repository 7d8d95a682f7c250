//! Spotify.

use shared::{Connection, Provider as Id, ProviderProfile};

use super::{Expiring, Permission, Provider};
use crate::components::icon;
use crate::format::count;

/// Spotify, as the web app shows it.
pub static SPOTIFY: Provider = Provider {
    id: Id::Spotify,
    // Green on white, white on dark: Spotify's rules allow its green on white and black alone.
    logo: include_str!("spotify.svg"),
    sigil: "",
    home: "https://open.spotify.com/",
    offer: "Connect a listener’s account to show its profile, top music and playlists.",
    permissions: &PERMISSIONS,
    facts,
    always_tells_followers: false,
    life_days: 183.0,
    refresh_moves_end: false,
    expiring: Expiring {
        badge: "Reconnect soon",
        sentence: "Spotify asks again every six months; reconnecting takes a click.",
        delayed_days: None,
    },
    without_access: "Profile, top music and playlists are not read until you reconnect.",
    disconnecting_stops: "Your profile, top music and playlists are not read here any more.",
    disconnecting_keeps: "Your music, playlists and followers on Spotify stay as they are.",
    docs: "https://github.com/instagram-connect/instagram-connect/blob/main/docs/oauth-setup.md#spotify",
};

/// The first three are asked for where the server's configuration names no others.
static PERMISSIONS: [Permission; 12] = [
    Permission {
        scope: "user-read-private",
        is_default: true,
        icon: icon::PROFILE,
        label: "Read your profile",
        purpose: "Shows your profile here, and keeps it current.",
        loss: "read all of your profile",
    },
    Permission {
        scope: "user-top-read",
        is_default: true,
        icon: icon::MUSIC,
        label: "Read your top artists and tracks",
        purpose: "Lets your application know what you listen to most.",
        loss: "read your top artists and tracks",
    },
    Permission {
        scope: "playlist-read-private",
        is_default: true,
        icon: icon::LIST,
        label: "Read your private playlists",
        purpose: "Brings all of your playlists here, not only the public ones.",
        loss: "read your private playlists",
    },
    Permission {
        scope: "playlist-read-collaborative",
        is_default: false,
        icon: icon::LIST,
        label: "Read your collaborative playlists",
        purpose: "Brings the playlists here that you make with others.",
        loss: "read your collaborative playlists",
    },
    Permission {
        scope: "user-read-email",
        is_default: false,
        icon: icon::MESSAGE,
        label: "Read your email address",
        purpose: "Tells your application how to write to you.",
        loss: "read your email address",
    },
    Permission {
        scope: "user-read-recently-played",
        is_default: false,
        icon: icon::CLOCK,
        label: "Read what you played recently",
        purpose: "Lets your application know what you heard last.",
        loss: "read what you played recently",
    },
    Permission {
        scope: "user-follow-read",
        is_default: false,
        icon: icon::PROFILE,
        label: "Read whom you follow",
        purpose: "Lets your application know the artists that you follow.",
        loss: "read whom you follow",
    },
    Permission {
        scope: "user-library-read",
        is_default: false,
        icon: icon::MUSIC,
        label: "Read your library",
        purpose: "Lets your application know what you saved.",
        loss: "read your library",
    },
    Permission {
        scope: "user-library-modify",
        is_default: false,
        icon: icon::PUBLISH,
        label: "Change your library",
        purpose: "Saves music for you, such as before its release.",
        loss: "save music for you",
    },
    Permission {
        scope: "playlist-modify-public",
        is_default: false,
        icon: icon::PUBLISH,
        label: "Change your public playlists",
        purpose: "Makes public playlists for you, and changes them.",
        loss: "change your public playlists",
    },
    Permission {
        scope: "playlist-modify-private",
        is_default: false,
        icon: icon::PUBLISH,
        label: "Change your private playlists",
        purpose: "Makes private playlists for you, and changes them.",
        loss: "change your private playlists",
    },
    Permission {
        scope: "ugc-image-upload",
        is_default: false,
        icon: icon::PUBLISH,
        label: "Upload covers",
        purpose: "Gives your playlists covers of their own.",
        loss: "upload covers of playlists",
    },
];

/// In development mode, Spotify tells neither.
fn facts(connection: &Connection) -> Vec<String> {
    let ProviderProfile::Spotify { product } = &connection.of_provider else { return Vec::new() };
    let plan = product.as_deref().and_then(|product| match product {
        "premium" => Some("Spotify Premium".to_owned()),
        "free" | "open" => Some("Spotify Free".to_owned()),
        _ => None,
    });
    let followers = connection.followers.map(|followers| count(followers, "follower", "followers"));
    [followers, plan].into_iter().flatten().collect()
}
