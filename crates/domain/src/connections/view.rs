//! A stored connection as its owner sees it.

use connection_store::Connection;
use jiff::{SignedDuration, Timestamp};
use shared::{ConnectionStatus, permission};

use crate::providers::instagram;

/// Less than this before its end, a connection needs a refresh.
pub(super) const REFRESH_WINDOW: SignedDuration = SignedDuration::from_hours(10 * 24);

/// Returns a stored connection as the API answers with it. `opens`: whether the vault can open the stored
/// token.
pub(super) fn connection(stored: Connection, opens: bool, now: Timestamp) -> shared::Connection {
    let ended = stored.token_expires_at <= now;
    let needs_refresh = stored.token_expires_at.duration_since(now) <= REFRESH_WINDOW;
    let dead_since = dead_since(&stored, opens, now);
    let explained = match dead_since {
        Some(_) if !opens => {
            Some("This server can no longer read the stored access. Reconnect to give it again.")
        }
        Some(_) if ended => Some(instagram::EXPIRED),
        _ => None,
    };
    let status = match dead_since {
        Some(_) => ConnectionStatus::NeedsReauthorization,
        None if needs_refresh => ConnectionStatus::Expiring,
        None => ConnectionStatus::Active,
    };
    let is_missing = |asked: &&str| !stored.scopes.iter().any(|granted| granted == asked);
    shared::Connection {
        id: stored.id,
        username: stored.profile.username,
        name: stored.profile.name,
        profile_picture_url: stored.profile.profile_picture_url,
        biography: stored.profile.biography,
        website: stored.profile.website,
        followers: stored.profile.followers_count,
        following: stored.profile.follows_count,
        media_count: stored.profile.media_count,
        connected_at: stored.connected_at.into(),
        last_sync: stored.last_synced_at.into(),
        expires_at: stored.token_expires_at.into(),
        needs_refresh,
        status,
        missing_scopes: permission::ALL.into_iter().filter(is_missing).map(str::to_owned).collect(),
        scopes: stored.scopes,
        last_error: stored.last_error.or_else(|| explained.map(str::to_owned)),
        needs_reauthorization_since: dead_since.map(Into::into),
    }
}

/// Since when the token is known to be of no use; `None` while it works.
pub(super) fn dead_since(stored: &Connection, opens: bool, now: Timestamp) -> Option<Timestamp> {
    stored
        .needs_reauthorization_since
        // An expired token can never be refreshed, and its end is what Instagram said when it gave the token.
        .or_else(|| (stored.token_expires_at <= now).then_some(stored.token_expires_at))
        .or_else(|| (!opens).then_some(stored.last_synced_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection_store::Profile;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_762_788_600 + day * 86_400).unwrap()
    }

    fn stored() -> Connection {
        Connection {
            id: "0".repeat(24),
            user_id: "usr_a".into(),
            instagram_user_id: "17841400000000000".into(),
            app_scoped_user_id: None,
            access_token: "v1.k1.x".into(),
            token_issued_at: at(0),
            token_expires_at: at(60),
            refresh_at: Some(at(30)),
            profile: Profile { username: "shop".into(), ..Profile::default() },
            scopes: vec![permission::BASIC.into()],
            connected_at: at(0),
            last_connected_at: at(0),
            last_synced_at: at(0),
            last_error: None,
            needs_reauthorization_since: None,
            refresh_failures: 0,
            refresh_lease_until: None,
            sync_failures: 0,
            sync_lease_until: None,
            is_active: true,
        }
    }

    #[test]
    fn status_follows_the_time_that_is_left() {
        let view = |day| connection(stored(), true, at(day));
        assert_eq!((view(49).status, view(49).needs_refresh), (ConnectionStatus::Active, false));
        assert_eq!((view(50).status, view(50).needs_refresh), (ConnectionStatus::Expiring, true));
        assert_eq!(view(60).status, ConnectionStatus::NeedsReauthorization);
        assert_eq!(view(60).needs_reauthorization_since, Some(at(60).into()));
    }

    #[test]
    fn a_token_that_cannot_be_opened_needs_reauthorization_and_says_why() {
        let view = connection(stored(), false, at(1));
        assert_eq!(view.status, ConnectionStatus::NeedsReauthorization);
        assert!(view.last_error.unwrap().contains("Reconnect"));
    }

    #[test]
    fn what_was_not_granted_is_missing() {
        let view = connection(stored(), true, at(1));
        assert_eq!(view.missing_scopes, [permission::CONTENT_PUBLISH, permission::MANAGE_MESSAGES]);
    }
}
