//! Scopes of a key, in words.

use shared::Scope;

/// Scopes that a person can give to a key of theirs. Signing others in is for the keys of a host application.
pub const OFFERED: [Scope; 5] = [
    Scope::ConnectionsRead,
    Scope::ConnectionsWrite,
    Scope::ContentPublish,
    Scope::MessagesManage,
    Scope::TokensRead,
];

/// Returns the scope's name for people.
pub fn label(scope: Scope) -> &'static str {
    match scope {
        Scope::ConnectionsRead => "Read connections",
        Scope::ConnectionsWrite => "Change connections",
        Scope::ContentPublish => "Publish",
        Scope::MessagesManage => "Messages",
        Scope::TokensRead => "Providers’ tokens",
        Scope::SessionsCreate => "Sign users in",
    }
}

/// Returns the scope's purpose.
pub fn purpose(scope: Scope) -> &'static str {
    match scope {
        Scope::ConnectionsRead => "See what is connected, its profile, history and events.",
        Scope::ConnectionsWrite => "Connect accounts, sync, renew and disconnect them.",
        Scope::ContentPublish => "Publish posts, reels and stories for you.",
        Scope::MessagesManage => "Read your messages and answer them.",
        Scope::TokensRead => {
            "Be given Instagram’s and Spotify’s own tokens. Whoever has one acts for you without this service."
        }
        Scope::SessionsCreate => "Sign a host application’s users in.",
    }
}
