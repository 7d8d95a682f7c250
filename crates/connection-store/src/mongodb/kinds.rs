//! What differs between the providers in the documents of their connections.

use mongodb::bson::{Bson, Document, doc};
use shared::Provider;

use super::fields;
use crate::StoreResult;

/// The collection of one provider's connections, and the fields that its documents have of their own.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) provider: Provider,
    pub(super) collection: &'static str,
    /// Field of the account's id, by which documents are unique.
    pub(super) account_id: &'static str,
    pub(super) other_account_id: &'static str,
    /// Field of the time at which the connection ends.
    pub(super) expires_at: &'static str,
    /// Tells whether a document has a `refreshToken`, and says since when the account's owner has consented (`authorizedAt`).
    pub(super) has_refresh_token: bool,
    /// Fields of `profile`, in the order in which they are written.
    pub(super) profile: &'static [&'static str],
}

/// The architecture document's collection.
static INSTAGRAM: Kind = Kind {
    provider: Provider::Instagram,
    collection: "instagram_connections",
    account_id: "instagramUserId",
    other_account_id: "appScopedUserId",
    // The connection lives as long as its token does.
    expires_at: "tokenExpiresAt",
    has_refresh_token: false,
    profile: &[
        "username",
        "name",
        "profilePictureUrl",
        "biography",
        "website",
        "followersCount",
        "followsCount",
        "mediaCount",
    ],
};

static SPOTIFY: Kind = Kind {
    provider: Provider::Spotify,
    collection: "spotify_connections",
    account_id: "spotifyUserId",
    other_account_id: "spotifyId",
    expires_at: "expiresAt",
    has_refresh_token: true,
    profile: &["username", "name", "profilePictureUrl", "profileUrl", "followersCount", "product"],
};

impl Kind {
    /// Returns the kind of a provider's connections.
    pub(super) fn of(provider: Provider) -> &'static Self {
        match provider {
            Provider::Instagram => &INSTAGRAM,
            Provider::Spotify => &SPOTIFY,
        }
    }
}

/// Returns the value by which a filter selects a provider's documents in a collection of several. Before there were several,
/// none was named: such documents are Instagram's, and backends of that time may still write them.
pub(super) fn named(provider: Provider) -> Bson {
    match provider {
        Provider::Instagram => doc! { "$in": [provider.as_str(), null] }.into(),
        Provider::Spotify => provider.as_str().into(),
    }
}

/// Returns the provider that a document names, or the one of before there were several.
pub(super) fn provider(document: &Document) -> StoreResult<Provider> {
    match fields::text(document, "provider") {
        None => Ok(Provider::Instagram),
        Some(name) => Provider::from_name(&name).ok_or_else(|| fields::missing("provider")),
    }
}
