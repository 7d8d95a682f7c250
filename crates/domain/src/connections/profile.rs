//! A profile's two forms: the wire and the store.

use connection_store::Profile;
use shared::UserProfile;

/// As the API writes it: in the names that Instagram has for it, whichever the provider.
pub(super) fn to_wire(id: String, profile: Profile) -> UserProfile {
    UserProfile {
        id,
        username: profile.username,
        name: profile.name,
        profile_picture_url: profile.profile_picture_url,
        biography: profile.biography,
        website: profile.website,
        followers_count: profile.followers_count,
        follows_count: profile.follows_count,
        media_count: profile.media_count,
    }
}

/// As it is stored, beside the account's id. The page's address and the product are not on the wire.
pub(super) fn to_stored(user: UserProfile, profile_url: Option<String>, product: Option<String>) -> Profile {
    Profile {
        username: user.username,
        name: user.name,
        profile_picture_url: user.profile_picture_url,
        profile_url,
        biography: user.biography,
        website: user.website,
        followers_count: user.followers_count,
        follows_count: user.follows_count,
        media_count: user.media_count,
        product,
    }
}
